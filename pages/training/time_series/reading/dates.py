"""Cells → instants. Every cell is brought to one of a few forms, which pandas reads; a column has one form."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pages.training.time_series.reading.spelling import PLAIN, gap, tidy

LONGEST = 60  # letters of a cell that may be a date
LOOKED = 200  # cells of which one is a date where any is
SURE = 0.9  # of the cells are dates: the column is one, and what is none is named
# An order of day, month and year → how pandas calls it. Several may fit the same cells.
ORDERS = {
    "ymd": "%Y-%m-%d",
    "dmy": "%d-%m-%Y",
    "mdy": "%m-%d-%Y",
    "dmy2": "%d-%m-%y",
    "mdy2": "%m-%d-%y",
    "ymd2": "%y-%m-%d",
    "ym": "%Y-%m",
    "my": "%m-%Y",
    "dby": "%d-%b-%Y",
    "bdy": "%b-%d-%Y",
    "ybd": "%Y-%b-%d",
    "dby2": "%d-%b-%y",
    "by": "%b-%Y",
    "yb": "%Y-%b",
    "by2": "%b-%y",
    "week": "%G-W%V-%u",
    "y": "%Y",
}
DATED = re.compile(
    r"(?:\d{2}|\d{4}|[A-Z][a-z]{2})(?:-(?:\d{2}|\d{4}|[A-Z][a-z]{2})){1,2}|\d{4}-W\d\d-\d|\d{4}", re.ASCII
)
QUARTERS = {"1": "Jan", "2": "Apr", "3": "Jul", "4": "Oct"}
NUMERALS = {"一": "1", "二": "2", "三": "3", "四": "4"}
ENGLISH = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTHS = {name: at for at, name in enumerate(ENGLISH, start=1)} | {  # German, French and Spanish, where they differ
    **dict.fromkeys(("ene",), 1),
    **dict.fromkeys(("fév", "fev"), 2),
    **dict.fromkeys(("mär", "mrz"), 3),
    **dict.fromkeys(("avr", "abr"), 4),
    **dict.fromkeys(("mai",), 5),
    **dict.fromkeys(("juin",), 6),
    **dict.fromkeys(("juil",), 7),
    **dict.fromkeys(("aoû", "aou", "ago"), 8),
    **dict.fromkeys(("okt",), 10),
    **dict.fromkeys(("dez", "déc", "dic"), 12),
}
CHINESE = (  # the first that fits counts
    (re.compile(r"(\d{4})年?第?([1-4一二三四])季度?"), lambda parts: _quarter(parts[1], parts[2])),
    (re.compile(r"(\d{4})年?第?(\d{1,2})周"), lambda parts: f"{parts[1]}-W{int(parts[2]):02}-1"),
    (re.compile(r"(\d{2,4})年(\d{1,2})月(\d{1,2})[日号]?"), lambda parts: f"{parts[1]}-{parts[2]}-{parts[3]}"),
    (re.compile(r"(\d{4})年(\d{1,2})月?(?:份)?"), lambda parts: f"{parts[1]}-{parts[2]}"),
    (re.compile(r"(\d{4})年(?:度)?"), lambda parts: parts[1]),
)
CLOCK = re.compile(r"(\d{1,2})[时時点](?:(\d{1,2})分?)?(?:(\d{1,2})秒?)?")
PARTS = (  # quarters, weeks, months, fiscal years written with a letter
    (re.compile(r"FY ?(\d{4})", re.I), lambda parts: parts[1]),
    (re.compile(r"(\d{4})[- ]?Q([1-4])", re.I), lambda parts: _quarter(parts[1], parts[2])),
    (re.compile(r"Q([1-4])[- /]?(\d{4})", re.I), lambda parts: _quarter(parts[2], parts[1])),
    (re.compile(r"([1-4])Q[- /]?(\d{4})", re.I), lambda parts: _quarter(parts[2], parts[1])),
    (re.compile(r"([1-4])Q[- /]?(\d{2})", re.I), lambda parts: f"{QUARTERS[parts[1]]}-{parts[2]}"),
    (
        re.compile(r"(\d{4})[- ]?W(\d{1,2})(?:-?([1-7]))?", re.I),
        lambda parts: f"{parts[1]}-W{int(parts[2]):02}-{parts[3] or 1}",
    ),
    (re.compile(r"(\d{4})M(\d{1,2})", re.I), lambda parts: f"{parts[1]}-{parts[2]}"),
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), lambda parts: f"{parts[1]}-{parts[2]}-{parts[3]}"),
)
WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+|[,\s]*(?:星期|周)[一二三四五六日天]\s*", re.I)
MONTH = re.compile(rf"(?<![^\W\d_])({'|'.join(MONTHS)})[^\W\d_]*\.?", re.I)
LITTLE = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|º)\b|\b(?:of|de|del)\b", re.I)  # 1st of May, 1 de mayo
TIME = re.compile(
    r"(?P<before>.*?\S)??(?:^|[\sT]\s*)(?P<h>\d{1,2})"
    r"(?:[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2}(?:[.,]\d{1,9})?))?\s*(?P<half>[ap])?\.?(?(half)m\.?)"
    r"|[\s-]?(?P<alone>[ap])m)"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.I,
)
DENSE = re.compile(r"(?P<before>\d{8})[\sT](?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})?(?P<zone>Z)?", re.I)


def instants(cells: Sequence[str]) -> dict[str, np.ndarray]:
    """By the order of day, month and year, all readings under which the cells are dates, NaT where one is not."""
    codes, names = pd.factorize(np.array([tidy(cell) for cell in cells], dtype=object))
    held = np.array([not gap(str(name)) for name in names], dtype=bool)[codes]
    plain = np.array([PLAIN.fullmatch(str(name)) is not None for name in names], dtype=bool)[codes]
    if 2 * plain.sum() >= held.sum() or not any(map(dated, map(str, names[:LOOKED]))):
        return {}  # what numbers mean is for `stamps` to say
    written = [_form(str(name)) for name in names]
    forms = pd.Series([form for form, _ in written], dtype=object)
    seconds = np.array([second for _, second in written])
    readings: dict[str, np.ndarray] = {}
    for order, spelling in ORDERS.items():
        days = pd.to_datetime(forms, format=spelling, errors="coerce")
        days = (_century(days) if order.endswith("2") else days).to_numpy(dtype="datetime64[us]")
        at = (days + (seconds * 1e6).round().astype("timedelta64[us]"))[codes]
        if (~np.isnat(at[held])).mean() >= SURE:
            readings[order] = at
    return _best(readings, held)


def seconds_of_day(cells: Sequence[str]) -> np.ndarray | None:
    """A column of times without a date, in seconds; None where it holds anything else."""
    seconds: list[float] = []
    for cell in cells:
        form, second = _form(tidy(cell), alone=True)
        if form != "":
            return None
        seconds.append(second)
    return np.array(seconds)


def month_of(cell: str) -> int | None:
    """1 to 12 for the name of a month."""
    parts = MONTH.fullmatch(tidy(cell))
    return MONTHS[parts[1].lower()] if parts else None


def dated(cell: str) -> bool:
    """Whether a tidy cell looks like a date or a time."""
    form, _ = _form(cell)
    return form is not None and not PLAIN.fullmatch(cell) and (not form or DATED.fullmatch(form) is not None)


def _century(days: pd.Series) -> pd.Series:
    """Years of two digits that would be in the future are a century earlier, unless that pulls the dates apart."""
    earlier = days.where(days <= pd.Timestamp.now(), days - pd.DateOffset(years=100))
    return earlier if earlier.max() - earlier.min() <= days.max() - days.min() else days


def _best(readings: dict[str, np.ndarray], held: np.ndarray) -> dict[str, np.ndarray]:
    """Those that leave the fewest cells without a date."""
    misses = {order: int(np.isnat(at[held]).sum()) for order, at in readings.items()}
    return {order: at for order, at in readings.items() if misses[order] == min(misses.values())}


def _form(cell: str, *, alone: bool = False) -> tuple[str | None, float]:
    """The day as one of ORDERS, None where it cannot be one, and the seconds after its midnight, in UTC if it says so.

    "" for a time without a day; `alone`: 12.30.20 is one, else it is a day.
    """
    if not cell or len(cell) > LONGEST or not any(map(str.isdigit, cell)):
        return None, 0.0
    day, seconds = _time(_chinese_time(WEEKDAY.sub(" ", cell).strip()), alone=alone)
    return (_day(day) if day else ""), seconds


def _chinese_time(cell: str) -> str:
    """14时30分 → 14:30, 下午2:30 → 2:30 pm."""
    half = " am" if "上午" in cell else " pm" if "下午" in cell else ""
    cell = re.sub("[上下]午", " ", cell)
    return CLOCK.sub(lambda part: f" {part[1]}:{int(part[2] or 0):02}:{int(part[3] or 0):02}", cell).strip() + half


def _time(cell: str, *, alone: bool) -> tuple[str, float]:
    """What stands before the time, and its seconds."""
    parts = DENSE.fullmatch(cell) or TIME.fullmatch(cell)
    if parts is None or not (alone or parts["before"] or ":" in cell):
        return cell, 0.0
    named = parts.groupdict()
    hour, half = int(named["h"]), (named.get("half") or named.get("alone") or "").lower()
    minute, second = int(named["m"] or 0), float((named["s"] or "0").replace(",", "."))
    if hour > (12 if half else 24) or minute > 59 or second >= 61:
        return cell, 0.0
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return named["before"] or "", 3600.0 * hour + 60 * minute + second - _offset(named["zone"] or "")


def _offset(zone: str) -> float:
    """Seconds ahead of UTC."""
    digits = zone[1:].replace(":", "")
    if not zone or not digits.isdigit():
        return 0.0
    return (1 if zone[0] == "+" else -1) * (3600.0 * int(digits[:2]) + 60.0 * int(digits[2:] or 0))


def _day(day: str) -> str | None:
    day = day.strip(" ,")
    for pattern, form in (*CHINESE, *PARTS):
        parts = pattern.fullmatch(day)
        if parts:
            return form(parts) if "W" in form(parts) else _padded(form(parts).split("-"))
    day, months = MONTH.subn(lambda part: f" {ENGLISH[MONTHS[part[1].lower()] - 1].title()} ", LITTLE.sub("", day))
    return _padded(re.split(r"[\s./,-]+" if months else r"[\s./-]+", day.strip(" .,")))  # 2020,5 is a number


def _padded(parts: Sequence[str]) -> str:
    return "-".join(part.zfill(2) for part in parts)


def _quarter(year: str, quarter: str) -> str:
    """Its first month."""
    return f"{year}-{3 * int(NUMERALS.get(quarter, quarter)) - 2}"
