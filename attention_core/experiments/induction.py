"""Induction heads: the phase change in which two layers learn to copy what followed last time.

Sources: Elhage et al. 2021, transformer-circuits.pub; Olsson et al. 2022, arXiv:2209.11895.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core.attention import AttentionTrace
from attention_core.experiments.base import Observation, Record, Task, half, stream, train
from attention_core.experiments.layers import AttentionOnly, gradient_measures
from attention_core.masks import causal
from attention_core.measures import offset_score

PROBE = 32
SHOWN = 2  # sequences of the probe whose weights are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Induction:
    """Causal attention-only layers on sequences that repeat a block of distinct tokens with their own random period.

    A fixed period would admit a positional shortcut. Adam, clip 1.0, stopped at a running accuracy of 0.99. Measures:
    `previous`, `induction`: the best head's score. Arrays: matrices and gradients, `tokens` (2 n), `periods` (2),
    `weights.0`, `weights.1` (2 h n n), `previous`, `induction` (layers h).
    """

    rule: str = "inverse_sqrt"
    d_k: int = 32
    n_layer: int = 2
    n_head: int = 2
    lr: float = 3e-3
    steps: int = 500
    every: int = 10
    seed: int = 0
    batch: int = 32
    vocabulary: int = 48
    length: int = 48
    periods: tuple[int, int] = (8, 24)
    d_model: int = 64
    clip: float = 1.0
    stop_at: float = 0.99
    input_scale: float = 1.0
    evaluated: int = 128

    def records(self) -> Iterator[Record]:
        """Train; loss and accuracy count the tokens that can be known. Raises Diverged."""
        model, allowed, draw = self.build(), causal(self.length, self.length), stream(self.seed, "data")
        held_out = self.draw(stream(self.seed, "held out"), self.evaluated)
        probe, periods = self.draw(stream(self.seed, "probe"), PROBE)

        def objective() -> tuple[Tensor, Tensor]:
            tokens, period = self.draw(draw, self.batch)
            return _loss(model(tokens, allowed)[0], tokens, period)

        def observe(keep: bool) -> Observation:
            logits, traces = model(probe, allowed)
            measures = gradient_measures(_loss(logits, probe, periods)[0], traces, allowed)
            previous = torch.stack([offset_score(trace.weights, -1, allowed).mean(dim=0) for trace in traces]).detach()
            induction = torch.stack([induction_score(trace, periods) for trace in traces])
            measures |= {"previous": float(previous.max()), "induction": float(induction.max())}
            with torch.no_grad():
                _, accuracy = _loss(model(held_out[0], allowed)[0], *held_out)
            arrays = {
                "tokens": probe[:SHOWN].to(torch.uint8),
                "periods": periods[:SHOWN].to(torch.uint8),
                "previous": previous,
                "induction": induction,
                **{f"weights.{number}": half(trace.weights[:SHOWN]) for number, trace in enumerate(traces)},
            }
            return Observation(accuracy=float(accuracy), measures=measures, arrays=arrays if keep else {})

        task = Task(
            model=model,
            objective=objective,
            observe=observe,
            matrices=model.matrices(),
            lr=self.lr,
            clip=self.clip,
            stop_at=self.stop_at,
        )
        yield from train(self, task)

    def build(self) -> AttentionOnly:
        """The model at step 0."""
        return AttentionOnly(
            vocabulary=self.vocabulary,
            length=self.length,
            classes=self.vocabulary,
            d_model=self.d_model,
            n_head=self.n_head,
            d_k=self.d_k,
            n_layer=self.n_layer,
            rule=self.rule,
            seed=self.seed,
            input_scale=self.input_scale,
        )

    def draw(self, generator: torch.Generator, count: int) -> tuple[Int[Tensor, "b n"], Int[Tensor, " b"]]:
        """Sequences t_i = t_{i − period} whose first block has distinct tokens, and their periods."""
        low, high = self.periods
        period = torch.randint(low, high + 1, (count,), generator=generator)
        blocks = torch.rand(count, self.vocabulary, generator=generator).argsort(dim=-1)
        return blocks.gather(1, torch.arange(self.length) % period[:, None]), period


def predictable(n: int, period: Int[Tensor, " b"]) -> Bool[Tensor, "b known"]:
    """Where the next token has been seen after the present one: i + 1 ≥ period."""
    return torch.arange(1, n) >= period[:, None]


@torch.no_grad()
def induction_score(trace: AttentionTrace, period: Int[Tensor, " b"]) -> Float[Tensor, " h"]:
    r"""Mean of $\alpha_{i,\,i+1-\mathrm{period}}$ over i ≥ period: weight on what followed the last time, per head."""
    n = trace.weights.shape[-1]
    query = torch.arange(n)
    key = query + 1 - period[:, None]
    weights = trace.weights.gather(-1, key.clamp(min=0)[:, None, :, None].expand(*trace.weights.shape[:3], 1))[..., 0]
    counted = (query >= period[:, None])[:, None].to(weights.dtype)
    return (weights * counted).sum(dim=(0, 2)) / counted.sum(dim=(0, 2))


def _loss(logits: Tensor, tokens: Tensor, period: Tensor) -> tuple[Tensor, Tensor]:
    known = predictable(tokens.shape[1], period)
    predicted, following = logits[:, :-1][known], tokens[:, 1:][known]
    return F.cross_entropy(predicted, following), (predicted.argmax(dim=-1) == following).float().mean()
