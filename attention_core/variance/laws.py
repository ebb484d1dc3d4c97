"""What is assumed of the components of q and k, and what follows for q·k, in closed form."""

import math
from dataclasses import dataclass
from typing import Literal

Distribution = Literal["normal", "uniform", "rademacher", "student"]
Initialisation = Literal["unit", "linear"]

# E(U²), E(U⁴), E(U⁶), E(U⁸). Student's t with 5 degrees of freedom has no moment of order 5 or more.
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


def law(assumptions: Assumptions) -> Law:
    """The closed forms of the package's docstring; the fourth moment by expanding (XY − E)⁴ in moments of U and V."""
    mean, rho, s2 = assumptions.mean, assumptions.correlation, assumptions.component_variance
    m4 = EVEN_MOMENTS[assumptions.distribution][1]
    variance = 2 * mean**2 * s2 * (1 + rho) + s2**2 * (1 + rho**2 * (m4 - 2))
    if math.isclose(variance, 0, abs_tol=1e-12):
        return Law(mean**2 + rho * s2, 0.0, math.nan, mean, s2)
    excess = _fourth_central(assumptions) / variance**2 - 3
    return Law(mean**2 + rho * s2, variance, excess, mean, s2)


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
