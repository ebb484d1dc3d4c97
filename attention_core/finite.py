"""NaN and ∞ in attention reach what depends on them, and nothing else.

0 · NaN is NaN, so a key that no query may see would still spoil the gradient of every query, and a row that is not a
number that of every key. Here what is not finite is a constant: it goes forward as IEEE arithmetic has it, and passes
no gradient on. Where everything is finite each function is the plain computation, at the price of a sum.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Map = Callable[[Tensor], Tensor]


def spoiled(x: Float[Tensor, "*shape"]) -> bool:
    """Whether something that is differentiated may hold NaN or ∞: its sum does."""
    return x.requires_grad and not bool(x.detach().sum().isfinite())


def cleaned(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """x with 0 in place of what is not finite."""
    return x if bool(x.detach().sum().isfinite()) else x.masked_fill(~x.isfinite(), 0.0)


def mapped(
    linear: Map, x: Float[Tensor, "*batch n d"], place: Map = lambda rows: rows
) -> Float[Tensor, "*out n d_out"]:
    """linear(x), where a row of x that is not finite is a constant: the map's weights learn nothing from it.

    `place` brings one flag a row (*batch n 1) to the shape of the result.
    """
    y = linear(x)
    if not spoiled(y):
        return y
    return torch.where(place(x.isfinite().all(dim=-1, keepdim=True)), linear(cleaned(x)), y.detach())


def scored(
    score: Callable[[Tensor, Tensor], Tensor], q: Float[Tensor, "*batch n_q d_k"], k: Float[Tensor, "*batch n_k d_k"]
) -> Float[Tensor, "*batch n_q n_k"]:
    """score(q, k), where the score of a query or key that is not finite is a constant."""
    scores = score(q, k)
    if not spoiled(scores):
        return scores
    asks, answers = (side.isfinite().all(dim=-1) for side in (q, k))
    usable = scores.isfinite() & asks[..., :, None] & answers[..., None, :]
    return torch.where(usable, score(cleaned(q), cleaned(k)), scores.detach())


def bent(bend: Map, scores: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    """bend(scores), number by number; what is not finite is a constant."""
    if not spoiled(scores):
        return bend(scores)
    lost = ~scores.isfinite()
    return torch.where(lost, bend(scores).detach(), bend(scores.masked_fill(lost, 0.0)))


def by_row(function: Map, scores: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q 1"]:
    """function(scores), one number a row; of a row with NaN in it NaN, a constant."""
    lost = scores.detach().isnan().any(dim=-1, keepdim=True)
    return function(scores.masked_fill(lost, 0.0)).masked_fill(lost, math.nan)


def weighed(
    normalize: Callable[..., Tensor],
    scores: Float[Tensor, "*batch n_q n_k"],
    permitted: Bool[Tensor, "*#mask #n_q #n_k"] | None,
) -> Float[Tensor, "*batch n_q n_k"]:
    """normalize(scores, permitted), where a row that is not finite is a constant."""
    masks = () if permitted is None else (permitted,)
    weights = normalize(scores, *masks)
    if not spoiled(weights):
        return weights
    lost = ~weights.isfinite().all(dim=-1, keepdim=True)
    calm = scores.masked_fill(lost, 0.0)
    for mask in masks:
        calm = calm.masked_fill(~mask, -math.inf)
    return torch.where(lost, weights.detach(), normalize(calm, *masks))


def weighted_sum(
    weights: Float[Tensor, "*batch n_q n_k"],
    v: Float[Tensor, "*batch n_k d_v"],
    permitted: Bool[Tensor, "*#mask #n_q #n_k"] | None,
) -> Float[Tensor, "*batch n_q d_v"]:
    """weights @ v over the permitted pairs alone: behind the mask no value counts, before it 0 · ∞ is NaN."""
    if not spoiled(weights) and bool(v.detach().sum().isfinite()):
        return weights @ v
    pairs = weights.detach()
    lost = pairs.isnan().any(dim=-1, keepdim=True)
    context = weights.masked_fill(lost, 0.0) @ v.masked_fill(~v.isfinite(), 0.0)
    open_ = torch.ones_like(pairs, dtype=torch.bool) if permitted is None else permitted.expand(pairs.shape)

    def reached(some: Tensor, values: Tensor) -> Tensor:
        return (some.to(pairs.dtype) @ values.to(pairs.dtype)) > 0

    high, low, more, less = v == math.inf, v == -math.inf, pairs > 0, pairs < 0
    up, down = reached(more, high) | reached(less, low), reached(more, low) | reached(less, high)
    undefined = lost | reached(open_, v.isnan()) | reached(open_ & (pairs == 0), v.isinf()) | (up & down)
    return context.masked_fill(up, math.inf).masked_fill(down, -math.inf).masked_fill(undefined, math.nan)
