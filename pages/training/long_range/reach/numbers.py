"""How far a gradient reaches before any training, by autograd; how long one waits, and how long the way is."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from attention_core.experiments.gradient_reach import (
    ATTENTION,
    GradientReach,
    decay,
    gradient_reach,
    path_length,
    sequential_depth,
)
from ui.scripts import filled

REACHED = (ATTENTION, "lstm_forget", "gru", "lstm", "bilstm", "rnn")
SEEDS, BATCH, WIDTH, LONGEST = 5, 4, 64, 256
LENGTHS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)  # at which the laws are compared
ONE_WAY, BOTH_WAYS = "lstm", "bilstm"  # as every recurrent layer of their kind
ENDS = ("median", "least", "most")  # of the seeds
LAWS = {  # column → what is counted
    "depth": lambda n: sequential_depth(ONE_WAY, n),
    "depth.attention": lambda n: sequential_depth(ATTENTION, n),
    "path": lambda n: path_length(ONE_WAY, n),
    "path.both_ways": lambda n: path_length(BOTH_WAYS, n),
    "path.attention": lambda n: path_length(ATTENTION, n),
}


@dataclass(frozen=True, slots=True, eq=False)
class Reaches:
    """log₁₀ of the reach (n, kinds, ENDS), and ρ of every kind, the seeds' median."""

    logs: np.ndarray
    factors: np.ndarray


def reaches(n: int, seed: int, x: Float[Tensor, "n d"] | None = None) -> Generator[float, None, Reaches]:
    """By autograd, for SEEDS seeds from `seed` on; `x`: the vectors of a sentence, else N(0, 1). A kind is a piece."""
    logs, factors = [], []
    for kind in REACHED:
        curves = [
            gradient_reach(
                GradientReach(kind=kind, length=n, d=WIDTH, batch=BATCH, seed=own), None if x is None else x[None]
            )
            for own in range(seed, seed + SEEDS)
        ]
        with np.errstate(divide="ignore"):
            powers = np.log10(np.stack([curve.numpy() for curve in curves]))
        logs.append(np.stack([np.median(powers, axis=0), powers.min(axis=0), powers.max(axis=0)], axis=-1))
        # A layer that reads both ways begins again at the other end: its decay is that of the nearer half.
        half = -(-n // 2) + 1 if kind.startswith("bi") else n
        factors.append(np.median([decay(curve[:half]) for curve in curves]))
        yield len(factors) / len(REACHED)
    return Reaches(np.stack(logs, axis=1), np.array(factors))


def lengths(n: int) -> tuple[int, ...]:
    """The stops of n of the laws: LENGTHS, and the reader's own."""
    return tuple(sorted({*LENGTHS, n} if n >= LENGTHS[0] else LENGTHS))


def laws(n: int) -> np.ndarray:
    """(stops, LAWS): depth of a recurrent layer and of attention; path one way, both ways, and in attention."""
    return np.array([[count(length) for count in LAWS.values()] for length in lengths(n)], dtype=np.float64)


def arrays(reaches: Reaches, n: int) -> dict[str, np.ndarray]:
    """log₁₀ reach of every kind (distance, ENDS), ρ, and the laws against n."""
    return {
        **{f"log10_reach_{kind}": reaches.logs[:, index] for index, kind in enumerate(REACHED)},
        "factor": reaches.factors,
        "n": np.array(lengths(n)),
        "depth_and_path": laws(n),
    }


def script(n: int, seed: int, text: str | None) -> str:
    """A script that prints the same medians; `text`: the reader's own, else random vectors."""
    file = Path(__file__).with_name("script.py")
    return filled(file, text=text, n=n, seeds=range(seed, seed + SEEDS), kinds=REACHED, d=WIDTH, batch=BATCH)
