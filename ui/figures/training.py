"""What training runs gave, as points: accuracy against the initial standard deviation of the scores."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ui.figures.theme import escaped, layout, title, upright
from ui.palette import Mode, hue

SYMBOLS = {"none": "circle", "inverse_sqrt": "square", "inverse": "diamond", "qk_norm": "cross"}
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)


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
    traces = [
        {
            "type": "scatter",
            "x": [x for x, _, _ in found],
            "y": [y for _, y, _ in found],
            "text": [escaped(told) for _, _, told in found],
            "mode": "markers",
            "name": escaped(labels[rule]),
            "marker": {
                "size": 11,
                "symbol": SYMBOLS[rule],
                "color": hue(hues[rule], mode),
                "opacity": 0.85,
                "line": {"width": 1, "color": hue("paper", mode)},
            },
            "hovertemplate": "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        }
        for rule, found in points.items()
    ]
    base = layout(mode, height=340, x=(-0.7, 1.9), y=(0.0, 1.02), y_title=y_title)
    ticks = {"tickvals": TICKS, "ticktext": [f"{tick:g}" for tick in TICKS], "showgrid": True}
    named = {
        "text": escaped(line_title),
        "font": {"size": 12, "color": hue("quiet", mode)},
        "x": math.log10(line),  # of a logarithmic axis, notes want the exponent
        "y": 1,
        "yref": "y domain",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }
    return go.Figure(
        traces,
        base
        | {
            "xaxis": base["xaxis"] | ticks | {"type": "log", "title": title(x_title)},
            "shapes": [upright(line, {"color": hue("focus", mode), "width": 1.5, "dash": "dot"})],
            "annotations": [named],
            "showlegend": bool(points),
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}},
            "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        },
    )
