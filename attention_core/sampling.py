r"""Hard attention as a random variable: many draws at once, what they add up to, and how far they spread.

One latent choice $s \sim \mathrm{Multinoulli}(\alpha)$, α = softmax(θ), and $\ell_s = \log p(y \mid s, a)$ for each of
the n choices, so that everything exact is a sum of n terms. Source: Xu et al. 2015, arXiv:1502.03044, section 4.1.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.experiments.hard import DECAY, bound, bound_gradient

BASELINES = ("none", "moving", "mean", "optimal")


def drawn(alpha: Float[Tensor, "*batch n"], u: Float[Tensor, "*batch m"]) -> Int[Tensor, "*batch m"]:
    """One choice for each u, uniform on [0, 1): the first key at which the summed weights exceed u.

    A key of weight 0 is never drawn. The same u at other weights moves only the draws it must.
    """
    summed = alpha.cumsum(dim=-1)
    summed = summed / summed[..., -1:]
    return torch.searchsorted(summed.contiguous(), u.contiguous(), right=True).clamp_max(alpha.shape[-1] - 1)


def _reach(alpha: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""$\lVert e_s - \alpha\rVert^2$, the squared length of $\partial\log\alpha_s/\partial\theta$."""
    return 1 - 2 * alpha + alpha.square().sum(dim=-1, keepdim=True)


def best(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""The constant of least variance, $\mathbb{E}[r_s \ell_s]/\mathbb{E}[r_s]$, $r_s = \lVert e_s - \alpha\rVert^2$.

    Source: Weaver & Tao 2001, arXiv:1301.2315. With all weight on one key nothing varies; then it is that key's ℓ.
    """
    weight = alpha * _reach(alpha)
    total = weight.sum(dim=-1)
    return torch.where(total > 0, (weight * ell).sum(dim=-1) / total.where(total > 0, 1.0), bound(ell, alpha))


def variances(alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch baselines"]:
    r"""Variance of one sample of the estimate, summed over its components, for each of BASELINES.

    $\sum_s \alpha_s\lVert e_s - \alpha\rVert^2(\ell_s - b)^2 - \lVert\partial L_s/\partial\theta\rVert^2$. The moving
    baseline is itself random: its mean is $\mathbb{E}\ell$ and its variance, once it has forgotten its start,
    $\frac{1 - 0.9}{1 + 0.9}\mathrm{Var}\,\ell$.
    """
    mean = bound(ell, alpha)
    jitter = (1 - DECAY) / (1 + DECAY) * (alpha * (ell - mean[..., None]).square()).sum(dim=-1)
    weight = alpha * _reach(alpha)
    exact = bound_gradient(ell, alpha).square().sum(dim=-1)
    by_baseline = {
        name: (weight * (ell - b[..., None]).square()).sum(dim=-1) - exact
        for name, b in {
            "none": torch.zeros_like(mean),
            "moving": mean,
            "mean": mean,
            "optimal": best(alpha, ell),
        }.items()
    }
    by_baseline["moving"] = by_baseline["moving"] + jitter * weight.sum(dim=-1)
    return torch.stack([by_baseline[name] for name in BASELINES], dim=-1).clamp_min(0.0)


def baselines(
    alpha: Float[Tensor, "*batch n"], ell: Float[Tensor, " n"], choices: Int[Tensor, "*batch m"]
) -> Float[Tensor, "baselines *batch m"]:
    r"""What is taken from $\ell$ at each sample, for each of BASELINES.

    Moving: $b_k = 0.9\,b_{k-1} + 0.1\,\ell_{s_k}$ from $\mathbb{E}\ell$; sample k is given $b_{k-1}$, which has
    not seen it, so that the estimate stays unbiased. (Xu et al. smooth log p; some accounts of them smooth p.)
    """
    seen, every = ell[choices], ell.expand_as(alpha)
    moving, b = [], bound(every, alpha)
    for one in seen.unbind(dim=-1):
        moving.append(b)
        b = DECAY * b + (1 - DECAY) * one
    taken = {
        "none": torch.zeros_like(seen),
        "moving": torch.stack(moving, dim=-1),
        "mean": bound(every, alpha)[..., None].expand_as(seen),
        "optimal": best(alpha, every)[..., None].expand_as(seen),
    }
    return torch.stack([taken[name] for name in BASELINES])


def estimates(
    alpha: Float[Tensor, "*batch n"],
    ell: Float[Tensor, " n"],
    choices: Int[Tensor, "*batch m"],
    counts: Sequence[int],
) -> Float[Tensor, "baselines *batch counts n"]:
    r"""$\frac1N\sum_{k \le N}(\ell_{s_k} - b)(e_{s_k} - \alpha)$ for every N of `counts`: the score-function estimate.

    $e_s - \alpha = \partial\log\alpha_s/\partial\theta$; on average it is $\partial L_s/\partial\theta$, whatever b is.
    """
    excess = ell[choices] - baselines(alpha, ell, choices)
    where = choices.expand(excess.shape)
    total = alpha.new_zeros(*excess.shape[:-1], alpha.shape[-1])
    running, last = [], 0
    for count in counts:
        part = slice(last, count)
        total = total.scatter_add(-1, where[..., part], excess[..., part])
        running.append((total - alpha * total.sum(dim=-1, keepdim=True)) / count)
        last = count
    return torch.stack(running, dim=-2)


def tallies(choices: Int[Tensor, "*batch m"], n: int, counts: Sequence[int]) -> Float[Tensor, "*batch counts n"]:
    """How often each key was drawn among the first N samples, for every N of `counts`, which grow."""
    total = torch.zeros(*choices.shape[:-1], n, dtype=torch.float64)
    running, last = [], 0
    for count in counts:
        part = choices[..., last:count]
        total = total.scatter_add(-1, part, torch.ones_like(part, dtype=torch.float64))
        running.append(total)
        last = count
    return torch.stack(running, dim=-2)


def chi_square(
    tally: Float[Tensor, "*batch n"], alpha: Float[Tensor, "*batch n"], least: float = 5.0
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    r"""Pearson's $\chi^2 = \sum_s (O_s - N\alpha_s)^2/(N\alpha_s)$, its degrees of freedom, the share of chance.

    Keys expected fewer than `least` times are counted together, as the test wants; if together they are still fewer,
    they join the key that is. NaN where fewer than two groups are left.
    """
    total = tally.sum(dim=-1, keepdim=True)
    expected = total * alpha
    rare = expected < least
    seen_rare, expected_rare = ((part * rare).sum(dim=-1) for part in (tally, expected))
    groups = (~rare).sum(dim=-1)
    alone = expected_rare >= least
    # What is still rare together joins the most expected key.
    first = expected.argmax(dim=-1, keepdim=True)
    joins = torch.where(alone, 0.0, 1.0)[..., None]
    seen = tally.scatter_add(-1, first, seen_rare[..., None] * joins)
    wanted = expected.scatter_add(-1, first, expected_rare[..., None] * joins)
    parts = torch.where(rare, 0.0, (seen - wanted).square() / wanted.where(~rare, 1.0))
    extra = torch.where(alone, (seen_rare - expected_rare).square() / expected_rare.where(alone, 1.0), 0.0)
    free = (groups + alone.to(groups.dtype) - 1).to(tally.dtype)
    chi = (parts.sum(dim=-1) + extra).where(free > 0, torch.nan)
    chance = torch.special.gammaincc(free.clamp_min(1) / 2, chi.nan_to_num() / 2).where(free > 0, torch.nan)
    return chi, free.where(free > 0, torch.nan), chance
