"""Histograms of q·k and of q·k/√d_k against the bell that is claimed, and the bell of what is expected."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pages.saturation.why_sqrt.pictures.traces import DASHED, Axes, Labels, Trace, axis_title, curve, layout_with_legend
from ui.figures.theme import Figure, escaped
from ui.palette import Mode, hue

BINS = 96  # at most; fewer for few samples
WIDTH = 4.5  # standard deviations of the claimed bell on either side
TAIL = 0.001  # of the samples on either side may lie beyond the axis
Samples = Float[np.ndarray, " samples"]


@dataclass(frozen=True, slots=True)
class Bell:
    """A normal distribution."""

    mean: float
    sigma: float

    def over(self, divisor: float) -> "Bell":
        return Bell(self.mean / divisor, self.sigma / divisor)

    def density(self, x: np.ndarray) -> np.ndarray:
        return np.exp(-(((x - self.mean) / self.sigma) ** 2) / 2) / (self.sigma * math.sqrt(2 * math.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One histogram: its traces, the ends of its axis, and how high it reaches."""

    traces: list[Trace]
    ends: tuple[float, float]
    top: float


def histograms(
    dots: Samples,
    *,
    d_k: int,
    expected: tuple[float, float] | None,
    labels: Labels,
    mode: Mode,
    height: int = 460,
) -> Figure:
    """q·k above, q·k/√d_k below: what was drawn, the bell that is claimed, and the bell of `expected` (mean, variance).

    `labels` names measured, claim, expected, dots, scaled and density.
    """
    finite, root = dots[np.isfinite(dots)].astype(np.float64), math.sqrt(d_k)
    own = None
    if expected is not None and expected[1] > 0 and _differs(expected, d_k):
        own = Bell(expected[0], math.sqrt(expected[1]))
    upper = _panel(finite, root, own, labels, mode, {"xaxis": "x", "yaxis": "y"})
    lower = _panel(finite / root, 1.0, own and own.over(root), labels, mode, {"xaxis": "x2", "yaxis": "y2"})
    base = layout_with_legend(mode, height, upper.ends, (0.0, upper.top), labels["density"])
    x = base["xaxis"] | {"nticks": 9, "showline": True, "ticks": "outside", "ticklen": 4}
    y = base["yaxis"] | {"nticks": 4}
    return Figure(
        [*upper.traces, *(trace | {"showlegend": False} for trace in lower.traces)],
        base
        | {
            "bargap": 0,
            "barmode": "overlay",
            "xaxis": x | {"title": axis_title(labels["dots"], 14)},
            "xaxis2": x | {"title": axis_title(labels["scaled"], 14), "range": list(lower.ends), "anchor": "y2"},
            "yaxis": y | {"domain": [0.58, 1.0]},
            "yaxis2": y | {"domain": [0.0, 0.42], "range": [0.0, lower.top], "anchor": "x2"},
            "margin": {"l": 8, "r": 8, "t": 34, "b": 8},
        },
    )


def _differs(expected: tuple[float, float], d_k: int) -> bool:
    return not (math.isclose(expected[0], 0, abs_tol=1e-9) and math.isclose(expected[1], d_k))


def _panel(samples: Samples, sigma: float, own: Bell | None, labels: Labels, mode: Mode, axes: Axes) -> Panel:
    """Bars of the samples, the bell of their own law where there is one, and the claimed bell of this sigma."""
    low, high = _ends(samples, sigma)
    edges = _edges(samples, low, high)
    density = np.histogram(samples, edges)[0] / np.maximum(np.diff(edges) * max(len(samples), 1), 1e-300)
    bars = _bars(edges, density, labels["measured"], mode, axes)
    grid = np.linspace(low, high, 361)
    line = {"color": hue("ink", mode), "width": 1.6}
    bells = [(own, labels["expected"], line)] if own else []
    bells.append((Bell(0.0, sigma), labels["claim"], line | {"dash": DASHED}))
    curves = [curve(grid, bell.density(grid), line, name, axes, named=True) for bell, name, line in bells]
    peaks = [bell.density(grid).max() for bell, _, _ in bells]
    return Panel([bars, *curves], (low, high), 1.08 * max(*peaks, density.max(initial=0.0)))


def _bars(edges: np.ndarray, density: np.ndarray, name: str, mode: Mode, axes: Axes) -> Trace:
    """The area of all bars is the share of the samples between the edges."""
    return {
        "type": "bar",
        "x": ((edges[:-1] + edges[1:]) / 2).astype(np.float32),
        "y": density.astype(np.float32),
        "width": np.diff(edges).astype(np.float32),
        "marker": {"color": hue("focus", mode), "opacity": 0.75, "line": {"width": 0}},
        "name": escaped(name),
        "showlegend": True,
        "hovertemplate": "%{x:.4g}: %{y:.4g}<extra></extra>",
        **axes,
    }


def _ends(samples: Samples, sigma: float) -> tuple[float, float]:
    """An axis that holds the claimed bell and nearly all samples."""
    low, high = -WIDTH * sigma, WIDTH * sigma
    if samples.size:
        first, last = np.quantile(samples, (TAIL, 1 - TAIL))
        air = 0.1 * (last - first)
        low, high = min(low, float(first - air)), max(high, float(last + air))
    return low, high


def _edges(samples: Samples, low: float, high: float) -> np.ndarray:
    """Even bins; for samples on a lattice (Rademacher) whole steps of it, so that no bin is empty by chance."""
    bins = min(BINS, max(8, round(2.8 * len(samples) ** (1 / 3))))
    width = (high - low) / bins
    places = np.unique(np.round(samples[:4000] / width, 3)) * width
    step = _lattice(places, width)
    if step is None:
        return np.linspace(low, high, bins + 1)
    wide = step * max(1, round(width / step))
    first = places[0] - wide / 2
    return np.arange(first - wide * math.ceil((first - low) / wide), high + wide, wide)


def _lattice(places: np.ndarray, width: float) -> float | None:
    """The step of the lattice on which all these places lie, if it is near the width of a bin."""
    if not 1 < len(places) < 600:
        return None
    step = float(np.min(np.diff(places)))
    steps = (places - places[0]) / step
    return step if np.abs(steps - np.rint(steps)).max() < 0.05 and width / 8 < step < 6 * width else None
