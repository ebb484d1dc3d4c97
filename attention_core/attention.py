"""Attention(Q, K, V) = normalize(scale · QKᵀ + mask) V, every stage returned, and the gradient of every stage."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.finite import bent, scored, weighed, weighted_sum
from attention_core.normalizers import Normalize, softmax
from attention_core.precision import staged, wide
from attention_core.scalings import INVERSE_SQRT, Scaling

Score = Callable[[Float[Tensor, "*batch n_q d_k"], Float[Tensor, "*batch n_k d_k"]], Float[Tensor, "*batch n_q n_k"]]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionTrace:
    """The stages of one attention call, in the order they are computed. Rows are queries, columns are keys."""

    q: Float[Tensor, "*batch n_q d_k"]
    k: Float[Tensor, "*batch n_k d_k"]
    v: Float[Tensor, "*batch n_k d_v"]
    scores: Float[Tensor, "*batch n_q n_k"]
    scaled_scores: Float[Tensor, "*batch n_q n_k"]
    capped_scores: Float[Tensor, "*batch n_q n_k"]
    masked_scores: Float[Tensor, "*batch n_q n_k"]
    weights: Float[Tensor, "*batch n_q n_k"]
    context: Float[Tensor, "*batch n_q d_v"]

    def map(self, function: Callable[[Tensor], Tensor]) -> "AttentionTrace":
        """The trace with `function` applied to every stage, e.g. `trace.map(Tensor.detach)`."""
        return AttentionTrace(*(function(getattr(self, field.name)) for field in fields(self)))

    def bytes(self) -> int:
        """Memory the stages keep alive, in bytes; stages that share storage count once."""
        stages = (getattr(self, field.name) for field in fields(self))
        return sum({stage.data_ptr(): stage.untyped_storage().nbytes() for stage in stages}.values())


def dot(q: Float[Tensor, "*batch n_q d_k"], k: Float[Tensor, "*batch n_k d_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    """e_ij = q_i · k_j (Luong et al. 2015, arXiv:1508.04025)."""
    return q @ k.mT


def attend(
    q: Float[Tensor, "*q_batch n_q d_k"],
    k: Float[Tensor, "*k_batch n_k d_k"],
    v: Float[Tensor, "*k_batch n_k d_v"],
    *,
    score: Score = dot,
    scaling: Scaling = INVERSE_SQRT,
    normalize: Normalize = softmax,
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
    bias: Float[Tensor, "*#mask #n_q #n_k"] | None = None,
    softcap: float | None = None,
) -> AttentionTrace:
    r"""$\mathrm{normalize}\big(\mathrm{cap}(c\,\mathrm{score}(Q, K)) + \mathrm{bias}\big) V$ over the allowed pairs.

    `allowed` is True where a query may attend; `bias` is added to the scores after the cap, and −∞ in it forbids a
    pair too. A query with nothing allowed gets weight, context and gradient 0. `softcap` c turns a score s into
    c·tanh(s/c) before the mask (Gemma 2, arXiv:2408.00118). With fewer key than query heads (axis −3) each key head
    serves a group of query heads (GQA, arXiv:2305.13245; one key head: MQA, arXiv:1911.02150), and the trace holds
    the shared k and v once per query head.

    What is not finite is a constant (`finite`). Behind the mask it reaches no context and no gradient. Where a query
    may attend to it, with a mask or without one, its context is what torch's is: a value of ∞ whose weight is exactly
    0 gives 0 · ∞ = NaN. In half precision the stages are rounded, and each is computed from the last one in float32;
    a `score` is given float32 at least.

    Raises ValueError when the head counts do not divide. Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.
    """
    # Views, so that the stages of attend(x, x, x) are three tensors with three gradients.
    q, k, v = (stage.view_as(stage) for stage in (q, _share_heads(q, k), _share_heads(q, v)))
    if bias is not None:
        bias = bias.to(q.dtype)
    permitted = _permitted(allowed, bias)
    scores = staged(scored(score, wide(q), wide(k)), q.dtype)
    scaled = staged(scaling.apply(scores.exact, q, k, permitted), q.dtype, scores)
    capped = scaled
    if softcap is not None:
        capped = staged(bent(lambda s: softcap * torch.tanh(s / softcap), scaled.exact), q.dtype)
    masked_scores = capped.exact if bias is None else capped.exact + wide(bias)
    if permitted is not None:
        masked_scores = masked_scores.masked_fill(~permitted, -math.inf)
    masked = staged(masked_scores, q.dtype, capped)
    weights = staged(weighed(normalize, masked.exact, permitted), q.dtype)
    context = weighted_sum(weights.exact, wide(v), permitted).to(v.dtype)
    return AttentionTrace(q, k, v, scores.kept, scaled.kept, capped.kept, masked.kept, weights.kept, context)


def gradients(objective: Float[Tensor, ""], trace: AttentionTrace) -> AttentionTrace:
    """∂objective/∂stage for every stage of `trace`, in the same fields; zeros where no gradient flows."""
    names = [field.name for field in fields(trace) if getattr(trace, field.name).requires_grad]
    stages = [getattr(trace, name) for name in names]
    if not stages:
        return trace.map(torch.zeros_like)
    slopes = torch.autograd.grad(objective, stages, retain_graph=True, materialize_grads=True)
    return replace(trace.map(torch.zeros_like), **dict(zip(names, slopes, strict=True)))


def _permitted(
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None, bias: Float[Tensor, "*#mask #n_q #n_k"] | None
) -> Bool[Tensor, "*#mask #n_q #n_k"] | None:
    """Where a query may attend: allowed, and not forbidden by a bias of −∞. None: everywhere."""
    if bias is None or not bool(bias.isneginf().any()):
        return allowed
    return ~bias.isneginf() if allowed is None else allowed & ~bias.isneginf()


def _share_heads(q: Tensor, shared: Tensor) -> Tensor:
    """Repeat each of the g key heads for its n_head / g query heads; other layouts pass through to broadcasting."""
    if q.ndim < 3 or shared.ndim < 3 or q.shape[-3] == shared.shape[-3]:
        return shared
    n_head, n_group = q.shape[-3], shared.shape[-3]
    if n_head % n_group:
        raise ValueError(f"{n_head} query heads cannot share {n_group} key/value heads: {n_head} % {n_group} ≠ 0")
    return shared.repeat_interleave(n_head // n_group, dim=-3)
