"""A reader's own CSV → columns of numbers, or the key of the sentence that says why not. Nothing in it is run."""

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

LARGEST = 2 * 2**20  # bytes
MOST_ROWS, MOST_COLUMNS, MOST_CELL = 100_000, 64, 200
MOST = 4000  # of the last numbers are used
HUGE = 1e15  # float32 keeps seven digits
DELIMITERS = ";\t|,"  # a comma may also be a decimal point, so it comes last where two separate equally well
SAMPLE = 20  # rows by which the delimiter is chosen
GAPS = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "--", "?", "."))
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(([,.])\d{3}(\2\d{3})*([,.]\d+)?)", re.ASCII)  # 1,234  1.234.567  1,234.5


class Refused(ValueError):
    """What cannot be used; `why` is the key of a sentence, `told` what it names."""

    def __init__(self, why: str, **told: str | int) -> None:
        super().__init__(why)
        self.why, self.told = why, told

    def again(self) -> "Refused":
        """The same, to raise: one that is kept and raised keeps all that stood wherever it was raised."""
        return Refused(self.why, **self.told)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The numbers of a column, NaN for a gap, and why it cannot be used if it holds anything else."""

    name: str
    numbers: np.ndarray
    problem: Refused | None

    @property
    def readable(self) -> bool:
        """Whether it holds numbers, and nothing else but gaps."""
        return self.problem is None and bool(np.isfinite(self.numbers).any())

    @property
    def counts(self) -> bool:
        """Whether it merely counts the rows."""
        known = self.numbers[np.isfinite(self.numbers)]
        return len(known) > 2 and bool((np.diff(known) == 1).all())


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
    delimiter = _delimiter(text)
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), MOST_ROWS + 1))
    except csv.Error as error:  # a cell longer than a field may be, or a line feed where none can be
        raise Refused("not_csv") from error
    if len(rows) > MOST_ROWS:
        raise Refused("too_long", most=MOST_ROWS)
    there = [any(cell.strip() for cell in row) for row in rows]
    if not any(there):
        raise Refused("not_csv")
    first = there.index(True)
    width = len(rows[first])
    # An empty line separates nothing from nothing, but where there is one column it is a gap.
    rows = [row for row, full in zip(rows[first:], there[first:], strict=True) if full or width == 1]
    ragged = sum(len(row) > width for row in rows)
    if width > MOST_COLUMNS or ragged > len(rows) // 10:
        raise Refused("not_csv")
    comma = delimiter != ","
    titled = not any(isinstance(_number(cell, comma=comma), float) for cell in rows[0])
    names = _named([cell.strip()[:MOST_CELL] for cell in rows[0]] if titled else [""] * width)
    rows = rows[titled:]
    found = [
        column(name, [row[at] if at < len(row) else "" for row in rows], comma=comma) for at, name in enumerate(names)
    ]
    if not any(np.isfinite(each.numbers).any() or _grouped(each) for each in found):
        raise Refused("not_csv")
    return found


def column(name: str, cells: Sequence[str], *, comma: bool) -> Column:
    """The cells below a header as numbers. `comma`: whether a comma may be a decimal point."""
    read = [_number(cell, comma=comma) for cell in cells]
    numbers = np.array([each if isinstance(each, float) else math.nan for each in read], dtype=np.float64)
    grouped = _thousands(cells, comma=comma)
    wrong = [at for at, each in enumerate(read) if isinstance(each, str)]
    problem = None
    if grouped is not None:
        problem = Refused("thousands", column=name, row=grouped + 1, cell=cells[grouped].strip()[:40])
    elif wrong:
        cell = cells[wrong[0]].strip()[:40]
        problem = Refused("wrong", column=name, count=len(wrong), row=wrong[0] + 1, cell=cell)
    return Column(name, numbers, problem)


def likely(columns: Sequence[Column]) -> int:
    """The column a reader probably means: the first with numbers alone that does not merely count the rows."""
    readable = [at for at, each in enumerate(columns) if each.readable]
    meant = [at for at in readable if not columns[at].counts]
    grouped = [at for at, each in enumerate(columns) if _grouped(each)]  # better told about than passed over
    return next(iter(meant or grouped or readable), 0)


def usable(column: Column, least: int) -> Usable:
    """The last MOST numbers of a column, gaps interpolated. Raises Refused; `least`: how many it takes."""
    if column.problem is not None:
        raise column.problem.again()
    numbers = column.numbers
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


def _delimiter(text: str) -> str:
    """What separates most of the first rows into equally many cells."""
    best, share = ",", 0.0
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = [len(row) for row in islice((row for row in islice(reader, MOST_ROWS) if row), SAMPLE)]
        except csv.Error:
            continue
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1 and count / len(widths) > share:
            best, share = delimiter, count / len(widths)
    return best


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        order: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data or data[:4] == b"PK\x03\x04":
        raise Refused("binary")
    else:
        order = ("utf-8-sig", "gb18030", "cp1252")  # what spreadsheets write in China, and in the West
    found: list[str] = []
    for encoding in order:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
            continue
        if encoding != "gb18030" or _chinese(text):
            return text
        found.append(text)
    if found:
        return found[0]
    raise Refused("binary")


def _chinese(text: str) -> bool:
    """Whether at least half of what is not ASCII is common: signs or the first level of GB 2312. Western letters that
    are read as Chinese give rare characters.
    """
    foreign = [letter.encode("gb2312", "ignore") for letter in text if ord(letter) > 127]
    common = sum(0xA1 <= each[0] <= 0xA9 or 0xB0 <= each[0] <= 0xD7 for each in foreign if each)
    return 2 * common >= len(foreign)


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


def _thousands(cells: Sequence[str], *, comma: bool) -> int | None:
    """The first cell whose comma or point may separate thousands, unless other cells show that it does not: 1,234 is
    a number with a decimal comma beside 1,5 or 0,125; 1.234 is none beside 1,5.
    """
    marked = [(at, cell.strip()) for at, cell in enumerate(cells) if "," in cell]
    both = [at for at, cell in marked if GROUPED.fullmatch(cell) and (not comma or cell.count(",") > 1 or "." in cell)]
    if both or not comma or not marked:
        return both[0] if both else None
    grouped = [at for at, cell in marked if GROUPED.fullmatch(cell)]
    if len(grouped) == len(marked):
        return grouped[0]
    points = [at for at, cell in enumerate(cells) if "." in cell and GROUPED.fullmatch(cell.strip())]
    return points[0] if points else None


def _grouped(column: Column) -> bool:
    return column.problem is not None and column.problem.why == "thousands"
