"""The training loop: the same records for the same seed, against a loop written out in torch, and how runs end."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from attention_core.experiments.base import (
    Diverged,
    Experiment,
    Observation,
    Record,
    Task,
    build,
    close,
    kept_bytes,
    kept_steps,
    recorded_steps,
    stream,
    train,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Least squares with 7 numbers: an experiment small enough to write out."""

    seed: int = 3
    steps: int = 23
    every: int = 5
    lr: float = 0.05
    clip: float | None = None
    stop_at: float | None = None
    broken_at: int = 1000
    decay: bool = False

    def build(self) -> nn.Module:
        return build(nn.Linear, 7, 1, generator=stream(self.seed, "weights"))

    def batch(self, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(11, 7, generator=draw)
        return x, x.sum(dim=1, keepdim=True)

    def records(self) -> Iterator[Record]:
        model, draw, calls = self.build(), stream(self.seed, "data"), iter(range(10**6))

        def objective() -> tuple[Tensor, Tensor]:
            x, y = self.batch(draw)
            loss = F.mse_loss(model(x), y)
            return loss / (0.0 if next(calls) == self.broken_at else 1.0), (loss < 1e-1).float()

        task = Task(
            model=model,
            objective=objective,
            observe=lambda keep: Observation(accuracy=0.5),
            matrices={"W": model.weight},
            lr=self.lr,
            clip=self.clip,
            stop_at=self.stop_at,
            decay=self.decay,
        )
        yield from train(self, task)


def same(a: Record, b: Record) -> None:
    assert (a.step, a.loss, a.accuracy, dict(a.measures)) == (b.step, b.loss, b.accuracy, dict(b.measures))
    for left, right in ((a.arrays, b.arrays), (a.state, b.state)):
        assert left.keys() == right.keys()
        for name in left:
            assert_close(left[name], right[name], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("clip", [None, 3.0])
@pytest.mark.parametrize("decay", [False, True])
def test_the_loop_is_torchs_adam(clip, decay) -> None:
    config = Line(clip=clip, decay=decay)
    *_, last = config.records()
    model, draw = nn.Linear(7, 1), stream(config.seed, "data")
    model.load_state_dict(config.build().state_dict())
    adam = torch.optim.Adam(model.parameters(), lr=config.lr)
    for step in range(config.steps):
        adam.param_groups[0]["lr"] = config.lr * ((1 + math.cos(math.pi * step / config.steps)) / 2 if decay else 1)
        x, y = config.batch(draw)
        adam.zero_grad()
        F.mse_loss(model(x), y).backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        adam.step()
    assert_close(dict(last.state), dict(model.state_dict()), rtol=1e-5, atol=1e-6)
    x, y = config.batch(draw)
    loss = F.mse_loss(model(x), y)
    (gradient,) = torch.autograd.grad(loss, model.weight)
    assert_close(last.loss, float(loss.detach()), rtol=1e-5, atol=1e-6)
    assert_close(last.measures["grad.W"], float(gradient.norm()), rtol=1e-4, atol=1e-6)
    assert_close(last.arrays["grad.W"], gradient, rtol=1e-4, atol=1e-5)


def test_step_0_is_the_untouched_model() -> None:
    records = Line().records()
    first = next(records)
    close(records)
    assert first.step == 0
    assert not first.state
    assert_close(first.arrays["W"], Line().build().weight.detach().half())


def test_the_same_seed_gives_the_same_records_and_torchs_own_generator_is_not_touched() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = list(Line().records())
    assert_close(torch.get_rng_state(), before, rtol=0, atol=0)
    torch.manual_seed(2)
    for a, b in zip(first, Line().records(), strict=True):
        same(a, b)
    assert first[-1].loss != list(replace(Line(), seed=4).records())[-1].loss


def test_how_often_is_recorded_does_not_change_what_is_learned() -> None:
    *_, often = replace(Line(), every=1).records()
    *_, seldom = replace(Line(), every=23).records()
    same(often, seldom)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN, nn.Linear, nn.LSTMCell])
def test_torchs_modules_are_drawn_from_the_stream_within_torchs_bounds(kind) -> None:
    before = torch.get_rng_state()
    module, again = (build(kind, 13, 7, generator=stream(5, "weights")) for _ in range(2))
    assert_close(torch.get_rng_state(), before, rtol=0, atol=0)
    bound = (13 if kind is nn.Linear else 7) ** -0.5
    for (name, drawn), repeated, torchs in zip(
        module.named_parameters(), again.parameters(), kind(13, 7).parameters(), strict=True
    ):
        assert drawn.shape == torchs.shape, name
        assert_close(drawn, repeated, rtol=0, atol=0)
        assert 0.5 * bound < float(drawn.detach().abs().max()) <= bound
        assert 0.5 * bound < float(torchs.detach().abs().max()) <= bound


def test_a_run_that_breaks_says_when_and_why() -> None:
    seen = []
    with pytest.raises(Diverged, match=r"stopped at step 13 because the loss") as error:
        seen.extend(Line(broken_at=13).records())
    assert (error.value.step, error.value.what) == (13, "the loss")
    assert [record.step for record in seen] == [0, 5, 10]
    with pytest.raises(Diverged, match="no longer a finite number"):
        list(replace(Line(), lr=1e30).records())


def test_a_run_ends_early_when_it_has_learned() -> None:
    *_, last = replace(Line(), steps=2000, every=1000, lr=0.1, stop_at=1.0).records()
    assert 20 < last.step < 500
    assert last.state


def test_a_closed_run_stops() -> None:
    records = Line().records()
    next(records)
    close(records)
    assert next(records, None) is None


@pytest.mark.parametrize(("steps", "every"), [(0, 1), (1, 7), (23, 5), (25, 5), (300, 20), (1200, 1), (1000, 7)])
def test_which_steps_are_recorded_and_kept(steps, every) -> None:
    recorded, kept = recorded_steps(steps, every), kept_steps(steps, every, most=13)
    assert recorded == tuple(step for step in range(steps + 1) if step % every == 0 or step == steps)
    assert {0, steps} <= kept <= set(recorded)
    assert len(kept) == min(13, len(recorded))
    gaps = torch.tensor(sorted(recorded.index(step) for step in kept)).diff()
    assert not len(gaps) or int(gaps.max() - gaps.min()) <= 1


def test_the_stated_memory_is_what_the_arrays_take() -> None:
    config = Line(steps=400, every=1)
    assert kept_bytes(config) == sum(record.bytes() for record in config.records())
    assert isinstance(config, Experiment)
