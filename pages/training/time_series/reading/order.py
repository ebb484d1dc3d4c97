"""Rows in the order of their clock, and what their distances are: days that are missing, told twice, or uneven."""

import numpy as np

from pages.training.time_series.reading.clock import Clock
from pages.training.time_series.reading.refused import Note, note

DAY = np.timedelta64(1, "D").astype("timedelta64[us]")
SORTED = 0.9  # of the rows follow the one before
TOLERANCE = 0.02  # by which distances may differ: decimal years are rounded


def likeliest(clock: Clock) -> tuple[str, np.ndarray]:
    """Of several orders of day, month and year the one under which the rows follow each other most evenly."""
    orders = list(clock.readings)
    best = max(orders, key=lambda order: (_evenness(clock.readings[order]), -orders.index(order)))
    return best, clock.readings[best]


def distinct(clock: Clock) -> list[str]:
    """The orders under which the rows are at different times."""
    different: list[str] = []
    for order, at in clock.readings.items():
        if not any(_same(at, clock.readings[other]) for other in different):
            different.append(order)
    return different


def steps(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct instants in their order, and the distances between them: in months where there is one a month at
    most, and always on the same day or the last.
    """
    at = np.unique(at)
    if at.dtype.kind != "M":
        return at, np.diff(at)
    months = np.diff(at.astype("datetime64[M]").astype(int))
    days = (at - at.astype("datetime64[M]").astype(at.dtype)) // DAY
    last = ((at + DAY).astype("datetime64[M]") != at.astype("datetime64[M]")).all()
    if len(months) and (months > 0).all() and (len(set(days)) == 1 or last or len(set(months)) == 1):
        return at, months.astype(float)
    return at, np.diff(at).astype("int64").astype(float)


def spacing(at: np.ndarray, clock: str) -> list[Note]:
    """What is to be said of the distances between the rows; numbers are not changed by it."""
    again = len(at) - len(np.unique(at))
    notes = [note("twice", count=again, when=spelled(_repeated(at)), column=clock)] if again else []
    at, away = steps(at)
    if not len(away):
        return notes
    values, counts = np.unique(np.round(away, 9), return_counts=True)
    usual = float(values[counts.argmax()])
    multiples = away / usual
    if (np.abs(multiples - 1) <= TOLERANCE).all():
        return notes
    if _workdays(at):
        missing = int(np.busday_count(at[0].astype("datetime64[D]"), at[-1].astype("datetime64[D]"))) + 1 - len(at)
        return [*notes, note("business_missing", count=missing) if missing else note("business")]
    if (np.abs(multiples - np.round(multiples)) <= TOLERANCE * multiples).all() and multiples.min() > 0.5:
        first = int(np.argmax(multiples > 1.5))
        missing = int(np.round(multiples).sum()) - len(away)
        return [*notes, note("holes", count=missing, when=spelled(at[first]), column=clock)]
    return [*notes, note("uneven", column=clock)]


def spelled(at: np.ndarray | np.generic) -> str:
    """An instant as one reads it: without a time where it is midnight."""
    if at.dtype.kind != "M":
        return f"{float(at):g}"
    written = str(at.astype("datetime64[s]")).replace("T", " ")
    return written.removesuffix(" 00:00:00")


def turned(at: np.ndarray) -> bool | None:
    """Whether the newest row stands first: True, or in the order of time: False; None for any other order."""
    ahead = np.diff(at.astype("int64") if at.dtype.kind == "M" else at)
    return False if (ahead >= 0).all() else True if (ahead <= 0).all() else None


def absent(at: np.ndarray) -> np.ndarray:
    """Which rows tell no time."""
    return np.isnat(at) if at.dtype.kind == "M" else np.isnan(at)


def _workdays(at: np.ndarray) -> bool:
    """Whether there is one row a day, on no Saturday or Sunday, and most workdays have one."""
    if at.dtype.kind != "M":
        return False
    days = at.astype("datetime64[D]")
    span = np.busday_count(days[0], days[-1]) + 1
    return bool(np.is_busday(days).all()) and len(np.unique(days)) == len(at) and len(at) > 0.8 * span


def _evenness(at: np.ndarray) -> tuple[float, float]:
    """Whether the rows stand in the order of time, and the share of their most frequent distance."""
    at = at[~absent(at)]
    if len(at) < 2:
        return 0.0, 0.0
    ahead = np.sign(np.diff(at).astype("int64") if at.dtype.kind == "M" else np.diff(at))
    _, counts = np.unique(steps(at)[1], return_counts=True)
    return float(abs(ahead.mean()) > SORTED), float(counts.max(initial=0) / len(at))


def _repeated(at: np.ndarray) -> np.generic:
    values, counts = np.unique(at, return_counts=True)
    return values[counts > 1][0]


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one[~absent(one)] == other[~absent(one)]).all())
