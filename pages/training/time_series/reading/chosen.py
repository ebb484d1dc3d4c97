"""What a reader chooses in a file → numbers that can be forecast, and what was done to have them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pages.training.time_series.reading.clock import Clock
from pages.training.time_series.reading.numbers import Column
from pages.training.time_series.reading.order import absent, distinct, likeliest, spacing, spelled, turned
from pages.training.time_series.reading.refused import Note, Refused, note
from pages.training.time_series.reading.sheet import Sheet

MOST = 4000  # of the last numbers are used
HUGE = 1e15  # float32 keeps seven digits
OFTEN = 0.1  # of the rows at a time that another row has: these are several series
SERIES_SHOWN = 3  # names of series in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which column; by which clock, None for the rows as they stand; which series, None for all together; in which
    order its dates are written; whether its comma is the decimal mark, None where nobody says.
    """

    column: int
    clock: int | None = None
    series: int | None = None
    order: str | None = None
    comma: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """Numbers without gaps, and what was done to have them."""

    values: tuple[float, ...]
    gaps: int  # cells that were interpolated
    dropped: int  # numbers before the last MOST
    notes: tuple[Note, ...] = ()


def usable(sheet: Sheet, choice: Choice, least: int) -> Usable:
    """The last MOST numbers of a column in the order of its clock, gaps interpolated. Raises Refused; `least`: how many
    it takes.
    """
    column = sheet.columns[choice.column].settled(choice.comma)
    rows = np.ones(len(column.numbers), dtype=bool)
    notes = [*sheet.notes]
    if sheet.apart is not None:
        if choice.series is not None:
            rows = sheet.apart.codes == choice.series
        notes.append(_apart_note(sheet, choice.series))
    places = np.flatnonzero(rows)
    if choice.clock is None:
        return _filled(column, column.numbers[places], least, [*notes, note("rows"), *_spelling(column)])
    clock = sheet.clocks[choice.clock]
    time = clock.readings.get(choice.order or "", likeliest(clock)[1])
    places, ordered = _ordered(sheet, clock, time, places, column)
    notes += [*ordered, *_order_note(clock, time), *_spelling(column)]
    return _filled(column, column.numbers[places], least, notes, clock.name, time[places])


def of_column(column: Column, least: int) -> Usable:
    """The same of a column as it stands."""
    return _filled(column, column.numbers, least, [])


def _apart_note(sheet: Sheet, series: int | None) -> Note:
    names = sheet.apart.names if sheet.apart else ()
    listed = ", ".join(names[:SERIES_SHOWN]) + (" …" if len(names) > SERIES_SHOWN else "")
    column = sheet.apart.name if sheet.apart else ""
    if series is None:
        return note("together", count=len(names), column=column, names=listed)
    return note("apart", count=len(names), column=column, names=listed, series=names[series][:40])


def _ordered(
    sheet: Sheet, clock: Clock, time: np.ndarray, places: np.ndarray, column: Column
) -> tuple[np.ndarray, list[Note]]:
    """The rows in the order of the clock. Raises Refused where one tells no time, or many tell the same."""
    places = _timed(sheet, clock, time, places, column)
    at = time[places]
    again = len(at) - len(np.unique(at))
    if again > OFTEN * len(at):
        raise Refused("stacked", column=clock.name, count=again, total=len(at))
    way = turned(at)
    notes = [] if way is False else [note("newest" if way else "sorted", column=clock.name)]
    ahead = places[np.argsort(at, kind="stable")]
    return ahead, [*notes, *spacing(time[ahead], clock.name)]


def _order_note(clock: Clock, time: np.ndarray) -> Iterable[Note]:
    if len(distinct(clock)) > 1:
        yield note("order", cell=clock.cell, when=spelled(time[clock.row]))


def _timed(sheet: Sheet, clock: Clock, time: np.ndarray, places: np.ndarray, column: Column) -> np.ndarray:
    """Rows that tell a time; those that have neither a time nor a number are nothing."""
    silent = places[absent(time[places])]
    held = silent[np.isfinite(column.numbers[silent])]
    if len(held):
        raise Refused("clockless", column=clock.name, count=len(held), row=int(sheet.lines[held[0]]))
    return places[~absent(time[places])]


def _spelling(column: Column) -> Iterable[Note]:
    if column.example is not None:
        yield note("spelled", cell=column.example[0], number=f"{column.example[1]:.12g}")
    for value, count in column.stand_ins:
        yield note("stand_in", count=count, number=f"{value:.12g}")


def _filled(
    column: Column, numbers: np.ndarray, least: int, notes: list[Note], clock: str = "", time: np.ndarray | None = None
) -> Usable:
    """`time`: when each number is, by the clock of this name."""
    if column.problem is not None:
        raise column.problem.again()
    if column.otherwise is not None:
        raise Refused("thousands", column=column.name, cell=column.doubtful)
    known = np.flatnonzero(np.isfinite(numbers))
    if not known.size:
        raise Refused("no_numbers", column=column.name)
    numbers = numbers[known[0] : known[-1] + 1]  # what is missing before and after is no gap
    if len(numbers) < least:
        raise Refused("too_short", column=column.name, count=len(numbers), least=least)
    dropped, numbers = max(0, len(numbers) - MOST), numbers[-MOST:]
    gaps = int(np.isnan(numbers).sum())
    if 3 * gaps > len(numbers):
        raise Refused("gaps", column=column.name, count=gaps, total=len(numbers))
    numbers = pd.Series(numbers).interpolate().to_numpy()
    _changing(column.name, numbers)
    if time is not None:
        first, last = (spelled(time[at]) for at in (known[0] + dropped, known[-1]))
        notes.insert(0, note("from", first=first, last=last, column=clock))
    return Usable(values=tuple(map(float, numbers.astype(np.float32))), gaps=gaps, dropped=dropped, notes=tuple(notes))


def _changing(name: str, numbers: np.ndarray) -> None:
    """Raises Refused where float32 cannot hold what is to be learned."""
    if float(np.abs(numbers).max()) > HUGE:
        raise Refused("huge", column=name)
    learned = numbers[: round(0.7 * len(numbers))]
    if bool((learned == learned[0]).all()):
        raise Refused("constant", column=name)
    if float(learned.std()) <= 1e-6 * float(np.abs(learned).max()):
        raise Refused("little", column=name, low=f"{learned.min():.12g}", high=f"{learned.max():.12g}")
