"""A series and its parts, one above the other, on one axis of time."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.figures.theme import FONT, escaped
from ui.palette import Mode, hue

Drawn = tuple[np.ndarray, np.ndarray]


def parts_figure(
    parts: Mapping[str, Drawn],
    trend: Drawn,
    mode: Mode,
    *,
    titles: Mapping[str, str],
    trend_title: str,
    changes: Sequence[int],
    drawn: Sequence[int],
    cut: int,
    last: int,
    learned: str,
    tested: str,
) -> go.Figure:
    """`parts` (x, y): the first with the `trend` on it, half of the height; the others below. Dotted lines where a
    change was found, ticks at the top where one was `drawn`; from `cut` on the part that models are tested on.
    """
    figure = make_subplots(
        rows=len(parts), cols=1, shared_xaxes=True, vertical_spacing=0.07,
        row_heights=[0.5] + [0.5 / (len(parts) - 1)] * (len(parts) - 1),
    )  # fmt: skip
    ink, line, quiet = hue("ink", mode), hue("line", mode), hue("quiet", mode)
    for row, (name, (x, y)) in enumerate(parts.items(), start=1):
        figure.add_scatter(
            x=x, y=y, mode="lines", row=row, col=1, name=escaped(titles[name]),
            line={"color": quiet if row == 1 else ink, "width": 1}, hovertemplate="%{x}: %{y:.4g}<extra></extra>",
        )  # fmt: skip
        # A title stands above its picture, at the left edge of the axis.
        domain: tuple[float, float] = next(figure.select_yaxes(row=row)).domain
        figure.add_annotation(
            text=f"<b>{escaped(titles[name])}</b>", x=0, xref="paper", xanchor="left", y=domain[1], yref="paper",
            yanchor="bottom", showarrow=False, font={"size": 13, "color": ink},
        )  # fmt: skip
    figure.add_scatter(
        x=trend[0], y=trend[1], mode="lines", row=1, col=1, name=escaped(trend_title),
        line={"color": hue("q", mode), "width": 2}, hovertemplate="%{x}: %{y:.4g}<extra></extra>",
    )  # fmt: skip
    for place in changes:
        figure.add_shape(
            x0=place,
            x1=place,
            y0=0,
            y1=1,
            yref="y domain",
            xref="x",
            line={"color": hue("k", mode), "width": 1.5, "dash": "dot"},
        )
    low, high = (float(end(parts[next(iter(parts))][1])) for end in (np.min, np.max))
    air = 0.08 * (high - low)
    if drawn:
        figure.add_scatter(
            x=list(drawn), y=[high + air] * len(drawn), mode="markers", row=1, col=1, hoverinfo="x",
            marker={"symbol": "triangle-down", "size": 9, "color": ink},
        )  # fmt: skip
    figure.add_vrect(x0=cut, x1=last, fillcolor=hue("v", mode), opacity=0.07, line_width=0)
    for place, text, anchor in ((cut, learned, "right"), (cut, tested, "left")):
        figure.add_annotation(
            text=escaped(text), x=place, y=low, xref="x", yref="y", xanchor=anchor, yanchor="bottom", showarrow=False,
            font={"size": 12, "color": quiet},
        )  # fmt: skip
    axis = {
        "gridcolor": line, "zerolinecolor": line, "linecolor": line, "fixedrange": True, "automargin": True,
        "tickfont": {"color": quiet, "size": 12},
    }  # fmt: skip
    figure.update_xaxes(**axis, showgrid=False, zeroline=False, range=[0, last])
    figure.update_yaxes(**axis, nticks=4, zeroline=False)
    figure.update_yaxes(range=[low - air, high + 2 * air], row=1, col=1)
    figure.update_layout(
        template=None, height=470, margin={"l": 8, "r": 8, "t": 24, "b": 8}, showlegend=False,
        paper_bgcolor=hue("paper", mode), plot_bgcolor="rgba(0,0,0,0)", font={"family": FONT, "color": ink, "size": 13},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": quiet, "activecolor": ink},
        hoverlabel={"bgcolor": ink, "font": {"family": FONT, "color": hue("paper", mode)}},
    )  # fmt: skip
    return figure
