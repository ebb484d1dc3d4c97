"""What the figures of q·k have in common: their layout, lines, and logarithmic axes. Plain dictionaries."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ui.figures.theme import escaped, layout, title
from ui.palette import Mode, hue

DASHED = "4px,3px"
Labels = Mapping[str, str]
Trace = dict[str, Any]
Axes = Mapping[str, str]


def layout_with_legend(
    mode: Mode, height: int, x: tuple[float, float], y: tuple[float, float], y_title: str
) -> dict[str, Any]:
    """The layout all figures share, with a legend, as a dictionary to go on from."""
    legend = {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.0,
        "yanchor": "bottom",
        "itemwidth": 30,
        "font": {"size": 12, "color": hue("quiet", mode)},
        "bgcolor": "rgba(0,0,0,0)",
        "itemclick": False,
        "itemdoubleclick": False,
    }
    return layout(mode, height=height, x=x, y=y, y_title=y_title) | {"showlegend": True, "legend": legend}


def axis_title(text: str, size: int = 13) -> dict[str, Any]:
    """The name of an axis, near it."""
    return title(text, size) | {"standoff": 6}


def curve(x: np.ndarray, y: np.ndarray, line: Mapping[str, Any], name: str, axes: Axes, named: bool = False) -> Trace:
    """A line without a tip; `named` in the legend."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "line": dict(line),
        "name": escaped(name),
        "showlegend": named,
        "hoverinfo": "skip",
        **axes,
    }


def positive(values: np.ndarray) -> np.ndarray:
    """What a log axis can show: the rest is left out."""
    return np.where(values > 0, values, np.nan)


def decades(parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """The ends of a log axis that holds every positive number of these, with some air."""
    numbers = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    return math.log10(numbers.min()) - 0.25, math.log10(numbers.max()) + 0.25
