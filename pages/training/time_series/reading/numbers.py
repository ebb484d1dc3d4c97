"""The cells of a column → numbers: every cell of it is spelled the same way, and what does not fit is named."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pages.training.time_series.reading.refused import Refused
from pages.training.time_series.reading.spelling import PLAIN, Spelled, gap, spelled, tidy

TRIPLE = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)  # 1.234 may be 1234
SHORT = re.compile(r"[+-]?\d{1,3}", re.ASCII)
LOOKED = 100  # cells that are searched for digits
SHOWN = 40  # letters of a cell that are shown
MOSTLY = 0.5  # of the cells are numbers: the column was meant to be one of numbers
# What stands for a missing number where cells may not be empty; only if it lies far from all others.
STAND_INS = (-99.0, -99.9, -99.99, -200.0, -999.0, -999.9, -999.99, -8888.0, -9999.0, -9999.9, -99999.0, -32768.0)
STAND_INS_ABOVE = (999.0, 999.9, 999.99, 9999.0, 9999.9, 99999.0, 999999.0, 32767.0)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The numbers of a column, NaN for a gap, and why it cannot be used if it holds anything else."""

    name: str
    numbers: np.ndarray
    problem: Refused | None = None
    comma: bool | None = None  # whether its cells show that the comma is the decimal mark; None: they do not tell
    otherwise: np.ndarray | None = None  # the numbers with a decimal comma, where nothing tells
    doubtful: str = ""  # a cell that may be either
    example: tuple[str, float] | None = None  # a cell that is not spelled plainly, and what was read
    stand_ins: tuple[tuple[float, int], ...] = ()  # numbers that were taken for gaps, how often
    share: float = 1.0  # of its cells that are numbers; gaps do not count
    digits: bool = True  # whether there are digits in it

    @property
    def readable(self) -> bool:
        """Whether it holds numbers, and nothing else but gaps."""
        return self.problem is None and bool(np.isfinite(self.numbers).any())

    @property
    def meant(self) -> bool:
        """Whether it was meant to hold numbers: better refused by name than passed over."""
        return bool(np.isfinite(self.numbers).any()) and self.share >= MOSTLY

    @property
    def known(self) -> np.ndarray:
        """Its numbers without the gaps."""
        return self.numbers[np.isfinite(self.numbers)]

    @property
    def counts(self) -> bool:
        """Whether it merely counts, up or down, in equal steps."""
        steps = np.diff(self.known)
        return len(steps) > 1 and steps[0] != 0 and bool((steps == steps[0]).all())

    @property
    def flag(self) -> bool:
        """Whether it holds one number everywhere, or two: a place, yes and no."""
        return len(np.unique(self.known)) <= 2

    def settled(self, comma: bool | None) -> "Column":
        """Where its cells do not tell what comma or point mean: read as other columns, or the reader, say."""
        if self.otherwise is None or comma is None:
            return self
        numbers = self.otherwise if comma else self.numbers
        at = np.flatnonzero(np.isfinite(self.numbers) & (self.numbers != self.otherwise))[0]
        return replace(self, numbers=numbers, otherwise=None, example=(self.doubtful, float(numbers[at])))


def column(name: str, cells: Sequence[str], lines: Sequence[int] = (), *, semicolon: bool = False) -> Column:
    """The cells below a header as numbers. `lines`: where they stand in the file; `semicolon`: it separates cells."""
    lines = lines or range(1, len(cells) + 1)
    cells = [tidy(cell) for cell in cells]
    gaps = np.array([gap(cell) for cell in cells], dtype=bool)
    if all(blank or PLAIN.fullmatch(cell) for cell, blank in zip(cells, gaps, strict=True)):
        numbers = np.array([math.nan if blank else float(cell) for cell, blank in zip(cells, gaps, strict=True)])
        read = _pointed(Column(name, _finite(numbers)), cells, gaps, semicolon=semicolon)
    else:
        read = _spelled(name, cells, gaps)
    return _without_stand_ins(_judged(read, cells, gaps, lines))


def settled(columns: Sequence[Column]) -> list[Column]:
    """Where a column does not tell what its comma or point means, the others do, if they agree."""
    marks = {one.comma for one in columns if one.problem is None and one.comma is not None}
    comma = marks.pop() if len(marks) == 1 else None
    return [one.settled(comma) for one in columns]


def _pointed(column: Column, cells: Sequence[str], gaps: np.ndarray, *, semicolon: bool) -> Column:
    """Plain numbers; but where each point stands before exactly three digits it may group thousands."""
    held = [cell for cell, blank in zip(cells, gaps, strict=True) if not blank]
    pointed = [cell for cell in held if "." in cell]
    whole = [cell for cell in held if "." not in cell]
    if not all(map(TRIPLE.fullmatch, pointed)) or not all(map(SHORT.fullmatch, whole)):
        return replace(column, comma=False) if pointed else column
    if not pointed or not (semicolon or whole):
        return column
    grouped = [math.nan if blank else float(cell.replace(".", "")) for cell, blank in zip(cells, gaps, strict=True)]
    return replace(column, otherwise=np.array(grouped), doubtful=pointed[0])


def _spelled(name: str, cells: Sequence[str], gaps: np.ndarray) -> Column:
    """Numbers with currencies, separators, units: read with a decimal point and with a decimal comma."""
    parts = _alike([None if blank else spelled(cell) for cell, blank in zip(cells, gaps, strict=True)])
    points, commas = (_values(parts, comma=comma) for comma in (False, True))
    fewer = int(np.isfinite(commas).sum()) - int(np.isfinite(points).sum())
    numbers = commas if fewer > 0 else points
    column = Column(name, numbers, comma=fewer > 0 if fewer else None, example=_example(cells, numbers))
    differ = np.flatnonzero(np.isfinite(points) & (points != commas))
    if fewer or not differ.size:
        return column
    return replace(column, otherwise=commas, doubtful=cells[differ[0]][:SHOWN])


def _values(parts: Sequence[Spelled | None], *, comma: bool) -> np.ndarray:
    values = [None if one is None else one.value(comma=comma) for one in parts]
    return _finite(np.array([math.nan if value is None else value for value in values]))


def _alike(parts: Sequence[Spelled | None]) -> list[Spelled | None]:
    """Without what has another unit or currency than most: 5 kg among °C is no number of the same column."""
    held = [one for one in parts if one is not None]
    if any(one.times != 1 or one.money for one in held):  # 1.2m beside 1.2k or $ is a million; alone it may be metres
        parts = [one and _small(one) for one in parts]
        held = [one for one in parts if one is not None]
    unit = _most(one.unit for one in held if one.digits.strip("0.,") or one.unit)
    money = _most(one.money for one in held if one.money)
    return [
        one if one and (one.unit == unit or not one.digits.strip("0.,")) and one.money in ("", money) else None
        for one in parts
    ]


def _small(one: Spelled) -> Spelled:
    times = {"m": 1e6, "b": 1e9, "t": 1e12}.get(one.unit)
    return replace(one, unit="", times=times) if times else one


def _most(names: Iterable[str]) -> str:
    common = Counter(names).most_common(1)
    return common[0][0] if common else ""


def _example(cells: Sequence[str], numbers: np.ndarray) -> tuple[str, float] | None:
    places = (int(at) for at in np.flatnonzero(np.isfinite(numbers)))
    at = next((at for at in places if not PLAIN.fullmatch(cells[at])), None)
    return None if at is None else (cells[at][:SHOWN], float(numbers[at]))


def _judged(column: Column, cells: Sequence[str], gaps: np.ndarray, lines: Sequence[int]) -> Column:
    """With the cell that is no number, if there is one."""
    wrong = np.flatnonzero(np.isnan(column.numbers) & ~gaps)
    if not wrong.size:
        return column
    first, share = int(wrong[0]), 1 - wrong.size / max(1, int((~gaps).sum()))
    problem = Refused("wrong", column=column.name, count=wrong.size, row=lines[first], cell=cells[first][:SHOWN])
    return replace(column, problem=problem, share=share, digits=any(map(str.isdigit, "".join(cells[:LOOKED]))))


def _without_stand_ins(column: Column) -> Column:
    """−999 far below all others is no measurement."""
    known = column.known
    suspects = [value for value in (*STAND_INS, *STAND_INS_ABOVE) if value in known]
    rest = known[~np.isin(known, suspects)]
    if not suspects or not rest.size:
        return column
    low, high = float(rest.min()), float(rest.max())
    for value in suspects:
        count, away = int((known == value).sum()), low - value if value < 0 else value - high
        if away > high - low > 0 and (value < 0 or count > 1) and 3 * count <= len(known):
            numbers = np.where(column.numbers == value, np.nan, column.numbers)
            column = replace(column, numbers=numbers, stand_ins=(*column.stand_ins, (value, count)))
    return column


def _finite(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, np.nan)
