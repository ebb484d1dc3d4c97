"""Mean and variance of q·k: histograms against the bell that is claimed, and both against d_k."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ui.figures.heads import heads_by_layer
from ui.figures.theme import escaped, span, styled
from ui.palette import Mode, hue

BINS = 96  # at most; fewer for few samples
WIDTH = 4.5  # standard deviations of the claimed bell on either side
TAIL = 0.001  # of the samples on either side may lie beyond the axis
SURE = 1.96  # standard errors: 95 % of a normal
LEAST = 1e-4  # |mean| below this is drawn at the edge of a log axis, which has no zero
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Labels = Mapping[str, str]


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
    figure = go.Figure()
    finite = dots[np.isfinite(dots)].astype(np.float64)
    ranges, tops = [], []
    for row, scale in enumerate((1.0, math.sqrt(d_k))):
        axes = {"xaxis": f"x{row + 1}", "yaxis": f"y{row + 1}"}
        sigma = math.sqrt(d_k) / scale
        low, high = _ends(finite / scale, sigma)
        density, edges = np.histogram(finite / scale, _edges(finite / scale, low, high))
        density = density / np.maximum(np.diff(edges) * max(len(finite), 1), 1e-300)
        figure.add_bar(
            x=((edges[:-1] + edges[1:]) / 2).astype(np.float32),
            y=density.astype(np.float32),
            width=np.diff(edges).astype(np.float32),
            marker={"color": hue("focus", mode), "opacity": 0.75, "line": {"width": 0}},
            name=escaped(labels["measured"]),
            showlegend=row == 0,
            legendgroup="measured",
            hovertemplate="%{x:.4g}: %{y:.4g}<extra></extra>",
            **axes,
        )
        grid = np.linspace(low, high, 361)
        claimed = _bell(grid, 0.0, sigma)
        peaks = [claimed.max(), density.max(initial=0.0)]
        if expected is not None and expected[1] > 0 and _differs(expected, d_k):
            own = _bell(grid, expected[0] / scale, math.sqrt(expected[1]) / scale)
            peaks.append(own.max())
            line = {"color": hue("ink", mode), "width": 1.6}
            _line(figure, grid, own, line, labels["expected"], row, axes)
        dashed = {"color": hue("ink", mode), "width": 1.6, "dash": "4px,3px"}
        _line(figure, grid, claimed, dashed, labels["claim"], row, axes)
        ranges.append((low, high))
        tops.append(1.08 * max(peaks))
    styled(figure, mode, height=height, x=ranges[0], y=(0.0, tops[0]), y_title=labels["density"])
    _second_row(figure, ranges[1], (0.0, tops[1]))
    figure.update_xaxes(nticks=9, showline=True, ticks="outside", ticklen=4, zeroline=False)
    figure.update_yaxes(nticks=4, title={"text": escaped(labels["density"]), "font": {"size": 13}, "standoff": 6})
    for axis, name in (("xaxis", "dots"), ("xaxis2", "scaled")):
        figure.layout[axis].title = {"text": escaped(labels[name]), "font": {"size": 14}, "standoff": 4}
    figure.update_layout(
        bargap=0,
        barmode="overlay",
        yaxis={"domain": [0.58, 1.0], "anchor": "x"},
        yaxis2={"domain": [0.0, 0.42], "anchor": "x2"},
        showlegend=True,
        legend=_legend(mode),
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
    )
    return figure


def against_d_k(curves: Curves, *, chosen: int, labels: Labels, mode: Mode, height: int = 460) -> go.Figure:
    """Variance, |mean| and variance ÷ theory over d_k, all on one log axis; `chosen` (an index) is marked in each.

    `labels` names d_k, variance, mean, ratio, dots, scaled, measured, theory, claim and noise.
    """
    stops, ink, quiet = curves.stops, hue("ink", mode), hue("quiet", mode)
    figure = go.Figure()
    theory = {"color": ink, "width": 1.4}
    dashed = {"color": quiet, "width": 1.4, "dash": "4px,3px"}
    top, middle, low = ({"xaxis": f"x{row}", "yaxis": f"y{row}"} for row in (1, 2, 3))

    # The variance, before and after scaling: bands of ±1.96 standard errors, theory, what the derivation claims.
    for name, by, symbol in (("dots", stops**0, "circle"), ("scaled", stops, "circle-open")):
        variance, exact = curves.variance / by, curves.expected_variance / by
        width = SURE * curves.variance_error / by
        first = name == "dots"
        _band(figure, stops, exact - width, exact + width, mode, top)
        _curve(figure, stops, stops / by, dashed, labels["claim"], top, shown=first)
        _curve(figure, stops, _positive(exact), theory, labels["theory"], top, shown=first)
        _points(figure, stops, _positive(variance), chosen, labels["measured"], symbol, mode, top, shown=first)
        height_there = math.log10(exact[-1]) if exact[-1] > 0 else 0.0
        figure.add_annotation(
            text=escaped(labels[name]), showarrow=False, xref="paper", x=1, xanchor="left", xshift=4, y=height_there
        )

    # |mean|: below the shaded edge nobody could tell it from 0 with this many samples.
    noise = np.maximum(SURE * curves.mean_error, LEAST)
    _band(figure, stops, np.full_like(noise, LEAST / 10), noise, mode, middle)
    if np.any(curves.expected_mean != 0):
        _curve(figure, stops, _positive(np.abs(curves.expected_mean)), theory, labels["theory"], middle)
    size = np.maximum(np.abs(curves.mean), LEAST)
    _points(figure, stops, size, chosen, labels["measured"], "circle", mode, middle, values=curves.mean)

    # Measured over theory: the only panel on which a band of one per cent can be seen.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(curves.expected_variance > 0, curves.variance / curves.expected_variance, np.nan)
        width = SURE * curves.variance_error / curves.expected_variance
    _band(figure, stops, 1 - width, 1 + width, mode, low)
    _curve(figure, stops, stops**0, theory, labels["theory"], low)
    _points(figure, stops, ratio, chosen, labels["measured"], "circle", mode, low)

    ends = (math.log10(stops[0]) - 0.08, math.log10(stops[-1]) + 0.08)
    values = [curves.variance, curves.variance / stops, curves.expected_variance, stops, np.ones(1)]
    tall, wide = _decades(values), _decades([noise, size, np.abs(curves.expected_mean)])
    styled(figure, mode, height=height, x=ends, y=tall, y_title=labels["variance"])
    _more_rows(figure, wide, _around_one(ratio, width), labels)
    figure.update_xaxes(type="log", showgrid=False, ticks="outside", ticklen=4, showline=True)
    figure.update_layout(showlegend=True, legend=_legend(mode), margin={"l": 8, "r": 70, "t": 34, "b": 8})
    for axis, reach in (("yaxis", tall), ("yaxis2", wide)):
        powers = range(math.ceil(reach[0]), math.floor(reach[1]) + 1, max(1, math.ceil((reach[1] - reach[0]) / 4)))
        figure.layout[axis].update(
            type="log", tickvals=[10.0**power for power in powers], ticktext=[_power(power) for power in powers]
        )
    figure.add_annotation(
        text=escaped(labels["noise"]), showarrow=False, xref="x", x=ends[1], xanchor="right", xshift=-10,
        yref="y2", y=wide[0], yanchor="bottom", font={"size": 12, "color": quiet},
    )  # fmt: skip
    figure.add_shape(
        type="line", xref="x", yref="paper", x0=stops[chosen], x1=stops[chosen], y0=0, y1=1, layer="below",
        line={"color": hue("focus", mode), "width": 1.5},
    )  # fmt: skip
    return figure


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
    ticks = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)
    figure.update_yaxes(type="log", range=ends, tickvals=ticks, ticktext=[f"{value:g}" for value in ticks])
    figure.add_hline(y=1, line={"color": hue("ink", mode), "width": 1.4, "dash": "4px,3px"}, layer="below")
    return figure


def parts_of_variance(
    values: Float[np.ndarray, " parts"], *, names: list[str], claim: float, label: str, mode: Mode
) -> go.Figure:
    """Horizontal bars: the parts of a variance, the last bar being their sum; a dashed line at `claim`."""
    count = len(values)
    figure = go.Figure(
        go.Bar(
            x=values.astype(np.float32),
            y=np.arange(count),
            orientation="h",
            width=0.6,
            marker={
                "color": [hue("quiet", mode)] * (count - 1) + [hue("focus", mode)],
                "opacity": [0.6] * (count - 1) + [1.0],
            },
            customdata=[escaped(name) for name in names],
            hovertemplate="%{customdata}: %{x:.4g}<extra></extra>",
        )
    )
    finite = [*values[np.isfinite(values)].tolist(), claim]
    styled(figure, mode, height=190, x=span(min(finite), max(finite)), y=(count - 0.4, -0.6), y_title="")
    figure.update_yaxes(
        tickvals=list(range(count)), ticktext=[escaped(name) for name in names], showgrid=False,
        tickfont={"color": hue("ink", mode), "size": 13},
    )  # fmt: skip
    figure.update_xaxes(showgrid=True, nticks=7, title={"text": escaped(label), "font": {"size": 13}, "standoff": 4})
    figure.add_vline(x=claim, line={"color": hue("ink", mode), "width": 1.5, "dash": "4px,3px"})
    return figure


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


def _line(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, line: dict, name: str, row: int, axes: dict[str, str]
) -> None:
    figure.add_scatter(
        x=x.astype(np.float32), y=y.astype(np.float32), mode="lines", line=line, name=escaped(name),
        legendgroup=escaped(name), showlegend=row == 0, hoverinfo="skip", **axes,
    )  # fmt: skip


def _curve(
    figure: go.Figure, x: np.ndarray, y: np.ndarray, line: dict, name: str, axes: dict[str, str], shown: bool = False
) -> None:
    figure.add_scatter(
        x=x, y=y, mode="lines", line=line, name=escaped(name), showlegend=shown, hoverinfo="skip", **axes
    )


def _points(
    figure: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    chosen: int,
    name: str,
    symbol: str,
    mode: Mode,
    axes: dict[str, str],
    values: np.ndarray | None = None,
    shown: bool = False,
) -> None:
    """Measured numbers; the chosen one in the colour of the histogram. `values` are said on hover instead of y."""
    here = np.arange(len(x)) == chosen
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        marker={
            "symbol": symbol,
            "size": np.where(here, 11, 6),
            "color": np.where(here, hue("focus", mode), hue("ink", mode)),
            "line": {"width": 1.6 if symbol.endswith("open") else 0},
        },
        customdata=y if values is None else values,
        name=escaped(name),
        showlegend=shown,
        hovertemplate="d_k = %{x}: %{customdata:.4g}<extra></extra>",
        **axes,
    )


def _band(
    figure: go.Figure,
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    mode: Mode,
    axes: dict[str, str],
) -> None:
    edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False, **axes}
    shade = hue("quiet", mode)
    red, green, blue = (int(shade[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(x=x, y=_positive(low), **edge)
    figure.add_scatter(
        x=x, y=_positive(high), fill="tonexty", fillcolor=f"rgba({red},{green},{blue},0.25)", **edge
    )  # fmt: skip


def _positive(values: np.ndarray) -> np.ndarray:
    """What a log axis can show: the rest is left out."""
    return np.where(values > 0, values, np.nan)


def _decades(values: list[np.ndarray]) -> tuple[float, float]:
    shown = np.concatenate([np.asarray(each, dtype=np.float64) for each in values])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    return math.log10(shown.min()) - 0.25, math.log10(shown.max()) + 0.25


def _power(power: int) -> str:
    """0.01 … 1000 as they are; other powers of ten with a superscript."""
    return f"{10.0**power:g}" if -3 < power < 4 else f"10{str(power).translate(SUPERSCRIPTS)}"


def _around_one(ratio: np.ndarray, width: np.ndarray) -> tuple[float, float]:
    far = np.concatenate([np.abs(ratio - 1), width])
    reach = float(far[np.isfinite(far)].max(initial=0.01))
    return 1 - 1.25 * reach, 1 + 1.25 * reach


def _legend(mode: Mode) -> dict:
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.0,
        "yanchor": "bottom",
        "yref": "paper",
        "font": {"size": 12, "color": hue("quiet", mode)},
        "itemwidth": 30,
        "bgcolor": "rgba(0,0,0,0)",
        "itemclick": False,
        "itemdoubleclick": False,
    }


def _second_row(figure: go.Figure, x: tuple[float, float], y: tuple[float, float]) -> None:
    layout = figure.to_dict()["layout"]
    first_x, first_y = layout["xaxis"], layout["yaxis"]
    figure.update_layout(xaxis2=first_x | {"range": list(x), "anchor": "y2"}, yaxis2=first_y | {"range": list(y)})


def _more_rows(figure: go.Figure, mean: tuple[float, float], ratio: tuple[float, float], labels: Labels) -> None:
    layout = figure.to_dict()["layout"]
    x, y = layout["xaxis"], layout["yaxis"]
    ticks = {"tickvals": [1, 4, 16, 64, 256, 1024]}
    figure.update_layout(
        xaxis=ticks | {"anchor": "y", "showticklabels": False},
        xaxis2=x | ticks | {"anchor": "y2", "matches": "x", "showticklabels": False},
        xaxis3=x | ticks | {"anchor": "y3", "matches": "x"},
        yaxis={"domain": [0.56, 1.0], "anchor": "x"},
        yaxis2=y | {"range": list(mean), "domain": [0.28, 0.50], "anchor": "x2"},
        yaxis3=y | {"range": list(ratio), "domain": [0.0, 0.22], "anchor": "x3", "nticks": 4, "tickformat": ".3~f"},
    )
    for axis, name in (("yaxis2", "mean"), ("yaxis3", "ratio"), ("xaxis3", "d_k")):
        figure.layout[axis].title = {"text": escaped(labels[name]), "font": {"size": 13}, "standoff": 6}
