"""Which columns tell the time, and when each row is: dates, numbers that stand for dates, or parts of a date."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from pages.training.time_series.reading.dates import instants, month_of, seconds_of_day
from pages.training.time_series.reading.numbers import Column
from pages.training.time_series.reading.spelling import tidy
from pages.training.time_series.reading.stamps import NUMBER, says_time, stamped
from pages.training.time_series.reading.table import Table

PARTS = {  # what part of a date a column holds, by its name
    "year": r"year|yr|yyyy|yy|jahr|année|annee|año|anno|年|年份|年度",
    "quarter": r"quarter|qtr|q|quartal|trimestre|季度|季",
    "month": r"month|mon|mo|mm|monat|mois|mes|月|月份",
    "day": r"day|dy|dd|tag|jour|día|dia|日|day of month",
    "hour": r"hour|hr|hh|h|stunde|heure|hora|时|小时",
    "minute": r"minute|min|mn|分|分钟",
    "week": r"week|wk|woche|semaine|semana|周",
}
LIMITS = {
    "year": (1500, 2200),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "hour": (0, 24),
    "minute": (0, 59),
}
UNITS = (("year", "month", "day", "hour", "minute"), ("year", "quarter"), ("year", "week"))  # what makes a date


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """A column, or several together, that tell when each row is.

    `readings`: by the order of day, month and year, the instants (datetime64, or plain numbers), NaT or NaN where a
    cell tells none. `parts`: the columns it is made of. `cell`: what is written in `row`, the first that differs.
    """

    name: str
    parts: tuple[int, ...]
    readings: Mapping[str, np.ndarray]
    cell: str = ""
    row: int = 0
    says: bool = True  # whether it is written as a date, or called one: no column of numbers that looks like one


def clocks(table: Table, columns: Sequence[Column]) -> list[Clock]:
    """All that tell the time, the best first."""
    dates = [_dates(table, at, read) for at, cells in enumerate(table.columns) if (read := instants(cells))]
    whole = [_with_time(clock, table, columns) for clock in dates]
    stamps = [stamped(column, first=at == 0) for at, column in enumerate(columns)]
    names = table.names
    numbers = [Clock(names[at], (at,), read, says=says_time(names[at])) for at, read in enumerate(stamps) if read]
    plain = [clock for clock in numbers if NUMBER in clock.readings]
    return [*whole, *_parted(table, columns), *(clock for clock in numbers if clock not in plain), *plain]


def parts_of_time(table: Table, columns: Sequence[Column]) -> set[int]:
    """The columns that tell a part of the time by themselves: years, months, hours."""
    pairs = enumerate(zip(columns, table.columns, strict=True))
    return {at for at, (one, cells) in pairs if _part(one, cells) or seconds_of_day(cells) is not None}


def _dates(table: Table, at: int, readings: Mapping[str, np.ndarray]) -> Clock:
    first, *others = readings.values()
    differ = [int(row) for other in others for row in np.flatnonzero((first != other) & ~np.isnat(first))[:1]]
    row = min(differ, default=0)
    return Clock(table.names[at], (at,), readings, cell=table.columns[at][row][:40], row=row)


def _with_time(clock: Clock, table: Table, columns: Sequence[Column]) -> Clock:
    """A date that stands there several times, with the column of times or hours beside it."""
    days = next(iter(clock.readings.values()))
    if len(np.unique(days)) == len(days):
        return clock
    for at, cells in enumerate(table.columns):
        seconds = seconds_of_day(cells) if at not in clock.parts else None
        if seconds is None and _part(columns[at], cells) == "hour":
            seconds = 3600 * columns[at].numbers
        if seconds is not None and len(np.unique(seconds)) > 1:
            later = (seconds * 1e6).astype("timedelta64[us]")
            name, parts = f"{clock.name} + {table.names[at]}", (*clock.parts, at)
            return replace(
                clock, name=name, parts=parts, readings={order: read + later for order, read in clock.readings.items()}
            )
    return clock


def _part(column: Column, cells: Sequence[str]) -> str | None:
    """Which part of a date a column holds, by its name and its cells."""
    words = [word for word in re.split(r"[\s_()#/.-]+", column.name.lower()) if word]
    for part, names in PARTS.items():
        if any(re.fullmatch(names, word) for word in words):
            values = _values(part, column, cells)
            low, high = LIMITS[part]
            if values is not None and bool(((values >= low) & (values <= high) & (values % 1 == 0)).all()):
                return part
    return None


def _values(part: str, column: Column, cells: Sequence[str]) -> np.ndarray | None:
    """The numbers of a part; months may have names, quarters a Q."""
    if part == "month" and not column.readable:
        months = [month_of(cell) for cell in cells]
        return None if None in months else np.array(months, dtype=float)
    if part == "quarter" and not column.readable:
        quarters = [re.fullmatch(r"q?([1-4])q?", tidy(cell).lower()) for cell in cells]
        return None if None in quarters else np.array([float(one[1]) for one in quarters if one])
    return column.numbers if column.readable and np.isfinite(column.numbers).all() else None


def _parted(table: Table, columns: Sequence[Column]) -> list[Clock]:
    """Year, month, day … in columns of their own."""
    named: dict[str, int] = {}
    for at, cells in enumerate(table.columns):
        named.setdefault(_part(columns[at], cells) or "", at)
    named = named if "year" in named and named.keys() & {"month", "quarter", "week"} else _unnamed(columns)
    if not named:
        return []
    units = next(units for units in UNITS if units[1] in named)
    used = {unit: named[unit] for unit in units if unit in named}
    values = {unit: _values(unit, columns[at], table.columns[at]) for unit, at in used.items()}
    at = _assembled({unit: value for unit, value in values.items() if value is not None})
    if np.isnat(at).any():
        return []
    places = tuple(used.values())
    return [Clock(" + ".join(columns[place].name for place in places), places, {"parts": at})]


def _assembled(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Years, months, days … → instants, NaT where there is no such day."""
    month = values.get("month", 3 * values["quarter"] - 2 if "quarter" in values else np.ones(len(values["year"])))
    day = values.get("day", np.ones(len(month)))
    frame = pd.DataFrame({"year": values["year"].astype(int), "month": month.astype(int), "day": day.astype(int)})
    days = pd.to_datetime(frame, errors="coerce").to_numpy(dtype="datetime64[us]")
    minutes = 60 * values.get("hour", np.zeros(len(month))) + values.get("minute", np.zeros(len(month)))
    minutes = minutes + 7 * 24 * 60 * (values["week"] - 1 if "week" in values else 0)
    return days + minutes.astype("timedelta64[m]")


def _unnamed(columns: Sequence[Column]) -> dict[str, int]:
    """Two columns side by side that count years and months, whatever they are called."""
    for at, (year, month) in enumerate(pairwise(columns)):
        if all(one.readable and np.isfinite(one.numbers).all() for one in (year, month)):
            steps = np.diff(12 * year.numbers + month.numbers)
            years = bool(((year.numbers >= 1500) & (year.numbers <= 2200)).all())
            months = bool(((month.numbers >= 1) & (month.numbers <= 12)).all())
            if years and months and len(steps) > 12 and bool((steps == steps[0]).all()) and steps[0] != 0:
                return {"year": at, "month": at + 1}
    return {}
