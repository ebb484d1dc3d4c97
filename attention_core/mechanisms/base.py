"""What every mechanism is: a row of a table that says how to call `attend`, what it learns and what it costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.attention import AttentionTrace, Score, attend, dot
from attention_core.finite import cleaned
from attention_core.normalizers import Normalize, softmax
from attention_core.precision import wide
from attention_core.scalings import NONE, Scaling

AXES = ("score", "scaling", "normalizer", "mask", "memory")

Parameters = Mapping[str, Float[Tensor, "h ..."]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSizes:
    """The sizes that decide what a mechanism learns and costs."""

    n_head: int
    n_q: int
    n_k: int
    d_k: int
    d_v: int

    @property
    def pairs(self) -> int:
        """h · n_q · n_k: the scores of all heads."""
        return self.n_head * self.n_q * self.n_k


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the reader sets: half-width D of a window in tokens, a given centre p_t (None: the mechanism's own), a seed.

    Raises ValueError for a negative half-width.
    """

    radius: int = 2
    center: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.radius < 0:
            raise ValueError(f"the half-width D must be 0 or more tokens, not {self.radius}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One use of a mechanism: the vectors, its parameters (first axis: head), the reader's options and mask."""

    q: Float[Tensor, "*batch h n_q d_k"]
    k: Float[Tensor, "*batch h n_k d_k"]
    parameters: Parameters
    options: Options
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """What `attend` is given for one call."""

    score: Score = dot
    scaling: Scaling = NONE
    normalize: Normalize = softmax
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Floating-point operations of all heads, and how many numbers the largest stage holds (`held`).

    `products`: in matrix products, where a multiply and an add are two. `pointwise`: the rest, where each addition,
    exponential, tanh … is one.
    """

    products: int
    pointwise: int
    held: int

    @property
    def total(self) -> int:
        """All floating-point operations."""
        return self.products + self.pointwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One row. `score`, `scaling`, `normalizer`, `mask` and `memory` say in a word what stands on each of the AXES.

    `gradient` says what reaches q and k. `draw(sizes, generator)` gives what is learned at its start, N(0, 1/fan-in)
    unless the file says otherwise; `scoring(sizes)` what the scores cost, beyond which softmax and α V cost the same
    for all.
    """

    title: str
    formula: str
    reference: str
    score: str
    gradient: str
    prepare: Callable[[Call], Parts]
    scoring: Callable[[LayerSizes], Cost]
    scaling: str = "none"
    normalizer: str = "softmax"
    mask: str = "none"
    memory: str = "keys"
    draw: Callable[[LayerSizes, torch.Generator], dict[str, Tensor]] = lambda sizes, generator: {}

    def parameters(self, sizes: LayerSizes, seed: int = 0) -> dict[str, Float[Tensor, "h ..."]]:
        """Untrained parameters, one slice a head; the same seed gives the same numbers."""
        return self.draw(sizes, torch.Generator().manual_seed(seed))

    def learned(self, sizes: LayerSizes) -> int:
        """How many numbers all heads learn, besides W_Q, W_K, W_V and W_O."""
        return sum(parameter.numel() for parameter in self.parameters(sizes).values())

    def cost(self, sizes: LayerSizes) -> Cost:
        """Scores, softmax (an exponential, a sum and a division each) and α V."""
        scoring = self.scoring(sizes)
        return Cost(
            products=scoring.products + 2 * sizes.pairs * sizes.d_v,
            pointwise=scoring.pointwise + 3 * sizes.pairs,
            held=max(scoring.held, sizes.pairs),
        )


def run(
    mechanism: Mechanism,
    q: Float[Tensor, "*batch h n_q d_k"],
    k: Float[Tensor, "*batch h n_k d_k"],
    v: Float[Tensor, "*batch h n_k d_v"],
    *,
    parameters: Parameters,
    options: Options | None = None,
    allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
) -> AttentionTrace:
    """`attend` as the mechanism calls it. `allowed` is the reader's mask; the mechanism's own can only forbid more.

    What is not finite comes in through the scores alone: windows, gates and parameters are 0 · NaN away from it.
    """
    asks, answers = (cleaned(wide(side)) for side in (q, k))
    learned = {name: wide(parameter) for name, parameter in parameters.items()}
    parts = mechanism.prepare(
        Call(q=asks, k=answers, parameters=learned, options=options or Options(), allowed=allowed)
    )
    masks = [mask for mask in (parts.allowed, allowed) if mask is not None]
    return attend(
        q,
        k,
        v,
        score=parts.score,
        scaling=parts.scaling,
        normalize=parts.normalize,
        allowed=torch.logical_and(*masks) if len(masks) == 2 else next(iter(masks), None),
    )


def moved(one: Mechanism, other: Mechanism) -> tuple[str, ...]:
    """The axes on which two mechanisms differ."""
    return tuple(axis for axis in AXES if getattr(one, axis) != getattr(other, axis))


def gaussian(shape: tuple[int, ...], fan_in: int, generator: torch.Generator) -> Tensor:
    """N(0, 1/fan_in): a unit-variance input gives a unit-variance output."""
    return torch.randn(shape, generator=generator) * fan_in**-0.5


def products(sizes: LayerSizes) -> Cost:
    """One dot product of length d_k for every pair."""
    return Cost(products=2 * sizes.pairs * sizes.d_k, pointwise=0, held=sizes.pairs)
