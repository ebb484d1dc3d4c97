"""SORT: the task that shows in seconds why scores are divided by √d_k.

Sixteen symbols go in, position i answers the i-th smallest. To sort, a layer must count, so it must spread its
attention; a saturated row cannot. Variants with one seed see the same data and begin with the same other weights.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.experiments.base import Observation, Record, Task, accuracy_on, half, stream, train
from attention_core.experiments.layers import (
    AttentionOnly,
    agreement,
    batch_signal_to_noise,
    gradient_measures,
    signal_to_noise,
)

PROBE = 64  # sequences of a fixed batch on which gradients and weights are looked at
SHOWN = 4  # of them, whose weights are kept
ANATOMY_BATCHES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One full attention layer with one head, d_model 64; Adam. `rule` is none, inverse_sqrt, inverse or qk_norm.

    `input_scale` s multiplies what W_Q and W_K read, so logits grow as s². `softcap` None: no cap.
    Arrays: W_Q.0 … W_O.0 (h d d_k), their gradients, and `weights` (4 1 n n) of the first `tokens` (4 n) of the probe.
    """

    rule: str = "inverse_sqrt"
    d_k: int = 64
    input_scale: float = 1.0
    softcap: float | None = None
    g0: float = 10.0
    lr: float = 3e-3
    steps: int = 300
    every: int = 20
    seed: int = 0
    batch: int = 64
    symbols: int = 16
    length: int = 16
    d_model: int = 64
    evaluated: int = 1000

    def records(self) -> Iterator[Record]:
        """Train; `accuracy` is on 1000 fresh sequences. Raises Diverged."""
        model = self.build()
        draw = stream(self.seed, "data")
        held_out = self.draw(stream(self.seed, "held out"), self.evaluated)
        probe = self.draw(stream(self.seed, "probe"), PROBE)

        def objective() -> tuple[Tensor, Tensor]:
            tokens, answer = self.draw(draw, self.batch)
            logits, _ = model(tokens)
            return _loss(logits, answer), (logits.argmax(dim=-1) == answer).float().mean()

        def observe(keep: bool) -> Observation:
            logits, traces = model(probe[0])
            loss = _loss(logits, probe[1])
            measures = gradient_measures(loss, traces)
            losses = F.cross_entropy(logits.mT, probe[1], reduction="none").mean(dim=-1)
            measures["snr.0"] = batch_signal_to_noise(losses, model.matrices()["W_Q.0"], self.batch)
            arrays = {"tokens": probe[0][:SHOWN].to(torch.uint8), "weights": half(traces[0].weights[:SHOWN])}
            accuracy = accuracy_on(lambda block: model(block)[0], *held_out)
            return Observation(accuracy=accuracy, measures=measures, arrays=arrays if keep else {})

        task = Task(model=model, objective=objective, observe=observe, matrices=model.matrices(), lr=self.lr)
        yield from train(self, task)

    def build(self) -> AttentionOnly:
        """The model at step 0."""
        return AttentionOnly(
            vocabulary=self.symbols,
            length=self.length,
            classes=self.symbols,
            d_model=self.d_model,
            d_k=self.d_k,
            rule=self.rule,
            seed=self.seed,
            input_scale=self.input_scale,
            g0=self.g0,
            softcap=self.softcap,
        )

    def draw(self, generator: torch.Generator, count: int) -> tuple[Int[Tensor, "b n"], Int[Tensor, "b n"]]:
        """Sequences of random symbols, and the same sorted."""
        tokens = torch.randint(self.symbols, (count, self.length), generator=generator)
        return tokens, tokens.sort(dim=-1).values


def initial_logit_std(config: Sort) -> float:
    """Standard deviation of the logits at step 0, measured on the probe: what decides whether SORT is learned."""
    with torch.no_grad():
        _, (trace,) = config.build()(config.draw(stream(config.seed, "probe"), PROBE)[0])
    return float(trace.capped_scores.std())


def anatomy(
    config: Sort, batches: int = ANATOMY_BATCHES, state: Mapping[str, Tensor] | None = None
) -> dict[str, float]:
    """Where the gradient of W_Q comes from after `config.steps` steps, over that many fresh batches.

    `state`: the weights after these steps, if they are known; otherwise they are trained.
    All of `gradient_measures`, and d_W_Q (norm of the mean gradient), snr (`signal_to_noise` of the batch
    gradients, at least 1/batches by chance) and cosine (`agreement` of the two halves).

    At step 0 seed 0 has a ratio of 0.30 unscaled and 1.79 scaled, other seeds up to twice as much. The first read-out
    decides it too: torch's U(±1/√d_model), as here, is √3 narrower than N(0, 1/d_model), under which the mean over
    seeds is 0.45 and 3.1 and not 0.40 and 2.4; the larger the read-out, the more the gradients of batches agree.
    """
    model = config.build()
    if state is not None:
        model.load_state_dict(dict(state))
    elif config.steps:
        *_, last = replace(config, every=config.steps, evaluated=1).records()
        model.load_state_dict(dict(last.state))
    draw = stream(config.seed, "anatomy")
    tokens, answer = config.draw(draw, config.batch * batches)
    logits, traces = model(tokens)
    measured = gradient_measures(_loss(logits, answer), traces)
    losses = F.cross_entropy(logits.mT, answer, reduction="none").unflatten(0, (batches, -1)).mean(dim=(1, 2))
    W = model.matrices()["W_Q.0"]
    stacked = torch.stack([torch.autograd.grad(loss, W, retain_graph=True)[0] for loss in losses])
    return {
        **measured,
        "d_W_Q": float(stacked.mean(dim=0).norm()),
        "snr": signal_to_noise(stacked),
        "cosine": agreement(stacked),
    }


def dissected(config: Sort, state: Mapping[str, Tensor] | None = None) -> Iterator[Record]:
    """Two records whose measures are the anatomy, at step 0 and after the last; `state`: the weights then, if known."""
    yield Record(step=0, loss=math.nan, accuracy=math.nan, measures=anatomy(replace(config, steps=0)))
    yield Record(step=config.steps, loss=math.nan, accuracy=math.nan, measures=anatomy(config, state=state))


def _loss(logits: Float[Tensor, "b n classes"], answer: Int[Tensor, "b n"]) -> Float[Tensor, ""]:
    return F.cross_entropy(logits.flatten(0, 1), answer.flatten())
