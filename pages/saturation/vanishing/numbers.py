"""What the Vanishing page makes of the core's tables of saturation: quantiles, histograms, a critical line. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Float

from attention_core import SCALINGS, attend, by, gradients
from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES, SWEPT_RULES, Probe, Table, sweep

GAINS = (-12.0, 0.0)  # powers of ten on the axis of gains; what lies below is counted at its left end
BINS = 36
QUANTILES = {"median": 0.5, "low": 0.1, "high": 0.9}  # of a measure over all heads of all seeds
SUMMARY = tuple(f"{measure}.{quantile}" for measure in MEASURE_NAMES for quantile in QUANTILES)  # columns of `summary`
LOUDER = tuple(f"{along}.{name}" for along in ("d_k", "alpha") for name in ("before", "at", "lived", "alive"))
Summary = Float[np.ndarray, "rule d_k alpha columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices, and what is looked at."""

    rule: int
    d_k: int
    alpha: int
    head: int
    query: int


def summary(tables: Sequence[Table]) -> Summary:
    """QUANTILES of every measure over all heads of all seeds, one measure after the other: SUMMARY.

    The spread of the scores covers four decades, so it is drawn as its log₁₀ too.
    """
    together = torch.cat([table.measures for table in tables], dim=-1)
    together[..., MEASURE_NAMES.index("score_std"), :] = together[..., MEASURE_NAMES.index("score_std"), :].log10()
    ordered = np.sort(together.numpy(), axis=-1)  # torch takes thirty times as long
    last = ordered.shape[-1] - 1
    quantiles = ordered[..., [round(last * share) for share in QUANTILES.values()]]
    return quantiles.reshape(*quantiles.shape[:3], -1)


def quantiles_of(measure: str, summarised: Summary) -> Float[np.ndarray, "rule d_k alpha quantile"]:
    """The columns of one measure."""
    return summarised[..., [SUMMARY.index(f"{measure}.{quantile}") for quantile in QUANTILES]]


def living(own: Table, head: int) -> Float[np.ndarray, "rule d_k alpha"]:
    """How many rows of this head are not dead."""
    rows = own.log_gains.shape[-1]
    return rows - (own.measures[..., MEASURE_NAMES.index("dead"), head] * rows).round().numpy()


def louder(own: Table, head: int) -> Float[np.ndarray, "rule d_k alpha columns"]:
    r"""LOUDER: where $\|\partial L/\partial W_Q\|$ of this head is larger than it was while more rows lived.

    It is compared with the last stop before this one at which most rows lived: of d_k at the same α, and where that one
    says nothing, of α at the same d_k. Of each: log₁₀ of the norm there, where that is, how many rows lived there, and
    how many live here; NaN where fewer rows do not go with a larger norm.
    """
    alive, norms = living(own, head), own.measures[..., MEASURE_NAMES.index("log_d_W_Q"), head].numpy()
    by_d_k, by_alpha = (
        _since_most_lived(alive, norms, axis, stops) for axis, stops in ((1, D_K_STOPS), (2, INPUT_SCALES))
    )
    by_alpha[~np.isnan(by_d_k[..., 0])] = np.nan
    return np.concatenate([by_d_k, by_alpha], axis=-1)


def _since_most_lived(
    alive: Float[np.ndarray, "rule d_k alpha"],
    norms: Float[np.ndarray, "rule d_k alpha"],
    axis: int,
    stops: Sequence[float],
) -> Float[np.ndarray, "rule d_k alpha 4"]:
    """Along one slider: the norm, the stop and the living rows where most lived before, and the living rows here."""
    places = np.expand_dims(np.arange(len(stops)), [other for other in range(3) if other != axis])
    most = np.maximum.accumulate(alive, axis=axis)
    last = np.maximum.accumulate(np.where(alive == most, places, 0), axis=axis)
    before, lived = (np.take_along_axis(values, last, axis=axis) for values in (norms, alive))
    columns = np.stack([before, np.asarray(stops)[last], lived, alive], axis=-1).astype(np.float32)
    columns[~((alive < lived) & (norms > before))] = np.nan
    return columns


def histogram(log_gains: Float[np.ndarray, "rule d_k alpha rows"]) -> Float[np.ndarray, "rule d_k alpha bins"]:
    """The share of rows per bin of GAINS; lower gains, 0 included, count in the first bin. NaN where none are known."""
    low, high = GAINS
    bins = np.clip((np.nan_to_num(log_gains, neginf=low) - low) / (high - low) * BINS, 0, BINS - 1).astype(int)
    place = np.arange(bins[..., 0].size)[:, None] * BINS + bins.reshape(-1, bins.shape[-1])
    counts = np.bincount(place.ravel(), minlength=bins[..., 0].size * BINS)
    shares = (counts.reshape(*bins.shape[:3], BINS) / bins.shape[-1]).astype(np.float32)
    return np.where(np.isnan(log_gains[..., :1]), np.float32(math.nan), shares)


def critical(own: Table, rule: int) -> Float[np.ndarray, " d_k"]:
    r"""Per d_k the stop of α at which the spread of the scores reaches $\sqrt{2\ln n}$; NaN off the map."""
    wanted = math.sqrt(2 * math.log(own.log_gains.shape[-1]))
    spread = own.measures[rule, :, :, MEASURE_NAMES.index("score_std")].mean(dim=-1)
    places = np.full(len(D_K_STOPS), np.nan, dtype=np.float32)
    for row, values in enumerate(spread.tolist()):
        above = next((index for index, value in enumerate(values) if value >= wanted), None)
        if above:  # at stop 0 the line lies left of the map
            low, high = math.log(values[above - 1]), math.log(values[above])
            places[row] = above - 1 + (math.log(wanted) - low) / (high - low)
    return places


def autograd_residual(probe: Probe, rule: str, d_k: int, alpha: float) -> float | None:
    """How far ‖dW_Q‖ of the closed form lies from torch's autograd through `attend`, relatively, at most over the
    heads; None where autograd gives 0 for all of them. Both in float64.
    """
    factor = alpha**2 * SCALINGS[rule].factor(d_k)
    doubles = {field.name: getattr(probe, field.name).double() for field in fields(probe) if field.name != "target"}
    exact = replace(probe, **doubles)
    theirs = _by_autograd(exact, d_k, factor)
    ours = sweep(exact, d_k, [factor]).measures.log_d_W_Q[0]
    alive = theirs > torch.finfo(theirs.dtype).tiny
    if not alive.any():
        return None
    return float((10 ** (ours - theirs.log10())[alive] - 1).abs().max())


def _by_autograd(probe: Probe, d_k: int, factor: float) -> Float[torch.Tensor, " h"]:
    """‖dW_Q‖ of every head.

    Autograd is handed ∂L/∂weights less its value at the largest weight. Softmax does not see the difference, and what
    autograd subtracts from 1 without it would be rounding.
    """
    q, k = (vectors[..., :d_k].clone().requires_grad_() for vectors in (probe.q, probe.k))
    trace = attend(q, k, probe.v, scaling=by(factor))
    weights = trace.weights.detach()
    output = torch.einsum("hnk,hkv,hvd->nd", weights, probe.v, probe.W_O)
    d_weights = torch.einsum("nad,hvd,hkv->hnk", probe.d_output(output[:, None]), probe.W_O, probe.v)
    d_weights = d_weights - d_weights.gather(-1, weights.argmax(dim=-1, keepdim=True))
    slopes = gradients((trace.weights * d_weights).sum(), trace)
    return torch.linalg.matrix_norm(probe.x.mT @ slopes.q)


def arrays(own: Table, tokens: Sequence[str]) -> dict[str, np.ndarray]:
    """The table, to take away."""
    return {
        "tokens": np.array(tokens),
        "rules": np.array(SWEPT_RULES),
        "d_k": np.array(D_K_STOPS),
        "input_scale": np.array(INPUT_SCALES),
        "names": np.array(MEASURE_NAMES),
        "measures": own.measures.numpy(),
        "log_gains": own.log_gains.numpy(),
    }
