"""What training runs gave, as points: accuracy against the initial standard deviation of the scores."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ui.figures.theme import escaped, styled
from ui.palette import Mode, hue

SYMBOLS = {"none": "circle", "inverse_sqrt": "square", "inverse": "diamond", "qk_norm": "cross"}


def transition_figure(
    points: Mapping[str, Sequence[tuple[float, float, str]]],
    mode: Mode,
    *,
    hues: Mapping[str, str],
    labels: Mapping[str, str],
    x_title: str,
    y_title: str,
    line: float,
    line_title: str,
) -> go.Figure:
    """Points (x, y, what is told of it) of every rule, x on a logarithmic axis; a line where theory puts the break."""
    figure = go.Figure()
    for rule, found in points.items():
        figure.add_scatter(
            x=[x for x, _, _ in found],
            y=[y for _, y, _ in found],
            text=[escaped(told) for _, _, told in found],
            mode="markers",
            name=escaped(labels[rule]),
            marker={
                "size": 11,
                "symbol": SYMBOLS[rule],
                "color": hue(hues[rule], mode),
                "opacity": 0.85,
                "line": {"width": 1, "color": hue("paper", mode)},
            },
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    figure.add_vline(
        x=line,
        line={"color": hue("focus", mode), "width": 1.5, "dash": "dot"},
        annotation={
            "text": escaped(line_title),
            "font": {"size": 12, "color": hue("quiet", mode)},
            "yanchor": "bottom",
        },
        annotation_position="top right",
    )
    styled(figure, mode, height=340, x=(-0.7, 1.9), y=(0.0, 1.02), y_title=y_title)
    ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks], showgrid=True)
    figure.update_xaxes(title={"text": escaped(x_title), "font": {"size": 13}})
    figure.update_layout(
        showlegend=bool(points),
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}},
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
    )
    return figure
