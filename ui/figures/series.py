"""A series and its parts, one above the other, on one axis of time."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
import plotly.graph_objects as go

from ui.figures.theme import escaped, layout, upright
from ui.palette import Mode, hue

Drawn = tuple[np.ndarray, np.ndarray]
GAP = 0.07  # between two pictures, as a share of the height


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
    ink, quiet = hue("ink", mode), hue("quiet", mode)
    places = domains(len(parts))
    axes = ["", *map(str, range(2, len(parts) + 1))]  # x and y, x2 and y2, …
    first = parts[next(iter(parts))][1]
    low, high = float(first.min()), float(first.max())
    air = 0.08 * (high - low)
    traces = [
        _line(drawn_part, titles[name], quiet if row == 0 else ink, 1, axes[row])
        for row, (name, drawn_part) in enumerate(parts.items())
    ]
    traces.append(_line(trend, trend_title, hue("q", mode), 2, ""))
    if drawn:
        marker = {"symbol": "triangle-down", "size": 9, "color": ink}
        triangles = {"type": "scatter", "x": list(drawn), "y": [high + air] * len(drawn), "mode": "markers"}
        traces.append(triangles | {"hoverinfo": "x", "marker": marker})
    # A title stands above its picture, at the left edge of the axis.
    named = [
        {"text": f"<b>{escaped(titles[name])}</b>", "x": 0, "xref": "paper", "xanchor": "left", "y": top,
         "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 13, "color": ink}}
        for name, (_, top) in zip(parts, places, strict=True)
    ]  # fmt: skip
    sides = [
        {"text": escaped(text), "x": cut, "xref": "x", "xanchor": anchor, "y": low, "yref": "y", "yanchor": "bottom",
         "showarrow": False, "font": {"size": 12, "color": quiet}, "bgcolor": hue("paper", mode)}
        for text, anchor in ((learned, "right"), (tested, "left"))
    ]  # fmt: skip
    found = [upright(float(place), {"color": hue("k", mode), "width": 1.5, "dash": "dot"}) for place in changes]
    test = [
        {"type": "rect", "xref": f"x{axis}", "x0": cut, "x1": last, "yref": f"y{axis} domain", "y0": 0, "y1": 1,
         "fillcolor": hue("v", mode), "opacity": 0.07, "line": {"width": 0}}
        for axis in axes
    ]  # fmt: skip
    base = layout(mode, height=470, x=(0.0, float(last)), y=(low - air, high + 2 * air), y_title="")
    across = base["xaxis"]
    up = {key: value for key, value in base["yaxis"].items() if key != "title"} | {"nticks": 4, "zeroline": False}
    free = {key: value for key, value in up.items() if key != "range"}  # it follows its numbers
    bottom = axes[-1]
    made = {}
    for axis, domain in zip(axes, places, strict=True):
        above = {} if axis == bottom else {"matches": f"x{bottom}", "showticklabels": False}
        made[f"xaxis{axis}"] = across | above | {"anchor": f"y{axis}"}
        made[f"yaxis{axis}"] = (free if axis else up) | {"anchor": f"x{axis}", "domain": domain}
    margin = base["margin"] | {"t": 24}
    return go.Figure(
        traces, base | made | {"margin": margin, "shapes": [*found, *test], "annotations": [*named, *sides]}
    )


def domains(count: int) -> list[tuple[float, float]]:
    """Where each of so many pictures stands, from the top: the first as high as all others together."""
    free = 1 - GAP * (count - 1)
    heights = [free / 2] + [free / 2 / (count - 1)] * (count - 1)
    tops = accumulate(heights[:-1], lambda top, height: top - height - GAP, initial=1.0)
    return [(max(0.0, top - height), top) for top, height in zip(tops, heights, strict=True)]


def _line(drawn: Drawn, name: str, colour: str, width: int, axis: str) -> dict:
    return {
        "type": "scatter",
        "x": drawn[0],
        "y": drawn[1],
        "mode": "lines",
        "name": escaped(name),
        "line": {"color": colour, "width": width},
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }
