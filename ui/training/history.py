"""Records of several experiments → films along the training step, and the pictures every page about training shows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attention_core.experiments.base import Record, recorded_steps
from ui.components.lab import Curves, Film, Line, Slider
from ui.compute.runs import Run

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


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a run has recorded so far, on one axis of steps."""

    steps: tuple[int, ...]
    records: Mapping[str, Mapping[int, Record]]

    @property
    def names(self) -> tuple[str, ...]:
        """The variants."""
        return tuple(self.records)

    @property
    def newest(self) -> int:
        """Index of the last step that has a record; 0 before there is one."""
        seen = max((step for found in self.records.values() for step in found), default=0)
        return self.steps.index(seen)

    def table(self, measures: Sequence[Measure]) -> np.ndarray:
        """(steps, measures x variants); log₁₀ where the axis says so; NaN where nothing is recorded."""
        made = np.full((len(self.steps), len(measures), len(self.names)), np.nan)
        for column, name in enumerate(self.names):
            for step, record in self.records[name].items():
                row = self.steps.index(step)
                made[row, :, column] = [_number(record, measure) for measure in measures]
        return made.reshape(len(self.steps), -1)

    def frames(
        self, name: str, read: Callable[[Record], np.ndarray], shape: tuple[int, ...], *, all_steps: bool
    ) -> tuple[np.ndarray, bool]:
        """What `read` makes, of this shape, of the arrays of every step (a step without takes those before it), or of
        the newest alone; NaN where nothing was recorded. The second says whether the first axis is that of the steps.
        """
        empty = np.full(shape, np.nan, dtype=np.float32)
        kept = [self.records[name].get(step) for step in self.steps]
        kept = [record if record is not None and record.arrays else None for record in kept]
        if not all_steps:
            last = next((record for record in reversed(kept) if record is not None), None)
            return (read(last) if last else empty), False
        found = {index: read(record) for index, record in enumerate(kept) if record is not None}
        made, last_seen, ended = [], empty, max(found, default=-1)
        for index in range(len(kept)):
            last_seen = found.get(index, last_seen)
            made.append(last_seen if index <= ended else empty)
        return np.stack(made), True


def measured(name: str, records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Step, loss, accuracy and every measure of the records of one variant, to take away: `name`_step, …"""
    stem = stem_of(name)
    columns = {key: [getattr(record, key) for record in records] for key in ("step", "loss", "accuracy")}
    for key in sorted({key for record in records for key in record.measures}):
        columns[key] = [record.measures.get(key, math.nan) for record in records]
    return {f"{stem}_{key.replace('.', '_')}": np.array(column) for key, column in columns.items()}


def stem_of(name: str) -> str:
    """What the arrays of a variant begin with."""
    return name.replace(" ", "_").replace("-", "_seed_").replace("+", "_")


def history(run: Run) -> History:
    """The records as they stand now."""
    planned = {step for config in run.experiments.values() for step in recorded_steps(config.steps, config.every)}
    records = {name: {record.step: record for record in run.records(name)} for name in run.experiments}
    seen = {step for found in records.values() for step in found}
    return History(tuple(sorted(planned | seen)), records)


def step_slider(made: History, at: int, label: str) -> Slider:
    """The scrubber: every recorded step."""
    apart = max(made.steps[-1] / TICKS, 1)
    size = next((size for size in NICE if size >= apart and set(range(0, made.steps[-1], size)) <= set(made.steps)), 0)
    written = range(0, made.steps[-1] + 1, size) if size else made.steps[:: -(-len(made.steps) // TICKS)]
    ticks = tuple((made.steps.index(step), str(step)) for step in written if step in made.steps)
    return Slider(name="step", label=label, readings=tuple(map(str, made.steps)), at=at, ticks=ticks)


def curves(
    made: History,
    table: np.ndarray,
    measures: Sequence[Measure],
    index: int,
    *,
    hues: Mapping[str, str],
    labels: Mapping[str, str],
    title: str,
    note: str = "",
    stack: str = "",
    span: int = 3,
    narrow: int = 2,
    height: int = 186,
    below: str = "",
    named: bool = False,
    film: str = "curves",
) -> Curves:
    """One measure of all variants against the step."""
    measure, count = measures[index], len(made.names)
    values = table[:, index * count : (index + 1) * count]
    low, high = ends(values, measure)
    return Curves(
        name=f"curve_{measure.key}",
        stack=stack,
        span=span,
        narrow=narrow,
        height=height,
        film=film,
        along="step",
        lines=tuple(
            Line(start=index * count + place, hue=hues[name], name=labels[name])
            for place, name in enumerate(made.names)
        ),
        low=low,
        high=high,
        logs=measure.logs,
        places=tuple(float(step) for step in made.steps),
        title=title,
        note=note,
        legend=named,
        below=below if measure.logs and bool(np.isneginf(values).any()) else "",
    )


def ends(values: np.ndarray, measure: Measure) -> tuple[float, float]:
    """Of an axis: as the measure says, else around the numbers."""
    finite = values[np.isfinite(values)]
    least, most = (
        (float(finite.min()), float(finite.max())) if finite.size else (-2.0, 0.0) if measure.logs else (0.0, 1.0)
    )
    if measure.logs:
        low = max(LOWEST, float(math.floor(least))) if measure.low is None else measure.low
        high = float(math.ceil(most)) if measure.high is None else measure.high
        return low, max(high, low + 1.0)
    low = least if measure.low is None else measure.low
    high = 1.05 * most if measure.high is None else measure.high
    return low, high if high > low else low + 1.0


def fitted(matrix: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """The first rows and columns of a matrix, NaN where it has fewer."""
    made = np.full((rows, cols), np.nan, dtype=np.float32)
    part = matrix[:rows, :cols]
    made[: part.shape[0], : part.shape[1]] = part
    return made


def film(name: str, frames: tuple[np.ndarray, bool], axes: tuple[str, ...]) -> Film:
    """A film along the steps and further `axes`, or along these alone."""
    values, along = frames
    return Film(name, values, (("step",) if along else ()) + axes)


def _number(record: Record, measure: Measure) -> float:
    value = {"loss": record.loss, "accuracy": record.accuracy}.get(measure.key)
    value = record.measures.get(measure.key, math.nan) if value is None else value
    if not measure.logs:
        return value
    return -math.inf if value == 0 else math.log10(value) if value > 0 else math.nan
