"""What every training experiment is: a frozen configuration, and a generator of frozen records that does the training.

The same configuration and seed give the same records bit for bit on one machine: every random number comes from
`stream(seed, purpose)`, so data, initial weights and evaluation never share a generator, and torch's own is not used.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

KEPT = 61  # steps of a run whose arrays are kept, at most
EVALUATION_BLOCK = 250  # sequences evaluated at once: what still fits a cache
RUNNING = 10  # batches over which the accuracy is averaged that ends a run early


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """What was seen at one step, before its update. Step 0 is the untouched model.

    `loss` is the objective on the training batch of this step; `accuracy` (0 … 1, or an error where the experiment says
    so) is on fresh data drawn once; `measures` are numbers by name (`grad.W_Q.0`: norm of the gradient of layer 0's
    W_Q). `arrays` is empty but at kept steps; `state` is empty but in the last record, where it holds every weight.
    """

    step: int
    loss: float
    accuracy: float
    measures: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, Tensor] = field(default_factory=dict)
    state: Mapping[str, Tensor] = field(default_factory=dict)

    def bytes(self) -> int:
        """Memory its arrays keep alive, in bytes."""
        return sum(array.nbytes for array in (*self.arrays.values(), *self.state.values()))


@runtime_checkable
class Experiment(Protocol):
    """A frozen, hashable configuration. `records()` trains; closing the iterator stops the run."""

    @property
    def seed(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def every(self) -> int: ...

    def build(self) -> nn.Module:
        """The untouched model: the same for the same configuration."""
        ...

    def records(self) -> Iterator[Record]:
        """Records at steps 0, every, 2·every, … and at the last. Raises `Diverged`."""
        ...


class Diverged(ArithmeticError):
    """A run that became NaN or infinite: at which step, and what."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(
            f"The run was stopped at step {step} because {what} is no longer a finite number: try a smaller learning "
            "rate or a smaller input scale."
        )
        self.step, self.what = step, what


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What an experiment measures at a record: accuracy, numbers, and the arrays to keep when they are asked for."""

    accuracy: float
    measures: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What `train` needs. `objective()` draws the next batch and returns its loss and its accuracy.

    `observe(keep)` looks at fixed data; `matrices` are watched: gradient norms always, values and gradients when kept.
    """

    model: nn.Module
    objective: Callable[[], tuple[Tensor, Tensor]]
    observe: Callable[[bool], Observation]
    matrices: Mapping[str, nn.Parameter]
    lr: float
    clip: float | None = None
    stop_at: float | None = None
    decay: bool = False
    optimizer: type[torch.optim.Optimizer] = torch.optim.Adam


def stream(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for each purpose of a run: the number of draws for one never shifts another."""
    digest = blake2b(f"{seed}:{purpose}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))


def recorded_steps(steps: int, every: int) -> tuple[int, ...]:
    """0, every, 2·every, … and `steps`."""
    return tuple(sorted({*range(0, steps + 1, every), steps}))


def kept_steps(steps: int, every: int, most: int = KEPT) -> frozenset[int]:
    """The recorded steps that keep arrays: all of them, or `most` spread evenly, always with the first and the last."""
    recorded = recorded_steps(steps, every)
    if len(recorded) <= most:
        return frozenset(recorded)
    last = len(recorded) - 1
    return frozenset(recorded[round(i * last / (most - 1))] for i in range(most))


def kept_bytes(experiment: Experiment) -> int:
    """Memory that all arrays of a whole run take, in bytes; the first record, made before any training, tells.

    W are kept as float16 (3 digits, enough to draw), gradients as float32 (they underflow in half), weights on the
    probe as float16. The last record also holds the float32 state.
    """
    records = experiment.records()
    first = next(records)
    close(records)
    state = sum(value.nbytes for value in experiment.build().state_dict().values())
    return first.bytes() * len(kept_steps(experiment.steps, experiment.every)) + state


def close(records: Iterator[Record]) -> None:
    """Stop a run: what it holds is freed."""
    getattr(records, "close", lambda: None)()


def half(array: Tensor) -> Tensor:
    """A copy to keep and to draw: float16."""
    return array.detach().to(torch.float16, copy=True)


def train(experiment: Experiment, task: Task) -> Iterator[Record]:
    """The training loop of every experiment: torch.optim, gradients clipped to a norm where asked.

    `decay`: the learning rate falls to 0 along a cosine. Raises Diverged where the loss or a gradient is not finite.
    """
    parameters = [one for one in task.model.parameters() if one.requires_grad]
    optimizer = task.optimizer(parameters, lr=task.lr)  # type: ignore[call-arg]
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, experiment.steps)) if task.decay else None
    recorded, kept = (
        frozenset(recorded_steps(experiment.steps, experiment.every)),
        kept_steps(experiment.steps, experiment.every),
    )
    recent: list[float] = []
    for step in range(experiment.steps + 1):
        optimizer.zero_grad(set_to_none=True)
        loss, accuracy = task.objective()
        _check(step, "the loss", loss)
        loss.backward()
        norm = torch.nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])
        _check(step, "the gradient", norm)
        recent = [*recent[1 - RUNNING :], float(accuracy)]
        reached = task.stop_at is not None and len(recent) == RUNNING and sum(recent) / RUNNING >= task.stop_at
        last = reached or step == experiment.steps
        if last or step in recorded:
            yield _record(step, loss, task, keep=last or step in kept, last=last)
        if last:
            return
        if task.clip is not None:
            torch.nn.utils.clip_grads_with_norm_(parameters, task.clip, norm)
        optimizer.step()
        if cosine is not None:
            cosine.step()


def accuracy_on(
    predict: Callable[[Tensor], Tensor], inputs: Integer[Tensor, "b ..."], targets: Integer[Tensor, "b ..."]
) -> float:
    """The share of right answers of `predict(inputs)` (… classes), block by block, without gradients."""
    with torch.no_grad():
        pairs = zip(inputs.split(EVALUATION_BLOCK), targets.split(EVALUATION_BLOCK), strict=True)
        right = sum(int((predict(block).argmax(dim=-1) == target).sum()) for block, target in pairs)
    return right / targets.numel()


def normal(shape: tuple[int, ...], generator: torch.Generator, std: float = 1.0) -> nn.Parameter:
    """N(0, std²), float32."""
    return nn.Parameter(torch.randn(shape, generator=generator) * std)


def build(kind: Callable[..., nn.Module], *sizes: int, generator: torch.Generator, **options: object) -> nn.Module:
    """One of torch's own modules with its own initialisation, drawn from `generator` and not from the global one.

    Recurrent modules: U(−1/√hidden, 1/√hidden); nn.Linear: U(−1/√in, 1/√in); both torch's defaults. Biases too.
    """
    # Made without numbers first: torch's own initialisation would draw from the global generator.
    module = kind(*sizes, device="meta", **options).to_empty(device="cpu")
    width = sizes[1] if isinstance(module, nn.RNNBase | nn.RNNCellBase) else sizes[0]
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-(width**-0.5), width**-0.5, generator=generator)
    return module


def size(gradient: Float[Tensor, "..."] | None) -> float:
    """‖gradient‖; 0 where none flowed."""
    return 0.0 if gradient is None else float(torch.linalg.vector_norm(gradient))


def _check(step: int, what: str, value: Tensor) -> None:
    if not math.isfinite(float(value.detach())):
        raise Diverged(step, what)


def _record(step: int, loss: Tensor, task: Task, *, keep: bool, last: bool) -> Record:
    gradients = {name: parameter.grad for name, parameter in task.matrices.items()}
    kept = {
        **{name: half(parameter) for name, parameter in task.matrices.items()},
        **{f"grad.{name}": gradient.clone() for name, gradient in gradients.items() if gradient is not None},
    }
    seen = task.observe(keep)
    return Record(
        step=step,
        loss=float(loss.detach()),
        accuracy=seen.accuracy,
        measures={**{f"grad.{name}": size(gradient) for name, gradient in gradients.items()}, **seen.measures},
        arrays={**kept, **seen.arrays} if keep else {},
        state={name: value.detach().clone() for name, value in task.model.state_dict().items()} if last else {},
    )
