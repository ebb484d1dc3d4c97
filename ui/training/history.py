"""Records of several experiments along the training step → films, and the curves every page about training shows."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from attention_core.experiments.base import Record, recorded_steps
from ui.components.lab import Box, Curves, Film, Line, Slider
from ui.compute.runs import Run, V

LOWEST = -16.0  # log₁₀, of the axes of what vanishes
TICKS = 6  # numbers below an axis, about
NICE = tuple(factor * 10**power for power in range(5) for factor in (1, 2, 3, 5))  # steps between them
SIDE = 64  # rows and columns of a matrix that are shown, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number of a record: its key in `measures` (or loss, accuracy), and its axis; None follows the numbers."""

    key: str
    logs: bool = False
    low: float | None = 0.0
    high: float | None = None

    def of(self, record: Record) -> float:
        """The number; its log₁₀ where the axis says so, NaN where the record has none."""
        own = {"loss": record.loss, "accuracy": record.accuracy}
        value = own[self.key] if self.key in own else record.measures.get(self.key, math.nan)
        if not self.logs:
            return value
        return -math.inf if value == 0 else math.log10(value) if value > 0 else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class History(Generic[V]):
    """What a run has recorded so far, on one axis of steps."""

    steps: tuple[int, ...]
    records: Mapping[V, Mapping[int, Record]]

    @property
    def variants(self) -> tuple[V, ...]:
        """What was trained."""
        return tuple(self.records)

    @property
    def newest(self) -> int:
        """Index of the last step that has a record; 0 before there is one."""
        return self.steps.index(max((step for records in self.records.values() for step in records), default=0))

    def kept(self, variant: V) -> list[Record]:
        """The records that keep arrays, in order."""
        return [record for _, record in sorted(self.records[variant].items()) if record.arrays]

    def table(self, measures: Sequence[Measure]) -> np.ndarray:
        """(steps, measures x variants), as `columns` names them; NaN where nothing is recorded."""
        numbers = np.full((len(self.steps), len(measures), len(self.variants)), np.nan)
        for column, variant in enumerate(self.variants):
            for step, record in self.records[variant].items():
                numbers[self.steps.index(step), :, column] = [measure.of(record) for measure in measures]
        return numbers.reshape(len(self.steps), -1)

    def columns(self, measures: Sequence[Measure]) -> tuple[str, ...]:
        """The names of the columns of `table`."""
        return tuple(column(measure, variant) for measure in measures for variant in self.variants)

    def curves(self, measures: Sequence[Measure]) -> Film:
        """The film that `curve` draws from."""
        return Film("curves", self.table(measures), ("step",), columns=self.columns(measures))

    def frames(
        self, variant: V, read: Callable[[Record], np.ndarray], shape: tuple[int, ...], *, all_steps: bool
    ) -> tuple[np.ndarray, bool]:
        """What `read` makes, of this shape, of the arrays of every step (a step without takes those before it), or of
        the newest alone; NaN where nothing was recorded. The second says whether the first axis is that of the steps.
        """
        empty = np.full(shape, np.nan, dtype=np.float32)
        records = [self.records[variant].get(step) for step in self.steps]
        kept = {index: record for index, record in enumerate(records) if record is not None and record.arrays}
        if not all_steps:
            return (read(kept[max(kept)]) if kept else empty), False
        frames, newest = [], empty
        for index in range(len(records)):
            newest = read(kept[index]) if index in kept else newest
            frames.append(newest if index <= max(kept, default=-1) else empty)
        return np.stack(frames), True


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Generic[V]):
    """How the lines of every variant look, in every picture of a page."""

    hues: Mapping[V, str]
    labels: Mapping[V, str]
    dashed: Collection[V] = ()
    pale: Collection[V] = ()

    def line(self, variant: V, column: str) -> Line:
        """The line of this variant."""
        return Line(
            column=column,
            hue=self.hues[variant],
            name=self.labels[variant],
            dash=variant in self.dashed,
            pale=variant in self.pale,
        )

    def legend(self, dashed: str = "") -> tuple[tuple[str, str], ...]:
        """Colours and names; of a dashed line it is said to be one."""
        ends = {variant: f" {dashed}" if variant in self.dashed else "" for variant in self.hues}
        return tuple((hue, self.labels[variant] + ends[variant]) for variant, hue in self.hues.items())


def column(measure: Measure, variant: object) -> str:
    """What the column of a measure of this variant is called."""
    return f"{measure.key} {variant}"


def history(run: Run[V, Any]) -> History[V]:
    """The records as they stand now."""
    planned = {step for config in run.experiments.values() for step in recorded_steps(config.steps, config.every)}
    records = {variant: {record.step: record for record in run.records(variant)} for variant in run.experiments}
    seen = {step for own in records.values() for step in own}
    return History(tuple(sorted(planned | seen)), records)


def step_slider(past: History[Any], at: int, label: str) -> Slider:
    """Every recorded step."""
    last = past.steps[-1]
    apart = max(last / TICKS, 1)
    size = next((size for size in NICE if size >= apart and set(range(0, last, size)) <= set(past.steps)), 0)
    written = range(0, last + 1, size) if size else past.steps[:: -(-len(past.steps) // TICKS)]
    ticks = tuple((past.steps.index(step), str(step)) for step in written if step in past.steps)
    return Slider(name="step", label=label, readings=tuple(map(str, past.steps)), at=at, ticks=ticks)


def curve(
    film: Film, past: History[V], measure: Measure, look: Look[V], box: Box, *, title: str, note: str, below: str = ""
) -> Curves:
    """One measure of all variants against the step; `below`: what the band is called in which exact zeros stand."""
    columns = [column(measure, variant) for variant in past.variants]
    values = film.values[..., [film.columns.index(name) for name in columns]]
    low, high = ends(values, measure)
    return Curves(
        name=f"curve_{measure.key}",
        box=box,
        film=film.name,
        along="step",
        lines=tuple(look.line(variant, name) for variant, name in zip(past.variants, columns, strict=True)),
        low=low,
        high=high,
        logs=measure.logs,
        places=tuple(map(float, past.steps)),
        title=title,
        note=note,
        legend=False,
        below=below if measure.logs and bool(np.isneginf(values).any()) else "",
    )


def ends(values: np.ndarray, measure: Measure) -> tuple[float, float]:
    """Of an axis: as the measure says, else around the numbers."""
    finite = values[np.isfinite(values)]
    least, most = (-2.0, 0.0) if measure.logs else (0.0, 1.0)
    if finite.size:
        least, most = float(finite.min()), float(finite.max())
    if measure.logs:
        low = max(LOWEST, float(math.floor(least))) if measure.low is None else measure.low
        high = float(math.ceil(most)) if measure.high is None else measure.high
        return low, max(high, low + 1.0)
    low = least if measure.low is None else measure.low
    high = 1.05 * most if measure.high is None else measure.high
    return low, high if high > low else low + 1.0


def film(name: str, frames: tuple[np.ndarray, bool], axes: tuple[str, ...], columns: tuple[str, ...] = ()) -> Film:
    """A film along the steps and further `axes`, or along these alone."""
    values, along = frames
    return Film(name, values, (("step",) if along else ()) + axes, columns=columns)


def fitted(matrix: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """The first rows and columns of a matrix, NaN where it has fewer."""
    whole = np.full((rows, cols), np.nan, dtype=np.float32)
    part = matrix[:rows, :cols]
    whole[: part.shape[0], : part.shape[1]] = part
    return whole
