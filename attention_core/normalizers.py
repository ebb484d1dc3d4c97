"""Rows of scores to rows of weights. A row in which nothing is permitted gets weight 0 and gradient 0, never NaN."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

# (scores, permitted or None) -> weights; scores are −∞ where permitted is False.
Normalize = Callable[..., Float[Tensor, "*batch n_q n_k"]]


def softmax(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = e^{s_{ij}} / \sum_l e^{s_{il}}$ over the permitted keys (Vaswani 2017, arXiv:1706.03762)."""
    if permitted is None:
        return scores.softmax(dim=-1)
    empty = ~permitted.any(dim=-1, keepdim=True)
    if not bool(empty.any()):
        return scores.softmax(dim=-1)
    # Filled before the softmax: a NaN replaced afterwards would still poison the gradient of the scores.
    return scores.masked_fill(empty, 0.0).softmax(dim=-1).masked_fill(~permitted, 0.0)


def hard(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\mathrm{onehot}(\arg\max_j s_{ij})$: all weight on the best key (the first, on ties).

    Piecewise constant, so no gradient reaches the scores (Xu et al. 2015, arXiv:1502.03044, section 4.1).
    """
    weights = F.one_hot(scores.argmax(dim=-1), scores.shape[-1]).to(scores.dtype)
    return weights if permitted is None else weights.masked_fill(~permitted, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalizer:
    """One row of the table of normalizers."""

    title: str
    formula: str
    reference: str
    apply: Normalize


NORMALIZERS = {
    "softmax": Normalizer(
        title="Softmax",
        formula=r"\alpha_{ij} = \frac{e^{s_{ij}}}{\sum_l e^{s_{il}}}",
        reference="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
        apply=softmax,
    ),
    "hard": Normalizer(
        title="Hard",
        formula=r"\alpha_{i} = \mathrm{onehot}(\arg\max_j s_{ij})",
        reference="Xu et al. (2015), arXiv:1502.03044, section 4.1",
        apply=hard,
    ),
}


def exponentials(
    masked_scores: Float[Tensor, "*batch n_q n_k"],
) -> tuple[Float[Tensor, "*batch n_q n_k"], Float[Tensor, "*batch n_q 1"], Float[Tensor, "*batch n_q 1"]]:
    r"""The two halves of a stable softmax: $e^{s_{ij} - m_i}$, its row sum, and the row maximum $m_i$.

    A row of −∞ has maximum 0 here, so that its exponentials and their sum are 0 (Milakov & Gimelshein 2018,
    arXiv:1805.02867, algorithm 2).
    """
    largest = masked_scores.amax(dim=-1, keepdim=True)
    largest = largest.masked_fill(largest.isneginf(), 0.0)
    stretched = torch.exp(masked_scores - largest)
    return stretched, stretched.sum(dim=-1, keepdim=True), largest
