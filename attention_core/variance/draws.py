"""q·k drawn: the sums of many samples, from which every μ, ρ and s follows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.variance.laws import Assumptions, Distribution

D_K_OCTAVES = tuple(2**octave for octave in range(11))  # 1 … 1024
SAMPLES = 40_000
DEGREES = 5  # of freedom of Student's t: the fewest for which E(U⁴) is finite
ROWS = 256  # samples drawn at a time: two such blocks of 1024 components stay in the cache of a core


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """ΣU, ΣV, ΣU² and ΣUV over the first d_k components of every sample, for each stop of d_k."""

    stops: tuple[int, ...]
    u: Float[Tensor, "stops samples"]
    v: Float[Tensor, "stops samples"]
    uu: Float[Tensor, "stops samples"]
    uv: Float[Tensor, "stops samples"]


def draw(distribution: Distribution, seed: int, samples: int = SAMPLES, stops: Sequence[int] = D_K_OCTAVES) -> Sums:
    """The sums of `samples` draws of max(stops) components; a smaller d_k takes the first components of the same draw.

    Raises ValueError for stops that do not rise from 1 or more, or for no samples.
    """
    ends = (0, *stops)
    if not stops or samples < 1 or any(low >= high for low, high in pairwise(ends)):
        raise ValueError(f"a draw needs rising stops from 1 on and a sample, not {tuple(stops)} and {samples}")
    generator = torch.Generator().manual_seed(seed)
    parts = torch.empty(4, len(stops), samples)
    for start in range(0, samples, ROWS):
        u, v = _block(distribution, min(ROWS, samples - start), stops[-1], generator)
        for kind, terms in enumerate((u, v, u * u, u * v)):
            for stop, (low, high) in enumerate(pairwise(ends)):
                torch.sum(terms[:, low:high], dim=1, out=parts[kind, stop, start : start + ROWS])
    return Sums(tuple(stops), *parts.cumsum(dim=1))


def components(
    assumptions: Assumptions, seed: int, d_most: int = D_K_OCTAVES[-1]
) -> tuple[Float[Tensor, "samples d_most"], Float[Tensor, "samples d_most"]]:
    """q and k of the first samples behind `draw(…, seed)`, component by component."""
    u, v = _block(assumptions.distribution, ROWS, d_most, torch.Generator().manual_seed(seed))
    return _pair(assumptions, u, v)


def products(sums: Sums, assumptions: Assumptions) -> Float[Tensor, "stops samples"]:
    r"""$q\cdot k = d\mu^2 + \mu s((1+\rho)\Sigma U + c\Sigma V) + s^2(\rho\Sigma U^2 + c\Sigma UV)$, c = √(1−ρ²)."""
    mean, rho, s2 = assumptions.mean, assumptions.correlation, assumptions.component_variance
    c = math.sqrt(1 - rho**2)
    dots = sums.uv * (s2 * c)
    if rho:
        dots += sums.uu * (s2 * rho)
    if mean:
        dots += sums.u * (mean * math.sqrt(s2) * (1 + rho))
        dots += sums.v * (mean * math.sqrt(s2) * c)
        dots += mean**2 * torch.tensor(sums.stops, dtype=dots.dtype)[:, None]
    return dots


def first_components(
    sums: Sums, assumptions: Assumptions
) -> tuple[Float[Tensor, " samples"], Float[Tensor, " samples"]]:
    """The scalars X and Y of the derivation: the first component of every q and k. The first stop must be 1."""
    if sums.stops[0] != 1:
        raise ValueError(f"the first stop must be 1 to show single components, not {sums.stops[0]}")
    return _pair(assumptions, sums.u[0], sums.v[0])


def linear_layer(
    d_model: int, d_k: int, *, layers: int, tokens: int, seed: int
) -> Float[Tensor, "layers tokens tokens"]:
    r"""q·k of standard normal x through W_Q and W_K drawn as nn.Linear draws them, without bias: fresh in every layer.

    U(±1/√d_model): Kaiming-uniform with a = √5 (He et al. 2015, arXiv:1502.01852), so Var W = 1/(3·d_model),
    Var q_i = 1/3 and Var(q·k) = d_k/9.
    """
    generator = torch.Generator().manual_seed(seed)
    bound = d_model**-0.5
    W = torch.empty(2, layers, d_model, d_k).uniform_(-bound, bound, generator=generator)
    x = torch.randn(2, layers, tokens, d_model, generator=generator)
    q, k = x @ W
    return q @ k.mT


def _block(
    distribution: Distribution, rows: int, d: int, generator: torch.Generator
) -> tuple[Float[Tensor, "rows d"], Float[Tensor, "rows d"]]:
    """U and V: two independent blocks of mean 0 and variance 1."""
    u, v = (_standard(distribution, torch.empty(rows, d), generator) for _ in range(2))
    return u, v


def _standard(distribution: Distribution, x: Tensor, generator: torch.Generator) -> Tensor:
    if distribution == "normal":
        return x.normal_(generator=generator)
    if distribution == "uniform":
        return x.uniform_(-math.sqrt(3), math.sqrt(3), generator=generator)
    x.uniform_(generator=generator)
    if distribution == "rademacher":
        return torch.copysign(torch.ones(()), x.sub_(0.5))
    # Bailey 1994, Math. Comp. 62, 779–781: √(ν(W^(−2/ν) − 1)) cos 2πA is Student's t; its variance is ν/(ν−2).
    radius = (1 - x).pow_(-2 / DEGREES).sub_(1).mul_(DEGREES - 2).sqrt_()
    return x.uniform_(0, 2 * math.pi, generator=generator).cos_().mul_(radius)


def _pair(assumptions: Assumptions, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    rho, s = assumptions.correlation, math.sqrt(assumptions.component_variance)
    return assumptions.mean + s * u, assumptions.mean + s * (rho * u + math.sqrt(1 - rho**2) * v)
