"""Mean and variance of q·k at every stop of d_k: measured, in closed form, and as the derivation claims them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.saturation.why_sqrt.numbers import Curves, Stops
from pages.saturation.why_sqrt.pictures.traces import (
    DASHED,
    Axes,
    Labels,
    Trace,
    axis_title,
    curve,
    decades,
    layout_with_legend,
    positive,
)
from ui.figures.theme import Figure, escaped
from ui.numbers import SUPERSCRIPTS
from ui.palette import Mode, hue

SURE = 1.96  # standard errors: 95 % of a normal
LEAST = 1e-4  # |mean| below this is drawn at the edge of a log axis, which has no zero
VARIANCE, MEAN, RATIO = ({"xaxis": f"x{number}", "yaxis": f"y{number}"} for number in ("", 2, 3))


@dataclass(frozen=True, slots=True)
class Drawing:
    """What every panel needs besides its numbers."""

    stops: Stops
    chosen: int
    labels: Labels
    mode: Mode

    @property
    def theory(self) -> dict[str, Any]:
        """The line of theory."""
        return {"color": hue("ink", self.mode), "width": 1.4}

    @property
    def claim(self) -> dict[str, Any]:
        """The line of what the derivation claims."""
        return {"color": hue("quiet", self.mode), "width": 1.4, "dash": DASHED}

    def curve(self, y: Stops, line: Mapping[str, Any], name: str, axes: Axes, named: bool = False) -> Trace:
        """A line over the stops."""
        return curve(self.stops, y, line, self.labels[name], axes, named)

    def band(self, low: Stops, high: Stops, axes: Axes) -> list[Trace]:
        """A shaded band over the stops."""
        shade = hue("quiet", self.mode)
        red, green, blue = (int(shade[i : i + 2], 16) for i in (1, 3, 5))
        edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.25)"}
        lower, upper = (edge | {"x": self.stops, "y": positive(end), **axes} for end in (low, high))
        return [lower, upper | fill]

    def points(
        self, y: Stops, axes: Axes, *, hover: Stops | None = None, symbol: str = "circle", named: bool = False
    ) -> Trace:
        """Measured numbers; the chosen one in the colour of the histogram. `hover`: what a tip says, if not y."""
        chosen = np.arange(len(self.stops)) == self.chosen
        return {
            "type": "scatter",
            "mode": "markers",
            "x": self.stops,
            "y": y,
            "marker": {
                "symbol": symbol,
                "size": np.where(chosen, 11, 6),
                "color": np.where(chosen, hue("focus", self.mode), hue("ink", self.mode)),
                "line": {"width": 1.6 if symbol.endswith("open") else 0},
            },
            "customdata": y if hover is None else hover,
            "name": escaped(self.labels["measured"]),
            "showlegend": named,
            "hovertemplate": "d_k = %{x}: %{customdata:.4g}<extra></extra>",
            **axes,
        }


def against_d_k(curves: Curves, *, chosen: int, labels: Labels, mode: Mode, height: int = 460) -> Figure:
    """Variance, |mean| and variance ÷ theory over d_k, all on one log axis; `chosen` (an index) is marked in each.

    `labels` names d_k, variance, mean, ratio, dots, scaled, measured, theory, claim and noise.
    """
    drawing = Drawing(curves.stops, chosen, labels, mode)
    before = _variances(drawing, curves, curves.stops**0, "circle", named=True)
    after = _variances(drawing, curves, curves.stops, "circle-open", named=False)
    return Figure(
        [*before, *after, *_means(drawing, curves), *_ratios(drawing, curves)],
        _layout(curves, drawing, height),
    )


def _variances(drawing: Drawing, curves: Curves, by: Stops, symbol: str, *, named: bool) -> list[Trace]:
    """The variance, before scaling or after: theory with its band, and what the derivation claims."""
    exact, width = curves.expected_variance / by, SURE * curves.variance_error / by
    return [
        *drawing.band(exact - width, exact + width, VARIANCE),
        drawing.curve(curves.stops / by, drawing.claim, "claim", VARIANCE, named),
        drawing.curve(positive(exact), drawing.theory, "theory", VARIANCE, named),
        drawing.points(positive(curves.variance / by), VARIANCE, symbol=symbol, named=named),
    ]


def _means(drawing: Drawing, curves: Curves) -> list[Trace]:
    """|mean|: below the edge of the band nobody could tell it from 0 with so many samples."""
    return [
        *drawing.band(np.full_like(curves.mean, LEAST / 10), _noise(curves), MEAN),
        drawing.curve(positive(np.abs(curves.expected_mean)), drawing.theory, "theory", MEAN),
        drawing.points(_size_of_mean(curves), MEAN, hover=curves.mean),
    ]


def _noise(curves: Curves) -> Stops:
    return np.maximum(SURE * curves.mean_error, LEAST)


def _size_of_mean(curves: Curves) -> Stops:
    return np.maximum(np.abs(curves.mean), LEAST)


def _ratios(drawing: Drawing, curves: Curves) -> list[Trace]:
    """Measured over theory: the only panel on which a band of one per cent can be seen."""
    ratio, width = _ratio(curves)
    return [
        *drawing.band(1 - width, 1 + width, RATIO),
        drawing.curve(curves.stops**0, drawing.theory, "theory", RATIO),
        drawing.points(ratio, RATIO),
    ]


def _ratio(curves: Curves) -> tuple[Stops, Stops]:
    """Measured variance over theory, NaN where theory says 0; and half of the band around 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(curves.expected_variance > 0, curves.variance / curves.expected_variance, np.nan)
        return ratio, SURE * curves.variance_error / curves.expected_variance


def _layout(curves: Curves, drawing: Drawing, height: int) -> dict[str, Any]:
    stops, labels = curves.stops, drawing.labels
    ends = (math.log10(stops[0]) - 0.08, math.log10(stops[-1]) + 0.08)
    tall = decades([curves.variance, curves.variance / stops, curves.expected_variance, stops, np.ones(1)])
    wide = decades([_noise(curves), _size_of_mean(curves), np.abs(curves.expected_mean)])
    base = layout_with_legend(drawing.mode, height, ends, tall, labels["variance"])
    x = base["xaxis"] | {"type": "log", "tickvals": stops[::2], "ticks": "outside", "ticklen": 4, "showline": True}
    y, hidden = base["yaxis"], {"showticklabels": False}
    around_one = _around_one(*_ratio(curves))
    return base | {
        "xaxis": x | hidden,
        "xaxis2": x | hidden | {"anchor": "y2", "matches": "x"},
        "xaxis3": x | {"anchor": "y3", "matches": "x", "title": axis_title(labels["d_k"])},
        "yaxis": y | _powers(tall) | {"domain": [0.56, 1.0]},
        "yaxis2": y | _powers(wide) | {"domain": [0.28, 0.50], "anchor": "x2", "title": axis_title(labels["mean"])},
        "yaxis3": y | around_one | {"domain": [0.0, 0.22], "anchor": "x3", "title": axis_title(labels["ratio"])},
        "margin": {"l": 8, "r": 70, "t": 34, "b": 8},
        "annotations": _notes(curves, drawing, ends[1], wide[0]),
        "shapes": [_marker(float(stops[drawing.chosen]), drawing.mode)],
    }


def _notes(curves: Curves, drawing: Drawing, right: float, bottom: float) -> list[dict[str, Any]]:
    """Beside their ends, what the two variances are; in the corner, what the band of the mean is."""
    last = float(curves.expected_variance[-1])
    ends = (("dots", last), ("scaled", last / curves.stops[-1]))
    beside = {"showarrow": False, "xref": "paper", "x": 1, "xanchor": "left", "xshift": 4}
    noise = {
        "text": escaped(drawing.labels["noise"]),
        "showarrow": False,
        "xref": "x",
        "x": right,
        "xanchor": "right",
        "xshift": -10,
        "yref": "y2",
        "y": bottom,
        "yanchor": "bottom",
        "font": {"size": 12, "color": hue("quiet", drawing.mode)},
    }
    named = [
        beside | {"text": escaped(drawing.labels[name]), "y": math.log10(end) if end > 0 else 0.0} for name, end in ends
    ]
    return [*named, noise]


def _marker(x: float, mode: Mode) -> dict[str, Any]:
    """A vertical line through all panels."""
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": hue("focus", mode), "width": 1.5},
    }


def _powers(ends: tuple[float, float]) -> dict[str, Any]:
    """A log axis with four or five powers of ten: 0.01 … 1000 as they are, others with a superscript."""
    powers = range(math.ceil(ends[0]), math.floor(ends[1]) + 1, max(1, math.ceil((ends[1] - ends[0]) / 4)))
    names = [f"{10.0**power:g}" if -3 < power < 4 else f"10{str(power).translate(SUPERSCRIPTS)}" for power in powers]
    return {"type": "log", "range": list(ends), "tickvals": [10.0**power for power in powers], "ticktext": names}


def _around_one(ratio: Stops, width: Stops) -> dict[str, Any]:
    """An axis about 1 that holds every point and the band, with three round ticks."""
    far = np.concatenate([np.abs(ratio - 1), width])
    furthest = float(far[np.isfinite(far)].max(initial=0.01))
    power = 10.0 ** math.floor(math.log10(furthest))
    step = max(power * lead for lead in (1, 2, 5) if power * lead <= furthest)
    ticks = [1 - step, 1.0, 1 + step]
    return {
        "range": [1 - 1.25 * furthest, 1 + 1.25 * furthest],
        "tickvals": ticks,
        "ticktext": [f"{tick:.6g}" for tick in ticks],
    }
