"""A file as it may be read: its columns, the clocks among them, the series that stand below each other."""

from dataclasses import dataclass

import numpy as np

from pages.training.time_series.reading.clock import Clock, clocks, parts_of_time
from pages.training.time_series.reading.decoded import decoded
from pages.training.time_series.reading.numbers import Column, column, settled
from pages.training.time_series.reading.order import likeliest
from pages.training.time_series.reading.refused import Note, Refused, note
from pages.training.time_series.reading.rows import MOST_ROWS, rows_of
from pages.training.time_series.reading.several import Apart, apart
from pages.training.time_series.reading.stamps import says_time
from pages.training.time_series.reading.table import Table, table_of

LARGEST = 2 * 2**20  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What stands in a file. `aside`: the columns that are forecast only when they are asked for: times and names."""

    columns: tuple[Column, ...]
    clocks: tuple[Clock, ...]
    apart: Apart | None
    aside: frozenset[int]
    lines: np.ndarray  # of the rows in the file
    notes: tuple[Note, ...]

    def likely(self) -> int | None:
        """The column a reader probably means: the first of numbers that tells no time, names no series and does not
        merely count; else one with digits, so that what is not understood is named; None where there is none.
        """
        meant = [at for at, one in enumerate(self.columns) if one.meant and at not in self.aside]
        moving = [at for at in meant if not self.columns[at].counts and not self.columns[at].flag]
        digits = [at for at, one in enumerate(self.columns) if one.digits and at not in self.aside]
        return next(iter(moving or meant or digits), None)


def read(data: bytes) -> Sheet:
    """The columns of a file. Raises Refused."""
    if len(data) > LARGEST:
        raise Refused("large", most=LARGEST // 2**20)
    text = decoded(data)
    if not text.strip():
        raise Refused("empty")
    if text.count("\n") > MOST_ROWS + 1:
        raise Refused("too_long", most=MOST_ROWS)
    rows = rows_of(text)
    return _sheet(table_of(rows), semicolon=rows.separator in ";；")


def _sheet(table: Table, *, semicolon: bool) -> Sheet:
    """Numbers that merely look like times are no clock beside one that says so, nor where nothing else is a number."""
    pairs = zip(table.names, table.columns, strict=True)
    columns = settled([column(name, cells, table.lines, semicolon=semicolon) for name, cells in pairs])
    times = _whole(clocks(table, columns))
    named = [clock for clock in times if clock.says]
    parts = _parts(times) | parts_of_time(table, columns)
    if not any(one.meant for at, one in enumerate(columns) if at not in parts):
        times, parts = named, _parts(named)
    known = named or times
    groups = apart(table, columns, likeliest(known[0])[1] if known else None, parts)
    aside = frozenset(parts | set(groups.parts if groups else ()))
    notes = table.notes if known else (*table.notes, *_undated(table, columns))
    return Sheet(tuple(columns), tuple(known), groups, aside, np.array(table.lines), notes)


def _parts(times: list[Clock]) -> set[int]:
    return {part for clock in times for part in clock.parts}


def _undated(table: Table, columns: list[Column]) -> list[Note]:
    """A column that is called a time, and is none."""
    places = [at for at, one in enumerate(columns) if says_time(one.name) and not one.meant]
    return [note("undated", column=columns[at].name, cell=table.columns[at][0][:40]) for at in places[:1]]


def _whole(known: list[Clock]) -> list[Clock]:
    """Without those that are part of a better one: the year of a year and a month."""
    whole: list[Clock] = []
    for clock in known:
        if not any(set(clock.parts) <= set(better.parts) for better in whole):
            whole.append(clock)
    return whole
