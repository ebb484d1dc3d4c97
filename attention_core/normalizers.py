"""Rows of scores to rows of weights. A row in which nothing is permitted gets weight 0 and gradient 0, never NaN."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.precision import wide

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


def sparsemax(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = [s_{ij} - \tau_i]_+$ with $\tau_i$ such that the row sums to 1: the nearest point of the simplex.

    Its Jacobian is $\mathrm{diag}(s) - ss^\top/|S|$, s = 1 on the support S and 0 off it
    (Martins & Astudillo 2016, arXiv:1602.02068).
    """

    def threshold(mean: Tensor, variance: Tensor, size: Tensor) -> Tensor:
        return mean - 1 / size

    return _closed(_above(_steps(scores, permitted, 1.0), threshold), scores, permitted)


def entmax15(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = [s_{ij}/2 - \tau_i]_+^2$ with $\tau_i$ such that the row sums to 1.

    Between softmax (1-entmax) and sparsemax (2-entmax). Its Jacobian is $\mathrm{diag}(s) - ss^\top/\sum_j s_j$ with
    $s_j = \sqrt{\alpha_j}$. Exact, by sorting (Peters, Niculae & Martins 2019, arXiv:1905.05702).
    """

    def threshold(mean: Tensor, variance: Tensor, size: Tensor) -> Tensor:
        return mean - (1 / size - variance).clamp(min=0).sqrt()

    return _closed(_above(_steps(scores, permitted, 0.5), threshold).square(), scores, permitted)


def softmax1(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = e^{s_{ij}} / (1 + \sum_l e^{s_{il}})$: a softmax that may also attend to nothing.

    Source: Miller 2023, evanmiller.org/attention-is-off-by-one.html.
    """
    # One more key of score 0: torch then subtracts max(0, largest), and a row of −∞ needs no special case.
    return F.pad(scores, (0, 1)).softmax(dim=-1)[..., :-1]


def sigmoid(
    scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\alpha_{ij} = 1/(1 + e^{-(s_{ij} + b_i)})$ with $b_i = -\ln n_i$ for the n_i keys permitted to query i.

    Each weight by itself: rows sum to anything from 0 to n_i (Ramapuram et al. 2024, arXiv:2409.04431, section 2).
    """
    exact = wide(scores)
    if permitted is None:
        count = torch.full_like(exact[..., :1], scores.shape[-1])
    else:
        # At least 1: −∞ − ln 0 would be NaN in a row where nothing is permitted.
        count = permitted.expand(scores.shape).sum(dim=-1, keepdim=True).clamp(min=1).to(exact.dtype)
    return torch.sigmoid(exact - count.log()).to(scores.dtype)


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
    "sparsemax": Normalizer(
        title="Sparsemax",
        formula=r"\alpha_{ij} = [s_{ij} - \tau_i]_+,\quad \textstyle\sum_j \alpha_{ij} = 1",
        reference="Martins & Astudillo (2016), arXiv:1602.02068, equation 2",
        apply=sparsemax,
    ),
    "entmax15": Normalizer(
        title="1.5-entmax",
        formula=r"\alpha_{ij} = \big[\tfrac12 s_{ij} - \tau_i\big]_+^2,\quad \textstyle\sum_j \alpha_{ij} = 1",
        reference="Peters, Niculae & Martins (2019), arXiv:1905.05702",
        apply=entmax15,
    ),
    "softmax1": Normalizer(
        title="Softmax₁",
        formula=r"\alpha_{ij} = \frac{e^{s_{ij}}}{1 + \sum_l e^{s_{il}}}",
        reference="Miller (2023), evanmiller.org/attention-is-off-by-one.html",
        apply=softmax1,
    ),
    "sigmoid": Normalizer(
        title="Sigmoid",
        formula=r"\alpha_{ij} = \frac{1}{1 + n_i\,e^{-s_{ij}}}",
        reference="Ramapuram et al. (2024), arXiv:2409.04431, section 2",
        apply=sigmoid,
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


def _steps(scores: Tensor, permitted: Tensor | None, slope: float) -> Tensor:
    """slope · (scores − row maximum), between −1 and 0.

    No weight exceeds 1, so no threshold lies below −1: what is raised to −1 has weight 0 still, and no sum sees −∞.
    """
    exact = wide(scores)
    if permitted is not None:
        exact = exact.masked_fill(~permitted.any(dim=-1, keepdim=True), 0.0)
    # The maximum is a constant to autograd: these weights do not see shifts.
    return (slope * (exact - exact.detach().amax(dim=-1, keepdim=True))).clamp(min=-1.0)


def _above(z: Tensor, threshold: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    """[z − τ]₊ where τ = threshold(mean, variance, size) of the entries above τ; differentiable through τ."""
    with torch.no_grad():
        ordered = z.double().sort(dim=-1, descending=True).values
        sizes = torch.arange(1, z.shape[-1] + 1, dtype=ordered.dtype, device=z.device)
        mean = ordered.cumsum(dim=-1) / sizes
        variance = ordered.square().cumsum(dim=-1) / sizes - mean.square()
        reached = ordered > threshold(mean, variance, sizes).clamp(min=-1.0)
        support = z >= ordered.gather(-1, reached.sum(dim=-1, keepdim=True) - 1)
    # τ again from the support alone: sums of prefixes cancel, and must not be differentiated.
    size = support.sum(dim=-1, keepdim=True).to(z.dtype)
    mean = torch.where(support, z, 0.0).sum(dim=-1, keepdim=True) / size
    variance = torch.where(support, (z - mean).square(), 0.0).sum(dim=-1, keepdim=True) / size
    return torch.relu(z - threshold(mean, variance, size))


def _closed(weights: Tensor, scores: Tensor, permitted: Tensor | None) -> Tensor:
    """The weights in the precision of the scores, 0 behind the mask, also in a row where nothing is permitted."""
    weights = weights.to(scores.dtype)
    return weights if permitted is None else weights.masked_fill(~permitted, 0.0)
