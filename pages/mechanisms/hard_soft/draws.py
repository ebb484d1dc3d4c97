"""Samples from rows of weights: shares, mean contexts, and estimates of a gradient, beside what is expected. Pure."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core import sampling
from attention_core.experiments.hard import bound_gradient

COUNTS = tuple(sorted({round(2 ** (k / 2)) for k in range(25)}))  # samples: 1 … 4096, two to an octave
DRAWS = 16  # sequences of samples to choose from
SAMPLED = ("error", "expected", "within", "chi", "free", "chance", "drawn")
ESTIMATED = ("off", "expected_off", "within_off")


class Samples(NamedTuple):
    """What N samples give, for every N: shares and means, and SAMPLED."""

    share: Float[Tensor, "*batch counts n"]
    last: Float[Tensor, "*batch counts n"]
    mean: Float[Tensor, "*batch counts d_v"]
    numbers: Float[Tensor, "*batch counts sampled"]


class Estimates(NamedTuple):
    """The score-function gradient from N samples under every baseline, and ESTIMATED."""

    gradient: Float[Tensor, "baselines *batch counts n"]
    numbers: Float[Tensor, "baselines *batch counts estimated"]


def uniform(seed: int) -> Float[Tensor, "draws samples"]:
    """The random numbers behind the samples of a seed: the same at every temperature."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(DRAWS, COUNTS[-1], generator=generator, dtype=torch.float64)


def sampled(
    alpha: Float[Tensor, "*batch n"],
    v: Float[Tensor, "n d_v"],
    choices: Int[Tensor, "*batch samples"],
    counts: tuple[int, ...],
) -> Samples:
    r"""Shares and mean contexts of the first N samples, beside what is expected of them.

    A hard context is the value vector of one key, so the mean of N is share·V and its standard error per component is
    $\sqrt{\mathrm{Var}_\alpha(v)/N}$; the root of the summed variances is what ‖mean − soft‖ should be.
    """
    n = alpha.shape[-1]
    tally = sampling.tallies(choices, n, counts)
    size = torch.tensor(counts, dtype=torch.float64)[:, None]
    share = tally / size
    mean, soft = share @ v, (alpha @ v)[..., None, :]
    spread = (alpha @ v.square() - (alpha @ v).square()).clamp_min(0)[..., None, :] / size
    off = mean - soft
    chi, free, chance = sampling.chi_square(tally, alpha[..., None, :].expand_as(tally))
    last = choices[..., [count - 1 for count in counts]]
    numbers = {
        "error": off.square().sum(dim=-1).sqrt(),
        "expected": spread.sum(dim=-1).sqrt(),
        "within": (off.abs() <= 4 * spread.sqrt() + 1e-12).double().sum(dim=-1),
        "chi": chi,
        "free": free,
        "chance": chance,
        "drawn": last.double() + 1,
    }
    stacked = torch.stack([numbers[name] for name in SAMPLED], dim=-1)
    return Samples(share, F.one_hot(last, n).double(), mean, stacked)


def estimated(
    alpha: Float[Tensor, "*batch n"],
    ell: Float[Tensor, " n"],
    choices: Int[Tensor, "*batch samples"],
    counts: tuple[int, ...],
) -> Estimates:
    """The score-function gradient under every baseline, and how far from the exact one it is and should be."""
    gradient = sampling.estimates(alpha, ell, choices, counts)
    ell_everywhere = ell.expand_as(alpha)
    exact = bound_gradient(ell_everywhere, alpha)[..., None, :]
    size = torch.tensor(counts, dtype=torch.float64)
    of_one = sampling.variances(alpha, ell_everywhere).movedim(-1, 0)[..., None]  # baselines *batch 1
    off = (gradient - exact).square().sum(dim=-1).sqrt()
    expected = (of_one / size).sqrt()
    within = (off <= 4 * expected + 1e-12).double()
    return Estimates(gradient, torch.stack([off, expected.expand_as(off), within], dim=-1))
