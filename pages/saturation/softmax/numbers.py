"""What the Softmax page computes, section by section: the article's row, the reader's, its Jacobian, dtypes. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.softmax import (
    ROUNDINGS,
    central_differences,
    complement,
    eigenvalues,
    entropy,
    first_favourite,
    first_gap,
    frobenius,
    jacobian,
    row_of_two,
    spectral,
    trace,
    two_to_one,
)
from ui.numbers import significant

# The article's row [a, a, 2a]. Below 40 the stops are fine; there torch's y₃ becomes 1, and only its logarithm goes on.
A_STOPS = (*(step / 10 for step in range(401)), *(float(a) for a in range(41, 101)))
PRINTED = {1: "0.5761168847658291", 10: "0.9999092083843412", 100: "1.0"}  # a → y₃, quoted from the article

# The reader's row. Sixteenths times five bits: (x + c)·β is exact in float32, so adding c moves nothing, not one bit.
STEP = 1 / 16
LOW, HIGH = -5.0, 5.0
LEAST, MOST = 2, 16  # components
BETAS = (0.0, *((1 + k / 16) * 2.0**octave for octave in range(-3, 5) for k in range(16)), 32.0)
SHIFTS = tuple(float(c) for c in range(-100, 101))
H_STOPS = tuple(10 ** (-k / 8) for k in range(97))  # 1 … 10⁻¹², steps of finite differences

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32, "fp64": torch.float64}
ROUND_GAPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
GAPS = tuple(sorted({*ROUND_GAPS, *(float(f"{0.5 * 2 ** (k / 32):.4g}") for k in range(353))}))  # 0.5 … 1024
SUBTRACTED = (True, False)

# Columns of the tables below; `log_` stands for log₁₀.
MEASURES = ("peak", "log_rest", "entropy", "support", "log_trace", "log_frobenius", "log_spectral")
BOUNDS = ("log_gershgorin", "log_gershgorin_low", "null")
FAVOURITE = ("y3", "log_rest3", "log_y1")
ERRORS = ("log_differences", "autograd", "differences")
KEPT = tuple((dtype, what) for dtype in (*DTYPES, "exact") for what in ("winner", "loser"))

Row = Sequence[float]


def measures(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch measures"]:
    """MEASURES of each row, small ones as log₁₀."""
    nats = entropy(p)
    columns = {
        "peak": p.amax(dim=-1),
        "log_rest": complement(p).amin(dim=-1).log10(),
        "entropy": nats,
        "support": nats.exp(),
        "log_trace": trace(p).log10(),
        "log_frobenius": frobenius(p).log10(),
        "log_spectral": spectral(p).log10(),
    }
    return torch.stack([columns[name] for name in MEASURES], dim=-1)


# --- the article's row ---


def article_rows() -> Float[np.ndarray, "a 3"]:
    """[a, a, 2a] at every a."""
    return np.outer(A_STOPS, [1.0, 1.0, 2.0])


def article_numbers() -> Float[np.ndarray, "a columns"]:
    """FAVOURITE and MEASURES of the softmax of these rows."""
    y, rest = two_to_one(torch.tensor(A_STOPS, dtype=torch.float64))
    favourite = torch.stack([y, rest.log10(), (rest / 2).log10()], dim=-1)
    return torch.cat([favourite, measures(torch.softmax(torch.from_numpy(article_rows()), dim=-1))], dim=-1).numpy()


@cache
def softmax_is_one(dtype: str) -> float:
    """From which a on y₃ is exactly 1 in this dtype."""
    return first_favourite(DTYPES[dtype])


@dataclass(frozen=True, slots=True)
class Printed:
    """One value of the article beside the true one, torch's, and the article's own expression evaluated here."""

    a: int
    article: str
    true: str
    torch: str
    written: str


def printed_values(digits: int = 24) -> list[Printed]:
    """The article's three values. The true ones are computed with `digits` + 30 decimal digits."""
    return [
        Printed(a, article, _true(a, digits), repr(_by_torch(a)), repr(_as_written(a)))
        for a, article in PRINTED.items()
    ]


def _true(a: int, digits: int) -> str:
    with localcontext(prec=digits + 60):
        rest = 2 / (2 + Decimal(a).exp())
        return f"{1 - rest:.{digits}f}" if rest > Decimal(10) ** -digits else f"1 − {significant(float(rest))}"


def _by_torch(a: int) -> float:
    return float(torch.softmax(torch.tensor([a, a, 2 * a], dtype=torch.float64), dim=-1)[2])


def _as_written(a: int) -> float:
    return math.exp(2 * a) / (math.exp(a) + math.exp(a) + math.exp(2 * a))


# --- the reader's row ---


def stepped(value: float) -> float:
    """A score on its step and within bounds; 0 for what is no finite number."""
    return round(max(LOW, min(HIGH, value)) / STEP) * STEP if math.isfinite(value) else 0.0


def softmax_along_beta(x: Row) -> Float[Tensor, "beta n"]:
    """softmax(β·x) at every β. The constant c does nothing: it is no axis."""
    return torch.softmax(torch.tensor(BETAS, dtype=torch.float64)[:, None] * torch.tensor(x, dtype=torch.float64), -1)


def row_measures(x: Row) -> Float[np.ndarray, "beta columns"]:
    """MEASURES and BOUNDS of the row at every β; "null" is the largest |Σ_j J_ij|, which is 0 but for rounding."""
    p = softmax_along_beta(x)
    bound = (p * complement(p)).amax(dim=-1)
    null = jacobian(p).sum(dim=-1).abs().amax(dim=-1)
    bounds = torch.stack([(2 * bound).log10(), bound.log10(), null], dim=-1)
    return torch.cat([measures(p), bounds], dim=-1).numpy()


def spectra(x: Row) -> Float[np.ndarray, "beta n"]:
    """The eigenvalues of J at every β, the largest first."""
    spectrum = eigenvalues(softmax_along_beta(x)).clamp(min=0.0)
    spectrum[..., -1] = 0.0  # exactly: J·1 = 0. What eigvalsh returns here is its rounding
    return spectrum.numpy()


def arrays(x: Row, beta: float, c: float) -> dict[str, np.ndarray]:
    """The reader's row, what softmax makes of it, its Jacobian, and the measures at every β."""
    scores = torch.tensor(x, dtype=torch.float64)
    p = torch.softmax(beta * (scores + c), dim=-1)
    return {
        "x": scores.numpy(),
        "p": p.numpy(),
        "jacobian": jacobian(p).numpy(),
        "betas": np.asarray(BETAS),
        "measures": row_measures(x),
        "eigenvalues": spectra(x),
    }


# --- three ways to the same Jacobian ---


@dataclass(frozen=True, slots=True, eq=False)
class Jacobians:
    """One Jacobian by formula, by autograd, and by central differences at every h, with ERRORS at every h."""

    formula: Float[np.ndarray, "n n"]
    autograd: Float[np.ndarray, "n n"]
    differences: Float[np.ndarray, "h n n"]
    errors: Float[np.ndarray, "h 3"]

    @property
    def residual(self) -> float:
        """How far formula and autograd are apart, at most."""
        return float(np.abs(self.formula - self.autograd).max())


def jacobians(x: Row, beta: float) -> Jacobians:
    """The Jacobian of softmax(β·x) in three ways, and how far each lies from the formula, at most."""
    z = beta * torch.tensor(x, dtype=torch.float64)
    formula, theirs = jacobian(torch.softmax(z, dim=-1)), by_autograd(z)
    differences = torch.stack([central_differences(z, h) for h in H_STOPS])
    apart = (differences - formula).abs().amax(dim=(1, 2))
    residual = (formula - theirs).abs().max().expand(len(H_STOPS))
    errors = torch.stack([apart.log10(), residual, apart], dim=-1)  # where softmax moves by less than it rounds: −∞
    return Jacobians(formula.numpy(), theirs.numpy(), differences.numpy(), errors.numpy())


def by_autograd(z: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    """torch's own Jacobian of torch's own softmax."""
    theirs = torch.autograd.functional.jacobian(lambda scores: torch.softmax(scores, dim=-1), z)
    assert isinstance(theirs, Tensor)
    return theirs


# --- what a dtype keeps ---


@cache
def kept_by_dtypes() -> Float[np.ndarray, "subtracted gap columns"]:
    """log₁₀ of |∂p₁/∂x₁| and of p₂ at every gap, really computed in each dtype, then without rounding: KEPT.

    NaN stays NaN.
    """
    gaps = torch.tensor(GAPS, dtype=torch.float64)
    log_loser = -gaps - torch.log1p(torch.exp(-gaps))  # ln p₂
    exact = [(log_loser - torch.log1p(torch.exp(-gaps))) / math.log(10), log_loser / math.log(10)]
    switched = [
        torch.stack([*(column for dtype in DTYPES.values() for column in _kept(gaps, dtype, subtract)), *exact], dim=-1)
        for subtract in SUBTRACTED
    ]
    return torch.stack(switched).numpy()


def _kept(gaps: Float[Tensor, " gap"], dtype: torch.dtype, subtract_max: bool) -> tuple[Tensor, Tensor]:
    """The winner's derivative and the loser's probability, as log₁₀; where the row is lost, ∞/∞ leaves 0 beside NaN."""
    p, slope = row_of_two(gaps, dtype, subtract_max=subtract_max)
    loser = torch.where(p[:, 0].isnan(), torch.nan, p[:, 1].double())
    return slope[:, 0].double().abs().log10(), loser.log10()


@cache
def thresholds() -> dict[str, tuple[float, ...]]:
    """Per dtype: ε, then the least gap of each of the core's ROUNDINGS. Measured, once a process."""
    return {
        name: (torch.finfo(dtype).eps, *(first_gap(loss, dtype) for loss in ROUNDINGS))
        for name, dtype in DTYPES.items()
    }
