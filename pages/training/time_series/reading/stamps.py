"""Numbers that stand for instants: 20200101, 202001, seconds since 1970, days of a spreadsheet, 1958.2027, counts."""

import re

import numpy as np
import pandas as pd

from pages.training.time_series.reading.numbers import Column

NUMBER = "number"  # the reading that is no date: a plain count
NAMED = re.compile(
    r"(?:^|[^a-z])(?:date|datetime|time|timestamp|ts|ds|epoch|unix|datum|zeit|fecha|temps|tiempo)(?:[^a-z]|$)"
    r"|date(?:_|$)|time(?:_|$)|日期|时间|时刻",
    re.I,
)
YEARS = re.compile(r"(?:.*[^a-z])?(?:year|yr|jahr|année|annee|año|anno)|.*年份?", re.I)
COUNTS = re.compile(
    r"t|day|week|month|step|steps|index|idx|no|nr|id|row|period|epoch|unnamed.*|#1|序号|编号|天|周|月", re.I
)
COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
SINCE = {"s": (1e8, 4.2e9), "ms": (1e11, 4.2e12), "us": (1e14, 4.2e15), "ns": (1e17, 4.2e18)}  # 1973 to 2103
SPREADSHEET = (20_000.0, 80_000.0)  # days: 1954 to 2119
YEAR = (1000.0, 2200.0)
ALIKE = 0.8  # of the steps


def stamped(column: Column, *, first: bool) -> dict[str, np.ndarray]:
    """The instants of a column of numbers, by what they stand for; nothing where they stand for themselves."""
    known = column.known
    if column.problem is not None or len(np.unique(known)) < 3:
        return {}
    named, even = NAMED.search(column.name) is not None, _even(known)
    whole = bool((known % 1 == 0).all())
    sure = named or (even and _moves(known))
    readings = [
        ("compact", _compact, whole),
        ("month", _months, whole and sure),
        ("since", _since, sure),
        ("year", _years, whole and (_yearly(column.name) or (named and _rises(known)) or (even and _moves(known)))),
        ("year_month", _year_months, sure),
        ("fraction", _fractions, sure and not whole),
        ("days", _days, named and (even or _rises(known))),
    ]
    for kind, read, possible in readings:
        at = read(column.numbers, known) if possible else None
        if at is not None:
            return {kind: at}
    counted = named or (COUNTS.fullmatch(column.name) is not None and (first or not column.name.startswith("#")))
    return {NUMBER: column.numbers} if counted and (even if whole else _rises(known)) else {}


def says_time(name: str) -> bool:
    """Whether a column is called after the time."""
    return NAMED.search(name) is not None or _yearly(name)


def _yearly(name: str) -> bool:
    return YEARS.fullmatch(name) is not None


def _compact(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """20200101, 202001010930."""
    digits = {len(f"{value:.0f}") for value in known}
    form = COMPACT.get(digits.pop()) if len(digits) == 1 else None
    return _parsed(numbers, form) if form and known.min() > 0 else None


def _months(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """202001."""
    if (
        known.min() < 100 * YEAR[0]
        or known.max() > 100 * YEAR[1]
        or not ((known % 100 >= 1) & (known % 100 <= 12)).all()
    ):
        return None
    return _of_months(12 * (numbers // 100) + numbers % 100 - 1)


def _since(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Seconds since 1970, or thousandths, millionths of them."""
    unit = next((unit for unit, (low, high) in SINCE.items() if low <= known.min() and known.max() <= high), None)
    if unit is None:
        return None
    scale = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[unit]
    return _instants(numbers * scale)


def _years(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    return _of_months(12 * numbers) if _within(known, YEAR) else None


def _year_months(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """1871.01 … 1871.12, where 1871.1 is October."""
    months = np.round(100 * (known % 1), 6)
    if not _within(known, YEAR) or not ((months % 1 == 0) & (months >= 1) & (months <= 12)).all() or not _rises(known):
        return None
    return _of_months(12 * np.floor(numbers) + np.round(100 * (numbers % 1)) - 1)


def _fractions(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """1958.2027: a year and how much of it has passed."""
    if not _within(known, YEAR) or not _rises(known):
        return None
    return _instants((numbers - 1970) * 365.2425 * 86400e6)


def _days(numbers: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Days since 30 December 1899, as spreadsheets count them."""
    return _instants((numbers - 25569) * 86400e6) if _within(known, SPREADSHEET) else None


def _within(known: np.ndarray, limits: tuple[float, float]) -> bool:
    return limits[0] <= known.min() and known.max() <= limits[1]


def _rises(known: np.ndarray) -> bool:
    """Whether it always rises, or always falls."""
    steps = np.diff(known)
    return bool((steps > 0).all() or (steps < 0).all())


def _even(known: np.ndarray) -> bool:
    """Whether most of its distinct values are equally far apart."""
    steps = np.diff(np.unique(known))
    step = float(np.median(steps))
    return bool((np.abs(steps - step) <= 0.02 * step).mean() >= ALIKE)


def _moves(known: np.ndarray) -> bool:
    """Whether most rows are one step from the row before, or the same."""
    step, steps = float(np.median(np.diff(np.unique(known)))), np.abs(np.diff(known))
    return bool(((np.abs(steps - step) <= 0.02 * step) | (steps == 0)).mean() >= ALIKE)


def _parsed(numbers: np.ndarray, form: str) -> np.ndarray | None:
    written = pd.Series([f"{value:.0f}" if np.isfinite(value) else None for value in numbers], dtype=object)
    at = pd.to_datetime(written, format=form, errors="coerce").to_numpy(dtype="datetime64[us]")
    return at if bool((~np.isnat(at[np.isfinite(numbers)])).all()) else None


def _of_months(months: np.ndarray) -> np.ndarray:
    """Months since the year 0 → the first instant of each."""
    since = np.where(np.isfinite(months), months - 12 * 1970, 0).astype(int)
    at = since.astype("datetime64[M]").astype("datetime64[us]")
    return np.where(np.isfinite(months), at, np.datetime64("NaT"))


def _instants(microseconds: np.ndarray) -> np.ndarray:
    at = np.where(np.isfinite(microseconds), microseconds, 0).round().astype("int64").astype("datetime64[us]")
    return np.where(np.isfinite(microseconds), at, np.datetime64("NaT"))
