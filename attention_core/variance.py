r"""Why √d_k: mean and variance of q·k, drawn and in closed form, when the assumptions hold and when they do not.

A pair of components is $X = \mu + sU$, $Y = \mu + s(\rho U + \sqrt{1-\rho^2}\,V)$ with U, V independent, symmetric, of
mean 0 and variance 1. Then $q\cdot k = \sum_i X_iY_i$ needs of a draw only ΣU, ΣV, ΣU² and ΣUV: once these are summed,
every μ, ρ and s costs four multiplications a sample. With $m_4 = E(U^4)$,

$$E(XY) = \mu^2 + \rho s^2 \qquad D(XY) = 2\mu^2s^2(1+\rho) + s^4\big(1 + \rho^2(m_4-2)\big)$$

(the variance of a product: Goodman 1960, JASA 55, 708–713; the cross term is a third moment, 0 by symmetry), and
independent components add: $E(q\cdot k) = d_kE(XY)$, $D(q\cdot k) = d_kD(XY)$, excess kurtosis $\kappa(XY)/d_k$, that
is $6/d_k$ for Gaussians. Vaswani et al. 2017, arXiv:1706.03762, footnote 4, is the case μ = ρ = 0, s = 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Distribution = Literal["normal", "uniform", "rademacher", "student"]
Initialisation = Literal["unit", "linear"]
Key = Literal["product", "zero", "definition", "squares", "ones", "sum_mean", "sum_variance", "d_k", "scaled"]

D_K_OCTAVES = tuple(2**octave for octave in range(11))  # 1 … 1024
SAMPLES = 40_000
DEGREES = 5  # of freedom of Student's t: the fewest for which E(U⁴) is finite
ROWS = 256  # samples drawn at a time: two such blocks of 1024 components stay in the cache of a core

# E(U²), E(U⁴), E(U⁶), E(U⁸). Student's t has no moment of order DEGREES or more.
EVEN_MOMENTS: dict[Distribution, tuple[float, float, float, float]] = {
    "normal": (1.0, 3.0, 15.0, 105.0),
    "uniform": (1.0, 9 / 5, 27 / 7, 9.0),
    "rademacher": (1.0, 1.0, 1.0, 1.0),
    "student": (1.0, 9.0, math.inf, math.inf),
}
# W ~ N(0, 1/d_model) gives unit-variance x components of variance 1; nn.Linear's W ~ U(±1/√d_model) gives 1/3.
COMPONENT_VARIANCE: dict[Initialisation, float] = {"unit": 1.0, "linear": 1 / 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed of the components; the defaults are those of the derivation. Hashable.

    Raises ValueError for an unknown name, a mean that is not finite, or a correlation outside −1 … 1.
    """

    distribution: Distribution = "normal"
    mean: float = 0.0
    correlation: float = 0.0
    initialisation: Initialisation = "unit"

    def __post_init__(self) -> None:
        if self.distribution not in EVEN_MOMENTS:
            raise ValueError(f"the distribution must be {', '.join(EVEN_MOMENTS)}; not {self.distribution!r}")
        if self.initialisation not in COMPONENT_VARIANCE:
            raise ValueError(f"the initialisation must be {', '.join(COMPONENT_VARIANCE)}; not {self.initialisation!r}")
        if not math.isfinite(self.mean):
            raise ValueError(f"the mean must be finite, not {self.mean}")
        if not -1 <= self.correlation <= 1:
            raise ValueError(f"the correlation must lie between -1 and 1, not {self.correlation}")

    @property
    def component_variance(self) -> float:
        """s², the variance of each component of q and of k."""
        return COMPONENT_VARIANCE[self.initialisation]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """ΣU, ΣV, ΣU² and ΣUV over the first d_k components of every sample, for each stop of d_k."""

    stops: tuple[int, ...]
    u: Float[Tensor, "stops samples"]
    v: Float[Tensor, "stops samples"]
    uu: Float[Tensor, "stops samples"]
    uv: Float[Tensor, "stops samples"]


@dataclass(frozen=True, slots=True)
class Law:
    """Exact moments of one product XY, and of the sums of d_k independent ones."""

    mean: float  # E(XY)
    variance: float  # D(XY)
    excess: float  # of XY; infinite where a moment does not exist, NaN where XY does not vary
    component_mean: float  # E(X) = E(Y)
    component_variance: float  # D(X) = D(Y)

    def variance_error(self, d_k: int, samples: int) -> float:
        """The standard error of the sample variance of q·k, from its kurtosis κ(XY)/d_k; NaN where that is infinite."""
        if self.variance == 0:
            return 0.0
        if math.isinf(self.excess):
            return math.nan
        return d_k * self.variance * math.sqrt((self.excess / d_k + 2 * samples / (samples - 1)) / samples)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    r"""Sample mean, variance (÷ n−1) and excess kurtosis along the last axis, with standard errors.

    That of the variance uses the fourth central moment, $\sqrt{(m_4 - \frac{n-3}{n-1}s^4)/n}$ (Mood, Graybill & Boes
    1974, p. 229): for heavy tails it is far from the $s^2\sqrt{2/n}$ of a Gaussian. NaN for fewer than two samples.
    """

    mean: Float[Tensor, "*batch"]
    mean_error: Float[Tensor, "*batch"]
    variance: Float[Tensor, "*batch"]
    variance_error: Float[Tensor, "*batch"]
    excess: Float[Tensor, "*batch"]
    excess_error: Float[Tensor, "*batch"]


@dataclass(frozen=True, slots=True)
class Line:
    """One equation of the derivation: both sides as measured, and both sides exactly, under the assumptions chosen."""

    key: Key
    left: float
    error: float
    right: float
    exact_left: float
    exact_right: float

    @property
    def holds(self) -> bool:
        """Whether the equation is true of these assumptions, not merely of these samples."""
        return math.isclose(self.exact_left, self.exact_right, rel_tol=1e-9, abs_tol=1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    r"""q·k of real vectors over all n_q × n_k pairs, population moments; the parts add up to the variance exactly:

    $D(q\cdot k) = \sum_i\sigma_{q_i}^2\sigma_{k_i}^2 + \sum_{i\ne j}(\Sigma_q)_{ij}(\Sigma_k)_{ij}
    + \bar q^\top\Sigma_k\bar q + \bar k^\top\Sigma_q\bar k$.
    """

    mean: Float[Tensor, "*batch"]
    variance: Float[Tensor, "*batch"]
    excess: Float[Tensor, "*batch"]
    own: Float[Tensor, "*batch"]  # each component by itself: all that the derivation counts
    together: Float[Tensor, "*batch"]  # components that move together
    offset: Float[Tensor, "*batch"]  # means that are not 0


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


def law(assumptions: Assumptions) -> Law:
    """The closed forms of the module's docstring; the fourth moment by expanding (XY − E)⁴ in moments of U and V."""
    mean, rho, s2 = assumptions.mean, assumptions.correlation, assumptions.component_variance
    m4 = EVEN_MOMENTS[assumptions.distribution][1]
    variance = 2 * mean**2 * s2 * (1 + rho) + s2**2 * (1 + rho**2 * (m4 - 2))
    if math.isclose(variance, 0, abs_tol=1e-12):
        return Law(mean**2 + rho * s2, 0.0, math.nan, mean, s2)
    excess = _fourth_central(assumptions) / variance**2 - 3
    return Law(mean**2 + rho * s2, variance, excess, mean, s2)


def moments(samples: Float[Tensor, "*batch samples"]) -> Moments:
    """Mean, variance, excess kurtosis and standard errors, in float64.

    That of the excess κ − 3 is the spread of each sample's influence on it, z⁴ − 2κz² − 4γz + κ (γ: skew), over √n.
    """
    x = samples.double()
    n = x.shape[-1]
    mean = x.mean(dim=-1)
    squares = (x - mean[..., None]).square()
    m2, m4 = squares.mean(dim=-1), squares.square().mean(dim=-1)
    variance = m2 * (n / (n - 1) if n > 1 else math.nan)
    spread = (m4 - (n - 3) / max(n - 1, 1) * variance.square()) / n
    return Moments(
        mean, (variance / n).sqrt(), variance, spread.clamp(min=0).sqrt(), _excess(m2, m4), _excess_error(x, mean, m2)
    )


def _excess_error(x: Tensor, mean: Tensor, m2: Tensor) -> Tensor:
    z = (x - mean[..., None]) / m2[..., None].sqrt()
    z2 = z.square()
    z4 = z2.square()
    pairs = ((z2, z), (z2, z2), (z4, z), (z4, z2), (z4, z4))
    skew, kurtosis, fifth, sixth, eighth = ((a * b).mean(dim=-1) for a, b in pairs)
    spread = eighth - 4 * kurtosis * sixth - 8 * skew * fifth + 4 * kurtosis**3 - kurtosis**2
    return ((spread + 16 * skew**2 * (1 + kurtosis)).clamp(min=0) / x.shape[-1]).sqrt()


def derivation(sums: Sums, assumptions: Assumptions, d_k: int) -> tuple[Line, ...]:
    """Every equation between E(XY) and D(q·k/√d_k) = 1, both sides measured and exact. d_k must be one of the stops."""
    exact = law(assumptions)
    x, y = (side.double() for side in first_components(sums, assumptions))
    both = moments(torch.stack([x * y, (x * y).square()]))
    e_xy, e_xxyy = both.mean.tolist()
    e_xy_error, e_xxyy_error = both.mean_error.tolist()
    d_xy, d_xy_error = float(both.variance[0]), float(both.variance_error[0])
    e_x, e_y, e_xx, e_yy = (float(side.mean()) for side in (x, y, x.square(), y.square()))
    dots = moments(products(sums, assumptions)[sums.stops.index(d_k)])
    mean, mean_error, variance, variance_error = (
        float(value) for value in (dots.mean, dots.mean_error, dots.variance, dots.variance_error)
    )
    squared = exact.component_variance + exact.component_mean**2  # E(X²) = E(Y²)
    e_x2y2 = exact.variance + exact.mean**2
    ones_error = math.hypot(*(float(moments(side.square()).mean_error) for side in (x, y)))
    return (
        Line("product", e_xy, e_xy_error, e_x * e_y, exact.mean, exact.component_mean**2),
        Line("zero", e_x * e_y, _mean_product_error(x, y), 0.0, exact.component_mean**2, 0.0),
        Line("definition", d_xy, d_xy_error, e_xxyy - e_xy**2, exact.variance, e_x2y2 - exact.mean**2),
        Line("squares", e_xxyy, e_xxyy_error, e_xx * e_yy, e_x2y2, squared**2),
        Line("ones", e_xx * e_yy, ones_error * max(e_xx, e_yy), 1.0, squared**2, 1.0),
        Line("sum_mean", mean, mean_error, 0.0, d_k * exact.mean, 0.0),
        Line("sum_variance", variance, variance_error, d_k * d_xy, d_k * exact.variance, d_k * exact.variance),
        Line("d_k", d_k * d_xy, d_k * d_xy_error, float(d_k), d_k * exact.variance, float(d_k)),
        Line("scaled", variance / d_k, variance_error / d_k, 1.0, exact.variance, 1.0),
    )


def observed(q: Float[Tensor, "*batch n_q d_k"], k: Float[Tensor, "*batch n_k d_k"]) -> Observed:
    """The moments of all pairs q_i·k_j, and where the variance comes from, in float64."""
    q, k = q.double(), k.double()
    dots = (q @ k.mT).flatten(-2)
    (q_mean, q_cov), (k_mean, k_cov) = _mean_and_covariance(q), _mean_and_covariance(k)
    own = (q_cov.diagonal(dim1=-2, dim2=-1) * k_cov.diagonal(dim1=-2, dim2=-1)).sum(dim=-1)
    mean = dots.mean(dim=-1)
    squares = (dots - mean[..., None]).square()
    m2 = squares.mean(dim=-1)
    return Observed(
        mean=mean,
        variance=m2,
        excess=_excess(m2, squares.square().mean(dim=-1)),
        own=own,
        together=(q_cov * k_cov).sum(dim=(-2, -1)) - own,
        offset=_quadratic(k_cov, q_mean) + _quadratic(q_cov, k_mean),
    )


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


def _fourth_central(assumptions: Assumptions) -> float:
    """E[(XY − E(XY))⁴], from the polynomial {(power of U, power of V): coefficient}."""
    mean, rho, s2 = assumptions.mean, assumptions.correlation, assumptions.component_variance
    s, c = math.sqrt(s2), math.sqrt(1 - rho**2)
    polynomial = {
        (0, 0): -rho * s2,
        (1, 0): mean * s * (1 + rho),
        (0, 1): mean * s * c,
        (2, 0): s2 * rho,
        (1, 1): s2 * c,
    }
    fourth = _times(*(2 * [_times(polynomial, polynomial)]))
    even = (1.0, *EVEN_MOMENTS[assumptions.distribution])
    terms = [
        coefficient * even[i // 2] * even[j // 2]
        for (i, j), coefficient in fourth.items()
        if coefficient and i % 2 == 0 and j % 2 == 0
    ]
    # Something positive with an infinite term in it is infinite, whatever the signs of the others.
    return sum(terms) if all(map(math.isfinite, terms)) else math.inf


def _times(a: dict[tuple[int, int], float], b: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
    product: dict[tuple[int, int], float] = {}
    for (i, j), left in a.items():
        for (m, n), right in b.items():
            product[i + m, j + n] = product.get((i + m, j + n), 0.0) + left * right
    return product


def _excess(m2: Tensor, m4: Tensor) -> Tensor:
    return torch.where(m2 > 0, m4 / m2.square() - 3, torch.nan)


def _mean_product_error(x: Tensor, y: Tensor) -> float:
    """The standard error of mean(x)·mean(y), to first order, with the errors of correlated x and y added."""
    n, (mean_x, mean_y) = x.shape[0], (x.mean(), y.mean())
    linear = (x - mean_x) * mean_y + (y - mean_y) * mean_x
    second = x.var() * y.var() / n
    return float(((linear.square().mean() + second) / n).sqrt())


def _mean_and_covariance(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = x.mean(dim=-2)
    centred = x - mean[..., None, :]
    return mean, centred.mT @ centred / x.shape[-2]


def _quadratic(matrix: Tensor, vector: Tensor) -> Tensor:
    return (vector[..., None, :] @ matrix @ vector[..., :, None]).squeeze(-1).squeeze(-1)
