"""Middle needle: recurrent layers against attention under an equal time budget.

T symbols of 8 kinds, one of them flagged, somewhere in the central T/8; the answer is the flagged symbol (chance 1/8).
Honest notes: a GRU sometimes succeeds; on one CPU thread attention is not faster, its path is shorter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import thread_time
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention_core.experiments.base import Observation, Record, Task, accuracy_on, build, half, normal, stream, train
from attention_core.experiments.gradient_reach import ATTENTION, LAYER_KINDS
from attention_core.experiments.layers import AttentionLayer
from attention_core.experiments.recurrent import last_state, layer

EMBEDDED = 32  # width of what a recurrent layer reads
SHOWN = 4


class Reader(nn.Module):
    """Symbols and flags → the flagged symbol. Attention reads with one learned token that asks all positions."""

    def __init__(self, kind: str, symbols: int, d: int, seed: int) -> None:
        super().__init__()
        draw = stream(seed, "weights")
        width = d if kind == ATTENTION else EMBEDDED
        self.symbols, self.flags = normal((symbols, width), draw), normal((2, width), draw)
        self.attention = AttentionLayer(d_model=d, n_head=1, d_k=d, seed=seed) if kind == ATTENTION else None
        self.recurrent = None if kind == ATTENTION else layer(kind, width, d, draw)
        self.asks = normal((1, d), draw) if kind == ATTENTION else None
        self.norm = nn.LayerNorm(d) if kind == ATTENTION else nn.Identity()
        outputs = 2 * d if kind.startswith("bi") else d
        self.read = cast(nn.Linear, build(nn.Linear, outputs, symbols, generator=draw))

    def forward(self, tokens: Int[Tensor, "b n 2"]) -> tuple[Float[Tensor, "b classes"], Float[Tensor, "b n"] | None]:
        """Logits, and in attention the weights of the token that asks."""
        x = self.symbols[tokens[..., 0]] + self.flags[tokens[..., 1]]
        if self.recurrent is not None:
            return self.read(last_state(self.recurrent, x)), None
        assert self.attention is not None
        assert self.asks is not None
        out, trace = self.attention(torch.cat([self.asks.expand(len(x), 1, -1), x], dim=1))
        return self.read(self.norm(out[:, 0])), trace.weights[:, 0, 0, 1:]

    def matrices(self) -> dict[str, nn.Parameter]:
        """W_Q.0 … W_O.0, or W_ih and W_hh of the (forward) recurrent layer."""
        if self.recurrent is not None:
            return {
                name: getattr(self.recurrent, f"{long}_l0")
                for name, long in (("W_ih", "weight_ih"), ("W_hh", "weight_hh"))
            }
        assert self.attention is not None
        return {f"{name}.0": getattr(self.attention.attention, name) for name in ("W_Q", "W_K", "W_V", "W_O")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """One layer of `reach.KINDS`, d 64; Adam 3e-3, batch 64, clip 1.0. `seconds`: the run ends when they have passed.

    With a time budget every record also says in `seconds` how long it had trained, the same seed gives the same records
    otherwise, and how many of them depends on the machine; None: `steps` decides. Only the time counts that the core of
    its thread has spent training, not waiting for others, and not what the records take. Arrays: matrices, gradients,
    `tokens` (4 n 2), `weights` (4 n).
    """

    kind: str = ATTENTION
    length: int = 128
    symbols: int = 8
    d: int = 64
    lr: float = 3e-3
    clip: float = 1.0
    stop_at: float = 0.995
    seconds: float | None = None
    steps: int = 1000
    every: int = 20
    seed: int = 0
    batch: int = 64
    evaluated: int = 250

    def __post_init__(self) -> None:
        if self.kind not in LAYER_KINDS:
            raise ValueError(f"the layer must be {', '.join(LAYER_KINDS)}; not {self.kind!r}")
        if self.length < 8:
            raise ValueError(f"the sequence must have 8 symbols or more, not {self.length}")

    def records(self) -> Iterator[Record]:
        """Train. Raises Diverged."""
        model, data = self.build(), stream(self.seed, "data")
        held_out = self.draw(stream(self.seed, "held out"), self.evaluated)

        def objective() -> tuple[Tensor, Tensor]:
            tokens, answer = self.draw(data, self.batch)
            logits, _ = model(tokens)
            return F.cross_entropy(logits, answer), (logits.argmax(dim=-1) == answer).float().mean()

        looking = 0.0

        def observe(keep: bool) -> Observation:
            nonlocal looking
            begun = thread_time()
            accuracy, arrays = accuracy_on(lambda block: model(block)[0], *held_out), {}
            if keep:
                with torch.no_grad():
                    weights = model(held_out[0][:SHOWN])[1]
                arrays = {"tokens": held_out[0][:SHOWN].to(torch.uint8)}
                arrays |= {} if weights is None else {"weights": half(weights)}
            looking += thread_time() - begun
            return Observation(accuracy=accuracy, arrays=arrays)

        task = Task(
            model=model,
            objective=objective,
            observe=observe,
            matrices=model.matrices(),
            lr=self.lr,
            clip=self.clip,
            stop_at=self.stop_at,
        )
        spent, since = 0.0, thread_time()
        for record in train(self, task):
            spent += thread_time() - since - looking
            looking = 0.0
            if self.seconds is None:
                yield record
            else:
                timed = replace(record, measures={**record.measures, "seconds": spent})
                late = spent >= self.seconds
                yield _last(timed, model) if late else timed
                if late:
                    return
            since = thread_time()

    def build(self) -> Reader:
        """The model at step 0."""
        return Reader(self.kind, self.symbols, self.d, self.seed)

    def draw(self, generator: torch.Generator, count: int) -> tuple[Int[Tensor, "b n 2"], Int[Tensor, " b"]]:
        """Symbols and flags, and the flagged symbol."""
        symbols = torch.randint(self.symbols, (count, self.length), generator=generator)
        window = self.length // 8
        where = (self.length - window) // 2 + torch.randint(window, (count, 1), generator=generator)
        flags = torch.zeros_like(symbols).scatter(1, where, 1)
        return torch.stack([symbols, flags], dim=-1), symbols.gather(1, where)[:, 0]


def _last(record: Record, model: nn.Module) -> Record:
    """The record with the weights, as the last one of a run has them."""
    return replace(record, state={name: value.detach().clone() for name, value in model.state_dict().items()})
