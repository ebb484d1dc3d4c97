"""Mean and variance of q·k: histograms against the bell that is claimed, and both against d_k.

Traces and layout are plain dictionaries until the end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ui.figures.heads import heads_by_layer
from ui.figures.theme import escaped, layout, span, title
from ui.palette import Mode, hue

BINS = 96  # at most; fewer for few samples
WIDTH = 4.5  # standard deviations of the claimed bell on either side
TAIL = 0.001  # of the samples on either side may lie beyond the axis
SURE = 1.96  # standard errors: 95 % of a normal
LEAST = 1e-4  # |mean| below this is drawn at the edge of a log axis, which has no zero
DASHED = "4px,3px"
TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Labels = Mapping[str, str]
Trace = dict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """Mean and variance of q·k at each stop of d_k: measured, in closed form, and how far samples stray from that.

    The errors are standard errors around the closed form; NaN where they do not exist.
    """

    stops: Float[np.ndarray, " stops"]
    mean: Float[np.ndarray, " stops"]
    variance: Float[np.ndarray, " stops"]
    expected_mean: Float[np.ndarray, " stops"]
    expected_variance: Float[np.ndarray, " stops"]
    mean_error: Float[np.ndarray, " stops"]
    variance_error: Float[np.ndarray, " stops"]


def histograms(
    dots: Float[np.ndarray, " samples"],
    *,
    d_k: int,
    expected: tuple[float, float] | None,
    labels: Labels,
    mode: Mode,
    height: int = 460,
) -> go.Figure:
    """q·k above, q·k/√d_k below: what was drawn, the bell that is claimed, and the bell of `expected` (mean, variance).

    `labels` names measured, claim, expected, dots, scaled and density.
    """
    finite = dots[np.isfinite(dots)].astype(np.float64)
    traces: list[Trace] = []
    ranges, tops = [], []
    for row, scale in enumerate((1.0, math.sqrt(d_k))):
        axes = {"xaxis": "x2", "yaxis": "y2"} if row else {"xaxis": "x", "yaxis": "y"}
        sigma = math.sqrt(d_k) / scale
        low, high = _ends(finite / scale, sigma)
        density, edges = np.histogram(finite / scale, _edges(finite / scale, low, high))
        density = density / np.maximum(np.diff(edges) * max(len(finite), 1), 1e-300)
        traces.append(
            {
                "type": "bar",
                "x": ((edges[:-1] + edges[1:]) / 2).astype(np.float32),
                "y": density.astype(np.float32),
                "width": np.diff(edges).astype(np.float32),
                "marker": {"color": hue("focus", mode), "opacity": 0.75, "line": {"width": 0}},
                "name": escaped(labels["measured"]),
                "showlegend": row == 0,
                "hovertemplate": "%{x:.4g}: %{y:.4g}<extra></extra>",
                **axes,
            }
        )
        grid = np.linspace(low, high, 361)
        claimed = _bell(grid, 0.0, sigma)
        peaks = [claimed.max(), density.max(initial=0.0)]
        line = {"color": hue("ink", mode), "width": 1.6}
        if expected is not None and expected[1] > 0 and _differs(expected, d_k):
            own = _bell(grid, expected[0] / scale, math.sqrt(expected[1]) / scale)
            peaks.append(own.max())
            traces.append(_curve(grid, own, line, labels["expected"], axes, row == 0))
        traces.append(_curve(grid, claimed, line | {"dash": DASHED}, labels["claim"], axes, row == 0))
        ranges.append((low, high))
        tops.append(1.08 * max(peaks))
    base = _layout(mode, height, ranges[0], (0.0, tops[0]), labels["density"])
    x = base["xaxis"] | {"nticks": 9, "showline": True, "ticks": "outside", "ticklen": 4}
    y = base["yaxis"] | {"nticks": 4}
    return go.Figure(
        traces,
        base
        | {
            "bargap": 0,
            "barmode": "overlay",
            "xaxis": x | {"title": _title(labels["dots"], 14)},
            "xaxis2": x | {"title": _title(labels["scaled"], 14), "range": list(ranges[1]), "anchor": "y2"},
            "yaxis": y | {"domain": [0.58, 1.0]},
            "yaxis2": y | {"domain": [0.0, 0.42], "range": [0.0, tops[1]], "anchor": "x2"},
            "margin": {"l": 8, "r": 8, "t": 34, "b": 8},
        },
    )


def against_d_k(curves: Curves, *, chosen: int, labels: Labels, mode: Mode, height: int = 460) -> go.Figure:
    """Variance, |mean| and variance ÷ theory over d_k, all on one log axis; `chosen` (an index) is marked in each.

    `labels` names d_k, variance, mean, ratio, dots, scaled, measured, theory, claim and noise.
    """
    stops, ink, quiet = curves.stops, hue("ink", mode), hue("quiet", mode)
    top, middle, low = ({"xaxis": f"x{row}", "yaxis": f"y{row}"} for row in ("", 2, 3))
    theory, dashed = {"color": ink, "width": 1.4}, {"color": quiet, "width": 1.4, "dash": DASHED}
    traces: list[Trace] = []
    notes: list[dict[str, object]] = []

    # The variance, before and after scaling: theory with its band, and what the derivation claims.
    for name, by, symbol in (("dots", stops**0, "circle"), ("scaled", stops, "circle-open")):
        variance, exact = curves.variance / by, curves.expected_variance / by
        width = SURE * curves.variance_error / by
        first = name == "dots"
        traces += [
            *_band(stops, exact - width, exact + width, mode, top),
            _curve(stops, stops / by, dashed, labels["claim"], top, first),
            _curve(stops, _positive(exact), theory, labels["theory"], top, first),
            _points(stops, _positive(variance), chosen, labels["measured"], mode, top, symbol=symbol, shown=first),
        ]
        place = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 4}
        place |= {"y": math.log10(exact[-1]) if exact[-1] > 0 else 0.0}
        notes.append({"text": escaped(labels[name]), "showarrow": False, **place})

    # |mean|: below the edge of the band nobody could tell it from 0 with this many samples.
    noise = np.maximum(SURE * curves.mean_error, LEAST)
    size = np.maximum(np.abs(curves.mean), LEAST)
    traces += _band(stops, np.full_like(noise, LEAST / 10), noise, mode, middle)
    traces.append(_curve(stops, _positive(np.abs(curves.expected_mean)), theory, labels["theory"], middle))
    traces.append(_points(stops, size, chosen, labels["measured"], mode, middle, values=curves.mean))

    # Measured over theory: the only panel on which a band of one per cent can be seen.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(curves.expected_variance > 0, curves.variance / curves.expected_variance, np.nan)
        width = SURE * curves.variance_error / curves.expected_variance
    traces += _band(stops, 1 - width, 1 + width, mode, low)
    traces.append(_curve(stops, stops**0, theory, labels["theory"], low))
    traces.append(_points(stops, ratio, chosen, labels["measured"], mode, low))

    ends = (math.log10(stops[0]) - 0.08, math.log10(stops[-1]) + 0.08)
    tall = _decades([curves.variance, curves.variance / stops, curves.expected_variance, stops, np.ones(1)])
    wide = _decades([noise, size, np.abs(curves.expected_mean)])
    base = _layout(mode, height, ends, tall, labels["variance"])
    x = base["xaxis"] | {"type": "log", "tickvals": stops[::2], "ticks": "outside", "ticklen": 4, "showline": True}
    y, hidden = base["yaxis"], {"showticklabels": False}
    notes.append(
        {"text": escaped(labels["noise"]), "showarrow": False, "xref": "x", "x": ends[1], "xanchor": "right"}
        | {"xshift": -10, "yref": "y2", "y": wide[0], "yanchor": "bottom", "font": {"size": 12, "color": quiet}}
    )
    return go.Figure(
        traces,
        base
        | {
            "xaxis": x | hidden,
            "xaxis2": x | hidden | {"anchor": "y2", "matches": "x"},
            "xaxis3": x | {"anchor": "y3", "matches": "x", "title": _title(labels["d_k"])},
            "yaxis": y | _powers(tall) | {"domain": [0.56, 1.0]},
            "yaxis2": y | _powers(wide) | {"domain": [0.28, 0.50], "anchor": "x2", "title": _title(labels["mean"])},
            "yaxis3": y
            | _around_one(ratio, width)
            | {"domain": [0.0, 0.22], "anchor": "x3", "title": _title(labels["ratio"])},
            "margin": {"l": 8, "r": 70, "t": 34, "b": 8},
            "annotations": notes,
            "shapes": [
                {
                    "type": "line",
                    "xref": "x",
                    "yref": "paper",
                    "x0": stops[chosen],
                    "x1": stops[chosen],
                    "y0": 0,
                    "y1": 1,
                }
                | {"layer": "below", "line": {"color": hue("focus", mode), "width": 1.5}}
            ],
        },
    )


def spreads_by_layer(
    values: Sequence[Float[np.ndarray, " _"]],
    *,
    names: Sequence[str],
    chosen: tuple[int, int],
    label: str,
    mode: Mode,
) -> go.Figure:
    """One point per head on a log axis, a dashed line at the claim, 1. Heads that do not vary are left out."""
    shown = [_positive(np.asarray(row, dtype=np.float64)) for row in values]
    figure = heads_by_layer(shown, names=names, chosen=chosen, label=label, mode=mode)
    ends = _decades([*shown, np.ones(1)])
    figure.update_yaxes(type="log", range=ends, tickvals=TICKS, ticktext=[f"{value:g}" for value in TICKS])
    figure.add_hline(y=1, line={"color": hue("ink", mode), "width": 1.4, "dash": DASHED}, layer="below")
    return figure


def parts_of_variance(
    values: Float[np.ndarray, " parts"], *, names: Sequence[str], claim: float, label: str, mode: Mode
) -> go.Figure:
    """Horizontal bars: the parts of a variance, the last bar being their sum; a dashed line at `claim`."""
    count = len(values)
    bars = {
        "type": "bar",
        "x": values.astype(np.float32),
        "y": np.arange(count),
        "orientation": "h",
        "width": 0.6,
        "marker": {
            "color": [hue("quiet", mode)] * (count - 1) + [hue("focus", mode)],
            "opacity": [0.6] * (count - 1) + [1.0],
        },
        "customdata": [escaped(name) for name in names],
        "hovertemplate": "%{customdata}: %{x:.4g}<extra></extra>",
    }
    finite = [*values[np.isfinite(values)].tolist(), claim]
    base = _layout(mode, 190, span(min(finite), max(finite)), (count - 0.4, -0.6), "")
    ticks = {"tickvals": list(range(count)), "ticktext": bars["customdata"], "showgrid": False}
    ticks |= {"tickfont": {"color": hue("ink", mode), "size": 13}}
    dashed = {"color": hue("ink", mode), "width": 1.5, "dash": DASHED}
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": claim, "x1": claim, "y0": 0, "y1": 1, "line": dashed}
    return go.Figure(
        [bars],
        base
        | {
            "xaxis": base["xaxis"] | {"showgrid": True, "nticks": 7, "title": _title(label)},
            "yaxis": base["yaxis"] | ticks,
            "showlegend": False,
            "shapes": [line],
        },
    )


def _layout(mode: Mode, height: int, x: tuple[float, float], y: tuple[float, float], y_title: str) -> dict:
    """The layout all figures share, with a legend, as a dictionary to go on from."""
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "itemwidth": 30}
    legend |= {"font": {"size": 12, "color": hue("quiet", mode)}, "bgcolor": "rgba(0,0,0,0)"}
    legend |= {"itemclick": False, "itemdoubleclick": False}
    return layout(mode, height=height, x=x, y=y, y_title=y_title) | {"showlegend": True, "legend": legend}


def _title(text: str, size: int = 13) -> dict:
    return title(text, size) | {"standoff": 6}


def _bell(x: np.ndarray, mean: float, sigma: float) -> np.ndarray:
    return np.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def _differs(expected: tuple[float, float], d_k: int) -> bool:
    return not (math.isclose(expected[0], 0, abs_tol=1e-9) and math.isclose(expected[1], d_k))


def _ends(samples: np.ndarray, sigma: float) -> tuple[float, float]:
    """An axis that holds the claimed bell and nearly all samples."""
    low, high = -WIDTH * sigma, WIDTH * sigma
    if samples.size:
        first, last = np.quantile(samples, (TAIL, 1 - TAIL))
        air = 0.1 * (last - first)
        low, high = min(low, float(first - air)), max(high, float(last + air))
    return low, high


def _edges(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """Even bins; for samples on a lattice (Rademacher) whole steps of it, so that no bin is empty by chance."""
    bins = min(BINS, max(8, round(2.8 * len(samples) ** (1 / 3))))
    width = (high - low) / bins
    places = np.unique(np.round(samples[:4000] / width, 3)) * width
    if 1 < len(places) < 600:
        step = float(np.min(np.diff(places)))
        steps = (places - places[0]) / step
        if np.abs(steps - np.rint(steps)).max() < 0.05 and width / 8 < step < 6 * width:
            wide = step * max(1, round(width / step))
            start = places[0] - wide / 2 - wide * math.ceil((places[0] - wide / 2 - low) / wide)
            return np.arange(start, high + wide, wide)
    return np.linspace(low, high, bins + 1)


def _curve(x: np.ndarray, y: np.ndarray, line: dict, name: str, axes: dict[str, str], shown: bool = False) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "line": line,
        "name": escaped(name),
        "showlegend": shown,
        "hoverinfo": "skip",
        **axes,
    }


def _points(
    x: np.ndarray,
    y: np.ndarray,
    chosen: int,
    name: str,
    mode: Mode,
    axes: dict[str, str],
    *,
    symbol: str = "circle",
    values: np.ndarray | None = None,
    shown: bool = False,
) -> Trace:
    """Measured numbers; the chosen one in the colour of the histogram. `values` are said on hover instead of y."""
    here = np.arange(len(x)) == chosen
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {
            "symbol": symbol,
            "size": np.where(here, 11, 6),
            "color": np.where(here, hue("focus", mode), hue("ink", mode)),
            "line": {"width": 1.6 if symbol.endswith("open") else 0},
        },
        "customdata": y if values is None else values,
        "name": escaped(name),
        "showlegend": shown,
        "hovertemplate": "d_k = %{x}: %{customdata:.4g}<extra></extra>",
        **axes,
    }


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, mode: Mode, axes: dict[str, str]) -> list[Trace]:
    shade = hue("quiet", mode)
    red, green, blue = (int(shade[i : i + 2], 16) for i in (1, 3, 5))
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, **axes}
    fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.25)"}
    return [edge | {"x": x, "y": _positive(low)}, edge | fill | {"x": x, "y": _positive(high)}]


def _positive(values: np.ndarray) -> np.ndarray:
    """What a log axis can show: the rest is left out."""
    return np.where(values > 0, values, np.nan)


def _decades(values: list[np.ndarray]) -> tuple[float, float]:
    shown = np.concatenate([np.asarray(each, dtype=np.float64) for each in values])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    return math.log10(shown.min()) - 0.25, math.log10(shown.max()) + 0.25


def _powers(ends: tuple[float, float]) -> dict:
    """A log axis with four or five powers of ten: 0.01 … 1000 as they are, others with a superscript."""
    powers = range(math.ceil(ends[0]), math.floor(ends[1]) + 1, max(1, math.ceil((ends[1] - ends[0]) / 4)))
    names = [f"{10.0**power:g}" if -3 < power < 4 else f"10{str(power).translate(SUPERSCRIPTS)}" for power in powers]
    return {"type": "log", "range": list(ends), "tickvals": [10.0**power for power in powers], "ticktext": names}


def _around_one(ratio: np.ndarray, width: np.ndarray) -> dict:
    """An axis about 1 that holds every point and the band, with three round ticks."""
    far = np.concatenate([np.abs(ratio - 1), width])
    reach = float(far[np.isfinite(far)].max(initial=0.01))
    power = 10.0 ** math.floor(math.log10(reach))
    step = max(power * lead for lead in (1, 2, 5) if power * lead <= reach)
    ticks = [1 - step, 1.0, 1 + step]
    return {
        "range": [1 - 1.25 * reach, 1 + 1.25 * reach],
        "tickvals": ticks,
        "ticktext": [f"{tick:.6g}" for tick in ticks],
    }
