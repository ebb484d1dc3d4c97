"""The sentence in an untrained layer, in float64 and without positions: what every part of the page starts from."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from attention_core import attend
from attention_core.models import Projections, Sizes
from attention_core.models.from_scratch import Source
from ui import session
from ui.session import SCRATCH, Study

MAX_TOKENS = 64
N_HEAD, D_MODEL, D_HEAD = 8, 64, 8
OTHER_WORD = "dragon"  # the same in every language, so that a link shows the same numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """The first MAX_TOKENS tokens, their vectors, the matrices of the layer; `count` tokens were typed."""

    text: str
    sizes: Sizes
    tokens: tuple[str, ...]
    count: int
    x: Float[Tensor, "n d_model"]
    layer: Projections

    def values(self) -> dict[str, object]:
        """What a script needs to make the same x and the same matrices."""
        return {"text": self.text, "source": self.sizes.source, "seed": self.sizes.seed}


def read(text: str, source: Source, seed: int) -> Reading:
    """The sentence as this page reads it."""
    sizes = Sizes(n_head=N_HEAD, d_model=D_MODEL, d_k=D_HEAD, d_v=D_HEAD, seed=seed, positions="none", source=source)
    run = session.run(Study(text=text, model=SCRATCH, sizes=sizes))
    drawn = run.layers[0]
    assert drawn.x is not None
    matrices = {name: getattr(drawn.projections, name).double() for name in ("W_Q", "W_K", "W_V", "W_O")}
    return Reading(
        text=text,
        sizes=sizes,
        tokens=run.tokens.strings[:MAX_TOKENS],
        count=len(run.tokens) + run.tokens.dropped,
        x=drawn.x[:MAX_TOKENS].double(),
        layer=Projections(**matrices),
    )


def weights(reading: Reading, head: int) -> Float[Tensor, "n n"]:
    """Those of this head, counted from 0, without positions."""
    q, k, v = (reading.x @ getattr(reading.layer, name)[head] for name in ("W_Q", "W_K", "W_V"))
    return attend(q, k, v).weights


def other_word(reading: Reading) -> Float[Tensor, " d_model"]:
    """The vector of OTHER_WORD in the same layer."""
    drawn = session.run(Study(text=OTHER_WORD, model=SCRATCH, sizes=reading.sizes)).layers[0]
    assert drawn.x is not None
    return drawn.x[0].double()


def log10(value: Tensor) -> Tensor:
    """log₁₀ in float64; −∞ for 0."""
    return value.double().log10()


def evenly(count: int, most: int) -> tuple[int, ...]:
    """At most `most` of `count` places, evenly from the first."""
    return tuple(range(0, count, max(1, math.ceil(count / most))))


def apart(left: Tensor, right: Tensor) -> float:
    """max |left − right|."""
    return float((left - right).abs().max()) if left.numel() else 0.0
