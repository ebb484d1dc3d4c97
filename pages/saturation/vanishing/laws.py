"""What theory says of saturation, drawn over what was measured. Pure."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from attention_core.measures import entropy
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES, Probe, Table, factors
from attention_core.softmax import entropy_bound, expected_maximum
from pages.saturation.vanishing.numbers import Place
from ui.figures.theme import Figure, layout, title, upright
from ui.palette import Mode, hue
from ui.text import Words

# Axes: every stop of both sliders lies on them, but for rows far deeper than a curve would show.
STDS, TRACES, NORMS = (1e-3, 1e5), (1e-12, 2.0), (1e-4, 1e6)
SHOWN = 2000  # points: enough to see the cloud
Points = tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Law:
    """Points, a curve over or through them, perhaps a vertical line; x is on a logarithmic axis, y where it is `log_y`.

    A point beyond the ends `x` or `y` of an axis, 0 included, is drawn at its edge.
    """

    title: str
    x_title: str
    y_title: str
    points: Points
    curve: Points
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool = False
    line: float | None = None


def theory(probe: Probe, own: Table, place: Place, page: Words) -> tuple[Law, ...]:
    """Three laws over the measurements: the decay of tr J, the peak of ‖J‖, and the least entropy a row can have."""
    n = own.log_gains.shape[-1]
    critical_std = math.sqrt(2 * math.log(n))
    spread, trace, frobenius = (
        own.measures[0, :, :, MEASURE_NAMES.index(name)].flatten().numpy()
        for name in ("score_std", "trace", "frobenius")
    )
    shown = np.random.default_rng(0).permutation(spread.size)[:SHOWN]
    return (
        _trace_law(spread[shown], trace[shown], critical_std, n, page),
        Law(
            title=page["law.frobenius"],
            x_title=page["measure.score_std"],
            y_title="‖J‖",
            points=(spread[shown], frobenius[shown]),
            curve=running_median(spread, frobenius),
            x=STDS,
            y=(0.0, 0.5),
            line=critical_std,
        ),
        _entropy_law(probe, place, n, page),
    )


def _trace_law(spread: np.ndarray, trace: np.ndarray, critical_std: float, n: int, page: Words) -> Law:
    r"""tr J falls as $m_n/\sigma$, the expected largest of n normals over the spread of the scores."""
    sigma = np.geomspace(critical_std, STDS[1], 60)
    return Law(
        title=page["law.trace"],
        x_title=page["measure.score_std"],
        y_title="tr J",
        points=(spread, trace),
        curve=(sigma, expected_maximum(n) / sigma),
        x=STDS,
        y=TRACES,
        log_y=True,
    )


def _entropy_law(probe: Probe, place: Place, n: int, page: Words) -> Law:
    """The rows at the sliders' position over the least entropy that logits of their norm can have."""
    d_k = D_K_STOPS[place.d_k]
    logits = factors(d_k)[place.rule * len(INPUT_SCALES) + place.alpha] * probe.scores(d_k)
    norms = torch.linalg.vector_norm(logits - logits.mean(dim=-1, keepdim=True), dim=-1).flatten().numpy()
    axis = np.geomspace(*NORMS, 240)
    return Law(
        title=page["law.entropy"],
        x_title=page["law.norm"],
        y_title=page["measure.entropy"],
        points=(norms, entropy(logits.softmax(dim=-1)).flatten().numpy()),
        curve=(axis, entropy_bound(torch.from_numpy(axis), n).numpy()),
        x=NORMS,
        y=(0.0, math.log(n) * 1.05),
    )


def running_median(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The median of y in each tenth of a decade of x > 0."""
    x, y = x[x > 0], y[x > 0]
    bins = np.round(np.log10(x) * 10).astype(int)
    values = np.unique(bins)
    return 10 ** (values / 10), np.array([np.median(y[bins == value]) for value in values])


def law_figure(law: Law, mode: Mode) -> Figure:
    """x on a logarithmic axis; what was measured in the colour of K, theory in ink, the line in that of the focus."""
    low, high = (float(np.log10(end)) for end in law.x)
    ends = (float(np.log10(law.y[0])), float(np.log10(law.y[1]))) if law.log_y else law.y
    base = layout(mode, height=300, x=(low, high), y=ends, y_title=law.y_title)
    power = {"exponentformat": "power"}
    line = {"color": hue("focus", mode), "width": 1.5}
    return Figure(
        [_cloud(law, mode), _curve(law, mode)],
        base
        | {
            "xaxis": base["xaxis"] | power | {"type": "log", "dtick": 1, "showgrid": True, "title": title(law.x_title)},
            "yaxis": base["yaxis"] | power | {"type": "log" if law.log_y else "linear"},
            "shapes": [upright(law.line, line)] if law.line is not None else [],
        },
    )


def _cloud(law: Law, mode: Mode) -> dict:
    x, y = (np.clip(values, *ends) for values, ends in zip(law.points, (law.x, law.y), strict=True))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": {"size": 4, "color": hue("k", mode), "opacity": 0.35},
        "customdata": np.stack(law.points, axis=-1),  # of a point at the edge, where it really is
        "hovertemplate": "%{customdata[0]:.4g}, %{customdata[1]:.4g}<extra></extra>",
    }


def _curve(law: Law, mode: Mode) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": law.curve[0],
        "y": law.curve[1],
        "line": {"color": hue("ink", mode), "width": 2},
        "hovertemplate": "%{x:.4g}, %{y:.4g}<extra></extra>",
    }
