"""What training runs gave, as points: accuracy against the initial standard deviation of the scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ui.figures.theme import Figure, escaped, layout, title, upright
from ui.palette import Mode, hue

Mark = tuple[float, float, str]  # x, y, and what stands beside it on hover
SYMBOLS = {"none": "circle", "inverse_sqrt": "square", "inverse": "diamond", "qk_norm": "cross"}
TICKS = (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)


def transition_figure(
    points: Mapping[str, Sequence[Mark]],
    mode: Mode,
    *,
    hues: Mapping[str, str],
    labels: Mapping[str, str],
    x_title: str,
    y_title: str,
    line: float,
    line_title: str,
) -> Figure:
    """Points of every rule, x on a logarithmic axis; a line where theory puts the break."""
    traces = [_points(marks, labels[rule], SYMBOLS[rule], hues[rule], mode) for rule, marks in points.items()]
    base = layout(mode, height=340, x=(-0.7, 1.9), y=(0.0, 1.02), y_title=y_title)
    ticks = {"tickvals": TICKS, "ticktext": [f"{tick:g}" for tick in TICKS], "showgrid": True}
    rest = {
        "xaxis": base["xaxis"] | ticks | {"type": "log", "title": title(x_title)},
        "shapes": [upright(line, {"color": hue("focus", mode), "width": 1.5, "dash": "dot"})],
        "annotations": [_note(line_title, line, mode)],
        "showlegend": bool(points),
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 13}},
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
    }
    return Figure(traces, base | rest)


def _points(marks: Sequence[Mark], name: str, symbol: str, colour: str, mode: Mode) -> dict[str, Any]:
    """The points of one rule."""
    rim = {"width": 1, "color": hue("paper", mode)}
    return {
        "type": "scatter",
        "x": [x for x, _, _ in marks],
        "y": [y for _, y, _ in marks],
        "text": [escaped(text) for _, _, text in marks],
        "mode": "markers",
        "name": escaped(name),
        "marker": {"size": 11, "symbol": symbol, "color": hue(colour, mode), "opacity": 0.85, "line": rim},
        "hovertemplate": "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
    }


def _note(text: str, x: float, mode: Mode) -> dict[str, Any]:
    """What stands at the top of a line."""
    return {
        "text": escaped(text),
        "font": {"size": 12, "color": hue("quiet", mode)},
        "x": math.log10(x),  # of a logarithmic axis, notes want the exponent
        "y": 1,
        "yref": "y domain",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }
