r"""Hard attention as a random variable: draws, the bound it trains on, and estimates of that bound's gradient.

One latent choice $s \sim \mathrm{Multinoulli}(\alpha)$, α = softmax(θ), and $\ell_s = \log p(y \mid s, a)$ for each of the n
choices, so that everything exact is a sum of n terms. Source: Xu et al. 2015, arXiv:1502.03044, section 4.1.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

BASELINES = ("none", "moving", "constant", "optimal")
DECAY = 0.9  # of the moving baseline, as in the paper


def drawn(alpha: Float[Tensor, "*batch n"], u: Float[Tensor, "*batch m"]) -> Int[Tensor, "*batch m"]:
    """One choice for each u, uniform on [0, 1): the first key at which the summed weights exceed u.

    A key of weight 0 is never drawn. The same u at other weights moves only the draws it must.
    """
    summed = alpha.cumsum(dim=-1)
    summed = summed / summed[..., -1:]
    return torch.searchsorted(summed.contiguous(), u.contiguous(), right=True).clamp_max(alpha.shape[-1] - 1)


def bound(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$L_s = \sum_s \alpha_s \ell_s \le \log p(y \mid a)$, by Jensen's inequality (equation 10)."""
    return (alpha * ell).sum(dim=-1)


def log_likelihood(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$\log p(y \mid a) = \log \sum_s \alpha_s e^{\ell_s}$."""
    return torch.logsumexp(alpha.log() + ell, dim=-1)


def gradient(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""$\partial L_s/\partial\theta = \alpha \odot (\ell - \mathbb{E}_\alpha \ell)$."""
    return alpha * (ell - bound(alpha, ell)[..., None])


def _reach(alpha: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""$\lVert e_s - \alpha\rVert^2$, the squared length of $\partial\log\alpha_s/\partial\theta$."""
    return 1 - 2 * alpha + alpha.square().sum(dim=-1, keepdim=True)


def best(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""The constant of least variance, $\mathbb{E}[\lVert e_s - \alpha\rVert^2 \ell_s]/\mathbb{E}\lVert e_s - \alpha\rVert^2$.

    With all weight on one key nothing varies; then it is that key's ℓ.
    """
    weight = alpha * _reach(alpha)
    total = weight.sum(dim=-1)
    return torch.where(total > 0, (weight * ell).sum(dim=-1) / total.where(total > 0, 1.0), bound(alpha, ell))


def variances(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch baselines"]:
    r"""Variance of one sample of the estimate, summed over its components, for each of BASELINES.

    $\sum_s \alpha_s\lVert e_s - \alpha\rVert^2(\ell_s - b)^2 - \lVert\partial L_s/\partial\theta\rVert^2$. The moving
    baseline is itself random: once it has forgotten its start its mean is $\mathbb{E}\ell$ and its variance
    $\frac{1 - 0.9}{1 + 0.9}\mathrm{Var}\,\ell$.
    """
    mean = bound(alpha, ell)
    jitter = (1 - DECAY) / (1 + DECAY) * (alpha * (ell - mean[..., None]).square()).sum(dim=-1)
    weight = alpha * _reach(alpha)
    exact = gradient(alpha, ell).square().sum(dim=-1)
    found = {
        name: (weight * (ell - b[..., None]).square()).sum(dim=-1) - exact
        for name, b in {"none": torch.zeros_like(mean), "moving": mean, "constant": mean, "optimal": best(alpha, ell)}.items()
    }
    found["moving"] = found["moving"] + jitter * weight.sum(dim=-1)
    return torch.stack([found[name] for name in BASELINES], dim=-1).clamp_min(0.0)


def baselines(
    alpha: Float[Tensor, " n"], ell: Float[Tensor, " n"], choices: Int[Tensor, "*batch m"]
) -> Float[Tensor, "baselines *batch m"]:
    r"""What is taken from $\ell$ at each sample, for each of BASELINES.

    Moving: $b_k = 0.9\,b_{k-1} + 0.1\,\ell_{s_k}$ from 0; sample k is given $b_{k-1}$, which has not seen it, so that the
    estimate stays unbiased.
    """
    seen = ell[choices]
    moving, b = [], torch.zeros_like(seen[..., 0])
    for k in range(seen.shape[-1]):
        moving.append(b)
        b = DECAY * b + (1 - DECAY) * seen[..., k]
    constants = {"none": 0.0, "constant": float(bound(alpha, ell)), "optimal": float(best(alpha, ell))}
    taken = {name: torch.full_like(seen, value) for name, value in constants.items()}
    taken["moving"] = torch.stack(moving, dim=-1)
    return torch.stack([taken[name] for name in BASELINES])


def estimates(
    alpha: Float[Tensor, " n"],
    ell: Float[Tensor, " n"],
    choices: Int[Tensor, "*batch m"],
    counts: tuple[int, ...],
) -> Float[Tensor, "baselines *batch counts n"]:
    r"""$\frac1N\sum_{k \le N}(\ell_{s_k} - b)(e_{s_k} - \alpha)$ for every N of `counts`: the score-function estimate.

    $e_s - \alpha = \partial\log\alpha_s/\partial\theta$; on average it is $\partial L_s/\partial\theta$, whatever b is.
    """
    taken = baselines(alpha, ell, choices)
    excess = ell[choices] - taken
    where = choices.expand(excess.shape)
    total = torch.zeros(*excess.shape[:-1], len(alpha), dtype=alpha.dtype)
    found, last = [], 0
    for count in counts:
        part = slice(last, count)
        total = total.scatter_add(-1, where[..., part], excess[..., part])
        found.append((total - alpha * total.sum(dim=-1, keepdim=True)) / count)
        last = count
    return torch.stack(found, dim=-2)
