"""Training runs: one or more experiments on the same axes, as a job of the queue.

A piece of it is one record, of each experiment in turn or of one after the other. A run that is stopped keeps its
generators, so resuming it gives the records an uninterrupted run would have given.
"""

import math
import time
from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar

from attention_core.experiments.base import Diverged, Experiment, Record, close, kept_steps
from ui.compute.queue import Job

MOST_BYTES = 96 * 2**20  # that the records of one run may keep
V = TypeVar("V", bound=Hashable)
E = TypeVar("E", bound=Experiment)


@dataclass(frozen=True, slots=True)
class Variant:
    """Which experiment of a run: what it trains, and which of several alike, as only saved files bring together."""

    model: str
    number: int = 1

    @property
    def stem(self) -> str:
        """How the first of its kind is spelled."""
        return self.model

    def __str__(self) -> str:
        """As files, films and links spell it: `none`, and the second of its kind `none 2`."""
        return self.stem if self.number == 1 else f"{self.stem} {self.number}"

    def numbered(self, name: str) -> str:
        """Its `name` for readers; that of the second of its kind ends in (2)."""
        return name if self.number == 1 else f"{name} ({self.number})"


def agree(config: object, other: object, *, but: Collection[str]) -> bool:
    """Whether two configurations of one kind are equal in all fields `but` these."""
    assert is_dataclass(other)
    rest = [field.name for field in fields(other) if field.name not in but]
    return type(config) is type(other) and all(getattr(config, name) == getattr(other, name) for name in rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run comes from that comes with the product: when and on what it was trained, and the fingerprint of the
    whole records of each experiment, by variant.
    """

    day: str
    processor: str
    fingerprints: Mapping[Any, str]


class Run(Job, Generic[V, E]):
    """Experiments by variant, and what they have recorded, which can be read at any time.

    `diverged`: the step at which an experiment became infinite, and `broke`: what of it; `too_large`: its records would
    take more than MOST_BYTES; `crowded`: they would take what all runs of the process may keep; `forgotten`: nobody had
    looked for long, and others needed the memory of its records; `elsewhere`: it was not trained here; `origin`: of a
    recording that comes with the product, which belongs to all readers and is never changed.
    """

    lines_up = True

    def __init__(self, experiments: Mapping[V, E], *, in_turns: bool = True, origin: Origin | None = None) -> None:
        super().__init__()
        self.origin = origin
        self.experiments = dict(experiments)
        self.in_turns = in_turns
        self.diverged: dict[V, int] = {}
        self.broke: dict[V, str] = {}
        self.too_large = self.crowded = self.forgotten = False
        self.elsewhere = False
        self.seconds = 0.0  # spent training, without waiting and rest
        self.expected_bytes = 0  # what the records will take in the end, as far as it is known
        self._records: dict[V, list[Record]] = {variant: [] for variant in self.experiments}
        self._open: dict[V, Iterator[Record]] | None = None
        self._left = deque(self.experiments)  # what still trains, the next first
        self.kept = 0  # bytes of its records

    @property
    def share(self) -> float:
        """The share of all steps that is done: of experiments that will not go on, all."""
        total = sum(experiment.steps for experiment in self.experiments.values())
        left = set(self._left)
        done = sum(experiment.steps for variant, experiment in self.experiments.items() if variant not in left)
        done += sum(records[-1].step for variant, records in self._records.items() if records and variant in left)
        return done / total if total else 1.0

    @property
    def steps(self) -> int:
        """Steps that were trained, of all experiments together."""
        return sum(records[-1].step for records in self._records.values() if records)

    @property
    def rate(self) -> float:
        """Training steps per second so far; NaN before there is one."""
        return self.steps / self.seconds if self.seconds and self.steps else math.nan

    @property
    def remaining(self) -> float:
        """Seconds it will still train, by its pace so far; NaN before there is one."""
        return self.seconds * (1 - self.share) / self.share if self.share and self.seconds else math.nan

    @property
    def begun(self) -> bool:
        """Whether anything is recorded."""
        return any(self._records.values())

    def records(self, variant: V) -> tuple[Record, ...]:
        """What this experiment has recorded so far."""
        return tuple(self._records[variant])

    def complete(self) -> dict[V, tuple[Record, ...]]:
        """The records of every experiment that has come to its last step."""
        recorded = {variant: self.records(variant) for variant in self.experiments}
        return {
            variant: records
            for variant, records in recorded.items()
            if records and records[-1].step == self.experiments[variant].steps
        }

    @property
    def held(self) -> int:
        """Bytes its records keep, or will in the end."""
        return 0 if self.state == "new" else max(self.kept, 0 if self.done else self.expected_bytes)

    @classmethod
    def finished(
        cls,
        experiments: Mapping[V, E],
        records: Mapping[V, Sequence[Record]],
        *,
        origin: Origin | None = None,
        seconds: float = 0.0,
    ) -> "Run[V, E]":
        """A run that was trained elsewhere, in so many seconds."""
        run = cls(experiments, origin=origin)
        run.elsewhere, run.seconds = True, seconds
        run._records = {variant: list(records[variant]) for variant in run.experiments}
        run.kept = run.expected_bytes = sum(record.bytes() for kept in run._records.values() for record in kept)
        run._left.clear()
        run.rest()
        return run

    # --- of the queue ---

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        return not self._left or self.failed or self.too_large or self.crowded

    def rest(self, *, away: bool = False) -> None:
        """It does not train from now on."""
        super().rest(away=away)
        if self.state == "ended":
            self._close()

    def piece(self) -> None:
        """The next record."""
        began = time.monotonic()
        self._record(self._left[0])
        self.seconds += time.monotonic() - began

    def forget(self) -> None:
        """Without its records it is a run that was never trained."""
        self.forgotten, self.kept = True, 0
        self._records = {variant: [] for variant in self.experiments}
        self._left.clear()
        self.rest()

    def _record(self, variant: V) -> None:
        if self._open is None:
            self._open = {name: experiment.records() for name, experiment in self.experiments.items()}
        try:
            record = next(self._open[variant])
        except StopIteration:
            self._drop(variant)
            return
        except Diverged as error:
            self.diverged[variant], self.broke[variant] = error.step, error.what
            self._drop(variant)
            return
        if not self._records[variant]:
            experiment = self.experiments[variant]
            self.expected_bytes += record.bytes() * len(kept_steps(experiment.steps, experiment.every))
            self.too_large = self.expected_bytes > MOST_BYTES
            self.crowded = not self.too_large and self.queue is not None and not self.queue.grants(self)
            if self.too_large or self.crowded:
                return
        self._records[variant].append(record)
        self.kept += record.bytes()
        if record.step >= self.experiments[variant].steps or record.state:
            self._drop(variant)
        elif self.in_turns:
            self._left.rotate(-1)

    def _drop(self, variant: V) -> None:
        """This experiment has ended: its model and its optimiser are freed."""
        self._left.remove(variant)
        if self._open:
            close(self._open.pop(variant))

    def _close(self) -> None:
        for records in (self._open or {}).values():
            close(records)
        self._open = None
        self._left.clear()
