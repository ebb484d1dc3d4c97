"""What the Remedies page computes besides the core's sweeps: the remedies as set by hand, residuals, codes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8

from attention_core.remedies import REMEDIES, Remedy, qk_norm, remedied, softcap, ssmax, temperature
from attention_core.remedy_curves import COLUMNS, FREE, Axis, Comparison, Head, Place, spectra_of
from attention_core.saturation import D_K_STOPS, INPUT_SCALES

KEYS = tuple(REMEDIES)
BASELINE = "inverse_sqrt"
AXES: tuple[Axis, ...] = ("d_k", "alpha", "n")
CODES = 254  # levels of a weight in a thumbnail, by its root; 255 is no weight at all
Sweeps = Mapping[Axis, Comparison]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """The number a remedy learns, here set by hand: its letter, its stops, and where it starts."""

    letter: str
    stops: tuple[float, ...]
    start: float


# QK-norm's 0 stands for g₀ of the number of keys.
PARAMETERS = {
    "temperature": Parameter(letter="T", stops=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0), start=1.0),
    "qk_norm": Parameter(letter="g", stops=(0.0, 1.0, 2.0, 5.0, 10.0, 20.0), start=0.0),
    "softcap": Parameter(letter="c", stops=(5.0, 10.0, 20.0, 30.0, 50.0, 100.0), start=50.0),
    "ssmax": Parameter(letter="s", stops=(0.1, 0.25, 0.43, 1.0, 2.0), start=0.43),
}
Learned = Mapping[str, float]
START: Learned = {key: parameter.start for key, parameter in PARAMETERS.items()}


def remedies(learned: Learned = START) -> dict[str, Remedy]:
    """The table of the core, its learned numbers as the reader has set them."""
    return REMEDIES | {
        "temperature": temperature(learned["temperature"]),
        "qk_norm": qk_norm(learned["qk_norm"] or None),
        "softcap": softcap(learned["softcap"]),
        "ssmax": ssmax(learned["ssmax"]),
    }


def coded(weights: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """A byte a weight, by its root, so that small ones keep their shade; 255 stands for NaN."""
    roots = np.sqrt(np.clip(np.nan_to_num(weights), 0, 1)) * CODES
    return np.where(np.isnan(weights), CODES + 1, np.rint(roots)).astype(np.uint8)


def row_sum_residual(weights: Float[np.ndarray, "remedy n n"], table: Mapping[str, Remedy]) -> float:
    """max |Σ_j w_ij − 1| over the remedies whose rows sum to 1."""
    normalised = [index for index, remedy in enumerate(table.values()) if remedy.normalizer not in FREE]
    present = ~np.isnan(weights[0, :, 0])
    sums = weights[normalised][:, present][:, :, present].sum(axis=-1, dtype=np.float64)
    return float(np.abs(sums - 1).max())


def autograd_residual(
    head: Head, columns: Float[np.ndarray, "remedy column"], table: Mapping[str, Remedy], place: Place
) -> float:
    """How far ‖∂L/∂scores‖ in `columns`, of the closed forms, lies from autograd through `remedied`, at most.

    All remedies at this place, against the same loss. Autograd runs in float64.
    """
    ours = 10.0 ** columns[:, COLUMNS.index("log_d_scores")].astype(np.float64)
    theirs = [_d_scores(head, remedy, place) for remedy in table.values()]
    return float(np.abs(ours - theirs).max())


def _d_scores(head: Head, remedy: Remedy, place: Place) -> float:
    """‖∂L/∂scores‖ of one remedy by autograd."""
    d_k, alpha, n = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha], place.n
    q, k = (alpha * vectors[:n, :d_k] for vectors in (head.q, head.k))
    spectra = spectra_of(head, d_k) if remedy.needs_spectra else None
    trace = remedied(remedy, q.clone().requires_grad_(), k, head.v[:n], d_model=head.d_model, spectra=spectra)
    d_scores = torch.autograd.grad(trace.weights, trace.scaled_scores, head.d_weights[:n, :n])[0]
    return float(torch.linalg.vector_norm(d_scores))


def sdpa_residual(head: Head, weights: Float[np.ndarray, "n n"], place: Place) -> float:
    """max |context − torch's own attention| under 1/√d_k."""
    d_k, alpha, n = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha], place.n
    q, k, v = (vectors[None, :n] for vectors in (alpha * head.q[:, :d_k], alpha * head.k[:, :d_k], head.v))
    theirs = F.scaled_dot_product_attention(q, k, v)[0]
    ours = torch.from_numpy(weights[:n, :n].astype(np.float64)) @ head.v[:n]
    return float((ours - theirs).abs().max())


def arrays(
    tokens: Sequence[str], weights: Float[np.ndarray, "remedy n n"], sweeps: Sweeps, n: int
) -> dict[str, np.ndarray]:
    """The weights at the sliders' position, and the table along every slider, to take away."""
    return {
        "tokens": np.array(tokens),
        "remedies": np.array(KEYS),
        "columns": np.array(COLUMNS),
        "weights": weights[:, :n, :n],
        **{f"table_{along}": swept.table for along, swept in sweeps.items()},
    }
