"""One head of an untrained layer under every remedy, at every stop of d_k, of the input scale, or of the length.

Everything is float64, and gradients keep their logarithm apart, so that a row may saturate as far as it likes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.multihead import MultiHeadAttention
from attention_core.normalizers import NORMALIZERS
from attention_core.remedies import Remedy, Spectra, reparametrized, spectral_norm
from attention_core.saturation import D_K_STOPS, D_V, DEAD, INPUT_SCALES, LN10, N_HEAD, Probe
from attention_core.slopes import FREE, log_cosh, through
from attention_core.softmax import entropy

Axis = Literal["d_k", "alpha", "n"]
COLUMNS = ("peak", "entropy", "log_gain", "log_d_scores", "dead", "row_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand: d_k and α as indices of their stops, n as a number of tokens."""

    d_k: int
    alpha: int
    n: int

    def at(self) -> dict[str, int]:
        """The indices of the three sliders."""
        return {"d_k": self.d_k, "alpha": self.alpha, "n": self.n - 2}


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One head at α = 1, in float64: its vectors, what it draws them with, and ∂L/∂weights, which no slider moves."""

    q: Float[Tensor, "n d_most"]
    k: Float[Tensor, "n d_most"]
    v: Float[Tensor, "n d_v"]
    W_Q: Float[Tensor, "d_model d_most"]
    W_K: Float[Tensor, "d_model d_most"]
    d_weights: Float[Tensor, "n n"]

    @property
    def d_model(self) -> int:
        return self.W_Q.shape[0]


def head_of(probe: Probe, seed: int, head: int) -> Head:
    """One head of `untrained(x, seed)`."""
    W_Q, W_K = _projections(probe.x.shape[-1], seed)
    q, k, v = (vectors[head].double() for vectors in (probe.q, probe.k, probe.v))
    d_context = probe.direction.double() @ probe.W_O[head].double().mT
    return Head(q, k, v, W_Q[head].double(), W_K[head].double(), d_context @ v.mT)


@lru_cache(maxsize=2)
def _projections(d_model: int, seed: int) -> tuple[Tensor, Tensor]:
    """W_Q and W_K as `untrained` draws them: a probe keeps only what they made."""
    layer = MultiHeadAttention(d_model=d_model, n_head=N_HEAD, d_k=max(D_K_STOPS), d_v=D_V, seed=seed)
    return layer.W_Q.detach(), layer.W_K.detach()


def spectra_of(head: Head, d_k: int) -> Spectra:
    """σ(W_Q) and σ(W_K) of the first d_k columns."""
    sigma = spectral_norm(torch.stack([head.W_Q[:, :d_k], head.W_K[:, :d_k]]))
    return Spectra(q=sigma[0], k=sigma[1])


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Every remedy at every stop of one slider. NaN where a query or a key is not there."""

    weights: Float[np.ndarray, "stop remedy n n"]
    table: Float[np.ndarray, "stop remedy column"]


def compare(head: Head, table: Mapping[str, Remedy], along: Axis, place: Place) -> Comparison:
    """All stops of one slider, the others where `place` has them; the smaller sentences of n are its first tokens."""
    n = len(head.q) if along == "n" else place.n
    lengths = torch.arange(2, n + 1) if along == "n" else torch.tensor([n])
    prepared: dict[object, Tensor] = {}
    answers = []
    for remedy in table.values():
        kind = (remedy.prepare, remedy.needs_spectra)
        if kind not in prepared:
            prepared[kind] = _products(remedy, head, along, place)[:, :n, :n]
        d_ks = D_K_STOPS if along == "d_k" else (D_K_STOPS[place.d_k],)
        factors = [remedy.factor(d_k, head.d_model, length) for d_k in d_ks for length in lengths.tolist()]
        scaled = prepared[kind] * torch.tensor(factors, dtype=torch.float64)[:, None, None]
        answers.append(weights_and_columns(remedy, scaled, head.d_weights[:n, :n], lengths))
    weights = torch.stack([part for part, _ in answers], dim=1)
    missing = len(head.q) - n
    weights = F.pad(weights, (0, missing, 0, missing), value=math.nan)
    columns = torch.stack([part for _, part in answers], dim=1)
    return Comparison(weights.float().numpy(), columns.float().numpy())


def _products(remedy: Remedy, head: Head, along: Axis, place: Place) -> Float[Tensor, "stop n n"]:
    """q·k as the remedy prepares them, before any factor."""
    scales = INPUT_SCALES if along == "alpha" else (INPUT_SCALES[place.alpha],)
    alphas = torch.tensor(scales, dtype=torch.float64)[:, None, None]
    d_ks = D_K_STOPS if along == "d_k" else (D_K_STOPS[place.d_k],)
    return torch.cat([_product(remedy, head, d_k, alphas) for d_k in d_ks])


def _product(remedy: Remedy, head: Head, d_k: int, alphas: Float[Tensor, "a 1 1"]) -> Float[Tensor, "a n n"]:
    q, k = head.q[:, :d_k], head.k[:, :d_k]
    if remedy.needs_spectra:
        spectra = spectra_of(head, d_k)
        q, k = reparametrized(q, spectra.q), reparametrized(k, spectra.k)
    if remedy.prepare is None:
        return alphas.square() * (q @ k.mT)
    return remedy.prepare(alphas * q) @ remedy.prepare(alphas * k).mT


def weights_and_columns(
    remedy: Remedy,
    scaled: Float[Tensor, "#stop n n"],
    d_weights: Float[Tensor, "n n"],
    lengths: Int[Tensor, " #stop"],
) -> tuple[Float[Tensor, "stop n n"], Float[Tensor, "stop column"]]:
    """Weights, and the columns of COLUMNS, of the first `lengths` tokens under one remedy, from its scaled scores.

    The gain of a row is ‖∂s‖/‖∂w‖ for the part of ∂w that tells keys apart (its mean over the row taken off, which
    softmax, sparsemax and entmax do not see anyway), so every remedy is asked to pass on the same thing.
    """
    stops = max(len(scaled), len(lengths))
    scaled, lengths = scaled.expand(stops, -1, -1), lengths.expand(stops)
    present = torch.arange(len(d_weights)) < lengths[:, None]
    permitted = present[:, None, :] & present[:, :, None]
    if remedy.sharpen is not None:
        scaled = scaled * remedy.sharpen(scaled.masked_fill(~present[:, None, :], -math.inf))
    cap = remedy.softcap
    capped = scaled if cap is None else cap * torch.tanh(scaled / cap)
    bent = torch.zeros_like(scaled) if cap is None else -2 * log_cosh(scaled / cap)
    logits = capped.masked_fill(~permitted, -math.inf).masked_fill(~present[:, :, None], 0.0)
    weights = NORMALIZERS[remedy.normalizer].apply(logits, permitted).masked_fill(~permitted, 0.0)

    arriving = d_weights.expand(permitted.shape).masked_fill(~permitted, 0.0)
    apart = (arriving - arriving.sum(dim=-1, keepdim=True) / lengths[:, None, None]).masked_fill(~permitted, 0.0)
    counts = lengths[:, None, None]
    sizes = through(remedy.normalizer, logits, weights, apart, bent, counts)
    gains = sizes - torch.linalg.vector_norm(apart, dim=-1).log()
    if remedy.normalizer in FREE:  # the only ones that see what all keys have in common
        sizes = through(remedy.normalizer, logits, weights, arriving, bent, counts)

    gone = ~present
    count = lengths.to(scaled.dtype)
    columns = [
        weights.amax(dim=-1).sum(dim=-1) / count,
        _entropy(remedy.normalizer, logits, weights, lengths).masked_fill(gone, 0.0).sum(dim=-1) / count,
        _median(gains.masked_fill(gone, math.inf), lengths) / LN10,
        (2 * sizes.masked_fill(gone, -math.inf)).logsumexp(dim=-1) / (2 * LN10),
        (gains.masked_fill(gone, math.inf) < math.log(DEAD)).sum(dim=-1) / count,
        weights.sum(dim=(-2, -1)) / count,
    ]
    return weights.masked_fill(~permitted, math.nan), torch.stack(columns, dim=-1)


def _entropy(normalizer: str, logits: Tensor, weights: Tensor, lengths: Tensor) -> Tensor:
    """−Σ p ln p in nats of the shares p that the keys have of a row's weight."""
    if normalizer == "softmax1":
        shares = logits.softmax(dim=-1)
    elif normalizer == "sigmoid":
        shares = F.logsigmoid(logits - lengths.to(logits.dtype).log()[:, None, None]).softmax(dim=-1)
    else:
        shares = weights
    return entropy(shares)


def _median(rows: Float[Tensor, "stop n"], lengths: Tensor) -> Float[Tensor, " stop"]:
    """The middle of the first `lengths` elements of each sorted row, between two of them their mean (−∞ stays −∞)."""
    ordered = rows.sort(dim=-1).values
    places = [((lengths - 1 + odd) // 2)[:, None] for odd in (0, 1)]
    low, high = (ordered.gather(-1, place)[:, 0] for place in places)
    return torch.where(low.isneginf(), low, (low + high) / 2)
