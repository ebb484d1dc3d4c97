"""A reader's own CSV → one column of numbers, or the key of the sentence that says why not. Nothing in it is run."""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LARGEST = 2 * 2**20  # bytes
MOST_ROWS, MOST_COLUMNS, MOST_CELL = 100_000, 64, 200
MOST = 4000  # of the last numbers are used
HUGE = 1e15  # float32 keeps seven digits
DELIMITERS = ",;\t|"
GAPS = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "--", "?", "."))
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class Refused(ValueError):
    """What cannot be used; `why` is the key of a sentence, `told` what it names."""

    def __init__(self, why: str, **told: str | int) -> None:
        super().__init__(why)
        self.why, self.told = why, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Cells as they were written, without the header."""

    name: str
    cells: tuple[str, ...]
    comma: bool  # whether a comma is a decimal point

    def numbers(self) -> list[float | str | None]:
        """Each cell as its number, None for a gap, itself where it is neither."""
        return [_number(cell, comma=self.comma) for cell in self.cells]

    @property
    def readable(self) -> bool:
        """Whether it holds numbers, and nothing else but gaps."""
        found = self.numbers()
        return any(isinstance(each, float) for each in found) and not any(isinstance(each, str) for each in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """Numbers without gaps, and what was done to have them."""

    values: tuple[float, ...]
    gaps: int  # cells that were interpolated
    dropped: int  # numbers before the last MOST


def read(data: bytes) -> list[Column]:
    """The columns of a file. Raises Refused."""
    if len(data) > LARGEST:
        raise Refused("large", most=LARGEST // 2**20)
    text = _decoded(data)
    if not text.strip():
        raise Refused("empty")
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:  # a cell longer than a field may be, or a line feed where none can be
        raise Refused("not_csv") from error
    width = len(next(row for row in rows if any(cell.strip() for cell in row)))
    # An empty line separates nothing from nothing, but where there is one column it is a gap.
    rows = [row for row in rows if any(cell.strip() for cell in row) or width == 1]
    while not any(cell.strip() for cell in rows[0]):
        del rows[0]
    ragged = sum(len(row) > width for row in rows)
    if width > MOST_COLUMNS or ragged > len(rows) // 10:
        raise Refused("not_csv")
    if len(rows) > MOST_ROWS:
        raise Refused("too_long", most=MOST_ROWS)
    comma = delimiter != ","
    titled = not any(isinstance(_number(cell, comma=comma), float) for cell in rows[0])
    names = _named([cell.strip()[:MOST_CELL] for cell in rows[0]] if titled else [""] * width)
    rows = rows[titled:]
    found = [
        Column(name=name, cells=tuple(row[at].strip() if at < len(row) else "" for row in rows), comma=comma)
        for at, name in enumerate(names)
    ]
    if not any(isinstance(each, float) for column in found for each in column.numbers()):
        raise Refused("not_csv")
    return found


def likely(columns: Sequence[Column]) -> int:
    """The column a reader probably means: the first with numbers alone that does not merely count the rows."""
    readable = [at for at, column in enumerate(columns) if column.readable]
    counting = [at for at in readable if _counts(columns[at].numbers())]
    return next(iter([at for at in readable if at not in counting] or readable), 0)


def usable(column: Column, least: int) -> Usable:
    """The last MOST numbers of a column, gaps interpolated. Raises Refused; `least`: how many it takes."""
    found = column.numbers()
    wrong = [at for at, each in enumerate(found) if isinstance(each, str)]
    if wrong:
        cell = column.cells[wrong[0]][:40]
        raise Refused("wrong", column=column.name, count=len(wrong), row=wrong[0] + 1, cell=cell)
    numbers = np.array([math.nan if each is None else each for each in found], dtype=np.float64)
    there = np.flatnonzero(np.isfinite(numbers))
    if not there.size:
        raise Refused("no_numbers", column=column.name)
    numbers = numbers[there[0] : there[-1] + 1]  # what is missing before and after is no gap
    if len(numbers) < least:
        raise Refused("too_short", column=column.name, count=len(numbers), least=least)
    dropped, numbers = max(0, len(numbers) - MOST), numbers[-MOST:]
    known = np.isfinite(numbers)
    gaps = int((~known).sum())
    if 3 * gaps > len(numbers):
        raise Refused("gaps", column=column.name, count=gaps, total=len(numbers))
    at = np.arange(len(numbers))
    numbers = np.interp(at, at[known], numbers[known])
    if float(np.abs(numbers).max()) > HUGE:
        raise Refused("huge", column=column.name)
    learned = numbers[: round(0.7 * len(numbers))]
    if float(learned.std()) <= 1e-6 * float(np.abs(learned).max()):
        raise Refused("constant", column=column.name)
    return Usable(values=tuple(map(float, numbers.astype(np.float32))), gaps=gaps, dropped=dropped)


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        order: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data or data[:4] == b"PK\x03\x04":
        raise Refused("binary")
    else:
        order = ("utf-8-sig", "gb18030")  # what spreadsheets write in China
    for encoding in order:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
            return text
    raise Refused("binary")


def _named(cells: Sequence[str]) -> list[str]:
    """Names that differ; a number where there is none."""
    names: list[str] = []
    for at, cell in enumerate(cells, start=1):
        name, number = cell or f"#{at}", 2
        while name in names:
            name, number = f"{cell or f'#{at}'} ({number})", number + 1
        names.append(name)
    return names


def _number(cell: str, *, comma: bool) -> float | str | None:
    cell = cell.strip()
    if cell.lower() in GAPS:
        return None
    written = cell.replace(",", ".") if comma and cell.count(",") == 1 and "." not in cell else cell
    if not NUMBER.fullmatch(written):
        return cell
    value = float(written)
    return value if math.isfinite(value) else cell


def _counts(numbers: Sequence[float | str | None]) -> bool:
    values = [each for each in numbers if isinstance(each, float)]
    return len(values) > 2 and all(later - earlier == 1 for earlier, later in pairwise(values))
