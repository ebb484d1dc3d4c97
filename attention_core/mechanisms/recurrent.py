"""Attention that remembers where it looked: Graves' window, the Neural Turing Machine, location-aware scores.

Query i needs what query i − 1 attended to, so these run one query after the other.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.mechanisms.base import Call, Cost, LayerSizes, Mechanism, Parts, gaussian, products
from attention_core.mechanisms.multiplicative import SMOOTH, cosine
from attention_core.normalizers import softmax

N_MIXTURE = 3  # Gaussians of Graves' window
SHIFTS = 3  # −1, 0, +1 keys
LARGEST = 16.0  # logarithm of what is emitted for Graves' window, at most
N_FILTER, FILTER_WIDTH = 4, 5  # of the convolution over the previous weights


def mixture_window(
    q: Float[Tensor, "*batch h n_q d_k"], W: Float[Tensor, "h d_k d_out"], b: Float[Tensor, "h d_out"], n_k: int
) -> tuple[Float[Tensor, "*batch h n_q n_k"], Float[Tensor, "*batch h n_q m"]]:
    r"""$\ln\phi(t, u)$ and $\kappa_t$: $\phi(t, u) = \sum_m a^m_t\, e^{-b^m_t(\kappa^m_t - u)^2}$.

    $(\hat a, \hat b, \hat\kappa) = q_t W + b$, each through exp (d_out = 3m), and $\kappa_t = \kappa_{t-1} +
    e^{\hat\kappa_t}$ (tokens), which can only grow. Source: Graves 2013, arXiv:1308.0850, equations 46 to 51.

    Ours: what enters exp is cut at LARGEST = 16 (e¹⁶ ≈ 9 · 10⁶), beyond which it gets no gradient, so that neither a
    weight nor a gradient overflows float32. Heights are free all the same: a row may sum to more than 1.
    """
    log_a, log_b, log_step = (q @ W + b[:, None, :]).clamp(max=LARGEST).chunk(3, dim=-1)
    kappa = log_step.exp().cumsum(dim=-2)
    u = torch.arange(n_k, dtype=q.dtype, device=q.device)
    exponent = log_a[..., None] - log_b.exp()[..., None] * (kappa[..., None] - u).square()
    return exponent.logsumexp(dim=-2), kappa


def unnormalized(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = e^{s_{ij}}$: nothing makes a row sum to 1."""
    return scores.exp()


def turing(
    scores: Float[Tensor, "*batch h n_q n_k"],
    permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None,
    *,
    gate: Float[Tensor, "*batch h n_q"],
    shift: Float[Tensor, "*batch h n_q 3"],
    sharpness: Float[Tensor, "*batch h n_q"],
) -> Float[Tensor, "*batch h n_q n_k"]:
    r"""Content weights $w^c$ = softmax, then by location: $w^g = g\,w^c + (1-g)\,w_{t-1}$, a circular shift
    $\tilde w = w^g * s$, and $w_t = \tilde w^{\gamma}/\sum \tilde w^{\gamma}$, the softmax of
    $\gamma\ln\tilde w$. $w_0$ is all on the first key.

    Source: Graves et al. 2014, arXiv:1410.5401, equations 5 to 9.
    """
    content = softmax(scores, permitted)
    open_ = None if permitted is None else permitted.expand_as(content)
    least = torch.finfo(content.dtype).tiny ** 0.5
    previous = F.one_hot(torch.zeros(content.shape[:-2], dtype=torch.long), content.shape[-1]).to(content)
    rows = []
    for t in range(content.shape[-2]):
        mixed = torch.lerp(previous, content[..., t, :], gate[..., t, None])
        turned = torch.stack([mixed.roll(i - SHIFTS // 2, dims=-1) for i in range(SHIFTS)], dim=-1)
        turned = (turned @ shift[..., t, :, None]).squeeze(-1)
        # Never ln 0, nor a slope 1/w̃ that overflows: a mask may forbid all keys that the shift has reached.
        row = sharpness[..., t, None] * turned.clamp(min=least).log()
        mask = None if open_ is None else open_[..., t, :]
        previous = softmax(row if mask is None else row.masked_fill(~mask, -math.inf), mask)
        rows.append(previous)
    return torch.stack(rows, dim=-2)


def location_aware(
    q: Float[Tensor, "*batch h n_q d_k"],
    k: Float[Tensor, "*batch h n_k d_k"],
    W: Float[Tensor, "h d_k d_a"],
    V: Float[Tensor, "h d_k d_a"],
    U: Float[Tensor, "h n_filter d_a"],
    filters: Float[Tensor, "h n_filter width"],
    w: Float[Tensor, "h d_a"],
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
) -> Float[Tensor, "*batch h n_q n_k"]:
    r"""$e_{tj} = w^\top\tanh(Wq_t + Vk_j + U f_{tj})$, $f_t = F * \alpha_{t-1}$; before the first query α is 0.

    Source: Chorowski et al. 2015, arXiv:1506.07503, equations 5 to 8.
    """
    asked, held = q @ W, k @ V
    n_q, n_k = q.shape[-2], k.shape[-2]
    open_ = None if allowed is None else allowed.expand(*allowed.shape[:-2], n_q, n_k)
    previous = asked.new_zeros(*torch.broadcast_shapes(q.shape[:-2], k.shape[:-2]), n_k)
    half = filters.shape[-1] // 2
    rows = []
    for t in range(n_q):
        seen = F.pad(previous, (half, half)).unfold(-1, filters.shape[-1], 1) @ filters.mT
        row = (torch.tanh(asked[..., t, None, :] + held + seen @ U) @ w[..., None]).mT
        rows.append(row)
        mask = None if open_ is None else open_[..., t : t + 1, :]
        previous = softmax(row if mask is None else row.masked_fill(~mask, -math.inf), mask).squeeze(-2)
    return torch.cat(rows, dim=-2)


def _graves(call: Call) -> Parts:
    n_k = call.k.shape[-2]
    return Parts(score=lambda q, k: mixture_window(q, **call.parameters, n_k=n_k)[0], normalize=unnormalized)


def _turing(call: Call) -> Parts:
    p = call.parameters
    emitted = call.q @ p["W"] + p["b"][:, None, :]
    strength, gate, sharpness, shift = emitted.split((1, 1, 1, SHIFTS), dim=-1)
    return Parts(
        score=lambda q, k: F.softplus(strength) * cosine(q, k),
        normalize=partial(
            turing,
            gate=torch.sigmoid(gate.squeeze(-1)),
            shift=shift.softmax(dim=-1),
            sharpness=1 + F.softplus(sharpness.squeeze(-1)),
        ),
    )


def _aware(call: Call) -> Parts:
    return Parts(score=lambda q, k: location_aware(q, k, **call.parameters, allowed=call.allowed))


def _draw_graves(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    # The biases start where the three heights sum to 1 and the window moves one token a query, on average.
    bias = torch.tensor([-math.log(N_MIXTURE) - 0.5, 0.0, -0.5]).repeat_interleave(N_MIXTURE)
    return {
        "W": gaussian((sizes.n_head, sizes.d_k, 3 * N_MIXTURE), sizes.d_k, generator),
        "b": bias.repeat(sizes.n_head, 1),
    }


def _draw_turing(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    return {
        "W": gaussian((sizes.n_head, sizes.d_k, 3 + SHIFTS), sizes.d_k, generator),
        "b": torch.zeros(sizes.n_head, 3 + SHIFTS),
    }


def _draw_aware(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    shape = (sizes.n_head, sizes.d_k, sizes.d_k)
    return {
        "W": gaussian(shape, sizes.d_k, generator),
        "V": gaussian(shape, sizes.d_k, generator),
        "U": gaussian((sizes.n_head, N_FILTER, sizes.d_k), N_FILTER, generator),
        "filters": gaussian((sizes.n_head, N_FILTER, FILTER_WIDTH), 1, generator),
        "w": gaussian((sizes.n_head, sizes.d_k), sizes.d_k, generator),
    }


def _graves_cost(sizes: LayerSizes) -> Cost:
    queries, heights = sizes.n_head * sizes.n_q, 3 * N_MIXTURE
    return Cost(
        products=2 * queries * sizes.d_k * heights,
        pointwise=queries * (2 * heights + N_MIXTURE) + 6 * sizes.pairs * N_MIXTURE,
        held=sizes.pairs * N_MIXTURE,
    )


def _turing_cost(sizes: LayerSizes) -> Cost:
    queries = sizes.n_head * sizes.n_q
    lengths = 3 * sizes.n_head * (sizes.n_q + sizes.n_k) * sizes.d_k
    return Cost(
        products=products(sizes).products + 2 * queries * sizes.d_k * (3 + SHIFTS) + 2 * SHIFTS * sizes.pairs,
        # β, the gate (3), the logarithm, γ and a softmax (3), for every pair
        pointwise=lengths + 9 * sizes.pairs + queries * (6 + 2 * SHIFTS),
        held=sizes.pairs,
    )


def _aware_cost(sizes: LayerSizes) -> Cost:
    hidden = sizes.pairs * sizes.d_k
    turned = 2 * sizes.n_head * (sizes.n_q + sizes.n_k) * sizes.d_k**2
    seen = 2 * sizes.pairs * N_FILTER * (FILTER_WIDTH + sizes.d_k)
    # The softmax of a row is needed for the next one, and taken once more at the end.
    return Cost(products=turned + seen + 2 * hidden, pointwise=3 * hidden + 3 * sizes.pairs, held=sizes.pairs)


GRAVES = Mechanism(
    title="Moving window (Graves)",
    formula=r"\phi(t, u) = \sum_m a^m_t e^{-b^m_t (\kappa^m_t - u)^2},\quad \kappa_t = \kappa_{t-1} + e^{\hat\kappa_t}",
    reference="Graves (2013), arXiv:1308.0850, equations 46 to 51",
    score="location",
    normalizer="none",
    memory="keys and the previous position",
    gradient="Reaches every earlier query through κ; none reaches k.",
    prepare=_graves,
    scoring=_graves_cost,
    draw=_draw_graves,
)
TURING = Mechanism(
    title="Content and shift (NTM)",
    formula=r"w_t = \mathrm{sharpen}_{\gamma_t}\big(s_t * (g_t\,\mathrm{softmax}(\beta_t \cos)"
    r" + (1 - g_t)\,w_{t-1})\big)",
    reference="Graves et al. (2014), arXiv:1410.5401, equations 5 to 9",
    score="cosine",
    scaling="β_t",
    normalizer="softmax, gate, shift, sharpen",
    memory="keys and the previous weights",
    gradient="Smooth, and reaches earlier queries through w_{t−1}.",
    prepare=_turing,
    scoring=_turing_cost,
    draw=_draw_turing,
)
LOCATION_AWARE = Mechanism(
    title="Location-aware (Chorowski)",
    formula=r"e_{tj} = w^\top \tanh(W q_t + V k_j + U f_{tj}),\quad f_t = F * \alpha_{t-1}",
    reference="Chorowski et al. (2015), arXiv:1506.07503, equations 5 to 8",
    score="additive (tanh), location-aware",
    memory="keys and the previous weights",
    gradient=SMOOTH + " It reaches earlier queries through α_{t−1}.",
    prepare=_aware,
    scoring=_aware_cost,
    draw=_draw_aware,
)
