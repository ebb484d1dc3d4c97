"""A series and its parts, one above the other, on one axis of time."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ui.figures.theme import Figure, escaped, layout, upright
from ui.palette import Mode, hue

Points = tuple[np.ndarray, np.ndarray]
GAP = 0.07  # between two pictures, as a share of the height


def parts_figure(
    parts: Mapping[str, Points],
    trend: Points,
    mode: Mode,
    *,
    titles: Mapping[str, str],
    trend_title: str,
    changes: Sequence[int],
    built: Sequence[int],
    cut: int,
    last: int,
    learned: str,
    tested: str,
) -> Figure:
    """`parts` (x, y): the first with the `trend` on it, half of the height; the others below. Dotted lines at the
    estimated `changes`, triangles at the top at those that were `built` in; from `cut` on the part that tests.
    """
    places = domains(len(parts))
    axes = ["", *map(str, range(2, len(parts) + 1))]  # x and y, x2 and y2, …
    _, first = next(iter(parts.values()))
    low, high = float(first.min()), float(first.max())
    air = 0.08 * (high - low)
    hues = [hue("quiet", mode), *[hue("ink", mode)] * (len(parts) - 1)]
    traces = [
        _line(points, titles[name], colour, 1, axis)
        for (name, points), colour, axis in zip(parts.items(), hues, axes, strict=True)
    ]
    traces.append(_line(trend, trend_title, hue("q", mode), 2, ""))
    if built:
        traces.append(_triangles(built, high + air, mode))
    names = [_title(titles[name], top, mode) for name, (_, top) in zip(parts, places, strict=True)]
    sides = [_side(learned, cut, "right", low, mode), _side(tested, cut, "left", low, mode)]
    marks = [upright(float(place), {"color": hue("k", mode), "width": 1.5, "dash": "dot"}) for place in changes]
    base = layout(mode, height=470, x=(0.0, float(last)), y=(low - air, high + 2 * air), y_title="")
    rest = {
        "margin": base["margin"] | {"t": 24},
        "shapes": [*marks, *(_tested(cut, last, axis, mode) for axis in axes)],
        "annotations": [*names, *sides],
    }
    return Figure(traces, base | _axes(base, axes, places) | rest)


def domains(count: int) -> list[tuple[float, float]]:
    """Where each of so many pictures stands, from the top: the first as high as all others together."""
    free = 1 - GAP * (count - 1)
    heights = [free / 2] + [free / 2 / (count - 1)] * (count - 1)
    tops = accumulate(heights[:-1], lambda top, height: top - height - GAP, initial=1.0)
    return [(max(0.0, top - height), top) for top, height in zip(tops, heights, strict=True)]


def _axes(base: Mapping[str, Any], axes: Sequence[str], places: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """All pictures follow the lowest along x; only the first has the limits of `base`, the others their numbers'."""
    up = {key: value for key, value in base["yaxis"].items() if key != "title"} | {"nticks": 4, "zeroline": False}
    free = {key: value for key, value in up.items() if key != "range"}
    bottom, pairs = axes[-1], {}
    for axis, domain in zip(axes, places, strict=True):
        above = {} if axis == bottom else {"matches": f"x{bottom}", "showticklabels": False}
        pairs[f"xaxis{axis}"] = base["xaxis"] | above | {"anchor": f"y{axis}"}
        pairs[f"yaxis{axis}"] = (free if axis else up) | {"anchor": f"x{axis}", "domain": domain}
    return pairs


def _triangles(places: Sequence[int], y: float, mode: Mode) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": list(places),
        "y": [y] * len(places),
        "mode": "markers",
        "hoverinfo": "x",
        "marker": {"symbol": "triangle-down", "size": 9, "color": hue("ink", mode)},
    }


def _title(text: str, top: float, mode: Mode) -> dict[str, Any]:
    """Above a picture, at the left edge of the axis."""
    return {
        "text": f"<b>{escaped(text)}</b>",
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": top,
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 13, "color": hue("ink", mode)},
    }


def _side(text: str, cut: int, anchor: str, low: float, mode: Mode) -> dict[str, Any]:
    """What the part before or after the cut is for."""
    return {
        "text": escaped(text),
        "x": cut,
        "xref": "x",
        "xanchor": anchor,
        "y": low,
        "yref": "y",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": hue("quiet", mode)},
        "bgcolor": hue("paper", mode),
    }


def _tested(cut: int, last: int, axis: str, mode: Mode) -> dict[str, Any]:
    """The test part, tinted in one picture."""
    return {
        "type": "rect",
        "xref": f"x{axis}",
        "x0": cut,
        "x1": last,
        "yref": f"y{axis} domain",
        "y0": 0,
        "y1": 1,
        "fillcolor": hue("v", mode),
        "opacity": 0.07,
        "line": {"width": 0},
    }


def _line(points: Points, name: str, colour: str, width: int, axis: str) -> dict[str, Any]:
    x, y = points
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "name": escaped(name),
        "line": {"color": colour, "width": width},
        "hovertemplate": "%{x}: %{y:.4g}<extra></extra>",
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
    }
