"""A reader's own CSV → columns of numbers, or the key of the sentence that says why not. Nothing in it is run."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

LARGEST = 2 * 2**20  # bytes
MOST_ROWS, MOST_COLUMNS, MOST_CELL = 100_000, 64, 200
MOST = 4000  # of the last numbers are used
HUGE = 1e15  # float32 keeps seven digits
DELIMITERS = ";\t|,"  # a comma may also be a decimal point, so it comes last where two separate equally well
SAMPLE = 20  # rows by which the delimiter is chosen
GAPS = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "--", "?", "."))
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(([,.])\d{3}(\2\d{3})*([,.]\d+)?)", re.ASCII)  # 1,234  1.234.567  1,234.5


class Refused(ValueError):
    """What cannot be used; `why` is the key of a sentence, `named` what it names."""

    def __init__(self, why: str, **named: str | int) -> None:
        super().__init__(why)
        self.why, self.named = why, named

    def again(self) -> "Refused":
        """The same, to raise: one that is kept and raised keeps all that stood wherever it was raised."""
        return Refused(self.why, **self.named)


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
    if text.count("\n") > MOST_ROWS:
        raise Refused("too_long", most=MOST_ROWS)
    delimiter = _delimiter(text)
    rows, comma = _rows(_begun(text, delimiter), delimiter), delimiter != ","
    titled = not np.isfinite(_numbers(rows[0], comma=comma)).any()
    names = _named([cell[:MOST_CELL] for cell in rows[0]] if titled else [""] * len(rows[0]))
    cells = zip(*rows[titled:], strict=True) if rows[titled:] else [()] * len(names)
    columns = [column(name, below, comma=comma) for name, below in zip(names, cells, strict=True)]
    if not any(np.isfinite(one.numbers).any() or _grouped(one) for one in columns):
        raise Refused("not_csv")
    return columns


def column(name: str, cells: Sequence[str], *, comma: bool) -> Column:
    """The cells below a header as numbers. `comma`: whether a comma may be a decimal point."""
    cells = [cell.strip() for cell in cells]
    numbers = _numbers(cells, comma=comma)
    wrong = [at for at in np.flatnonzero(np.isnan(numbers)) if cells[at].lower() not in GAPS]
    grouped = _thousands(cells, comma=comma)
    problem = None
    if grouped is not None:
        problem = Refused("thousands", column=name, row=grouped + 1, cell=cells[grouped][:40])
    elif wrong:
        problem = Refused("wrong", column=name, count=len(wrong), row=int(wrong[0]) + 1, cell=cells[wrong[0]][:40])
    return Column(name, numbers, problem)


def likely(columns: Sequence[Column]) -> int:
    """The column a reader probably means: the first with numbers alone that does not merely count the rows."""
    readable = [at for at, one in enumerate(columns) if one.readable]
    meant = [at for at in readable if not columns[at].counts]
    grouped = [at for at, one in enumerate(columns) if _grouped(one)]  # better refused by name than passed over
    return next(iter(meant or grouped or readable), 0)


def usable(column: Column, least: int) -> Usable:
    """The last MOST numbers of a column, gaps interpolated. Raises Refused; `least`: how many it takes."""
    if column.problem is not None:
        raise column.problem.again()
    numbers = column.numbers
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
    if float(np.abs(numbers).max()) > HUGE:
        raise Refused("huge", column=column.name)
    learned = numbers[: round(0.7 * len(numbers))]
    if float(learned.std()) <= 1e-6 * float(np.abs(learned).max()):
        raise Refused("constant", column=column.name)
    return Usable(values=tuple(map(float, numbers.astype(np.float32))), gaps=gaps, dropped=dropped)


def _begun(text: str, delimiter: str) -> str:
    """The text from its first row with something in it."""
    blank = len(text) - len(text.lstrip(f"{delimiter} \t\r\n\f"))
    return text[text.rfind("\n", 0, blank) + 1 :]


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Every cell without the white space around it, "" where a row has none; as many in each row as in the first.

    Raises Refused where there are too many rows or columns, or too many rows are wider than the first.
    """
    try:
        width = len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), ()))
        table = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=delimiter,
            names=range(width + 1),  # one more, which is filled where a row is too wide
            header=None,
            index_col=False,
            dtype=str,
            na_filter=False,
            engine="python",
            skip_blank_lines=False,
            on_bad_lines=lambda cells: cells[: width + 1],  # type: ignore[arg-type] pandas takes a function, too
            nrows=MOST_ROWS + 1,
        )
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:  # a cell too long, an open quote
        raise Refused("not_csv") from error
    if len(table) > MOST_ROWS:
        raise Refused("too_long", most=MOST_ROWS)
    rows = [[str(cell).strip() for cell in row[:width]] for row in table.fillna("").to_numpy().tolist()]
    # An empty line separates nothing from nothing, but where there is one column it is a gap.
    rows = [row for row in rows if width == 1 or any(row)]
    if not rows or width > MOST_COLUMNS or int(table[width].notna().sum()) > len(rows) // 10:
        raise Refused("not_csv")
    return rows


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
    doubtful: list[str] = []
    for encoding in order:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
            continue
        if encoding != "gb18030" or _chinese(text):
            return text
        doubtful.append(text)
    if doubtful:
        return doubtful[0]
    raise Refused("binary")


def _chinese(text: str) -> bool:
    """Whether at least half of what is not ASCII is common: signs or the first level of GB 2312. Western letters that
    are read as Chinese give rare characters.
    """
    foreign = [letter.encode("gb2312", "ignore") for letter in text if ord(letter) > 127]
    common = sum(0xA1 <= code[0] <= 0xA9 or 0xB0 <= code[0] <= 0xD7 for code in foreign if code)
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


def _numbers(cells: Sequence[str], *, comma: bool) -> np.ndarray:
    """Finite numbers, NaN for everything else. `comma`: one comma and no point is a decimal point."""
    written = [cell.replace(",", ".") if comma and cell.count(",") == 1 and "." not in cell else cell for cell in cells]
    numbers = np.asarray(pd.to_numeric(pd.Series(written, dtype=object), errors="coerce"), dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _thousands(cells: Sequence[str], *, comma: bool) -> int | None:
    """The first cell whose comma or point may separate thousands, unless other cells show that it does not: 1,234 is
    a number with a decimal comma beside 1,5 or 0,125; 1.234 is none beside 1,5.
    """
    marked = [(at, cell) for at, cell in enumerate(cells) if "," in cell]
    both = [at for at, cell in marked if GROUPED.fullmatch(cell) and (not comma or cell.count(",") > 1 or "." in cell)]
    if both or not comma or not marked:
        return both[0] if both else None
    grouped = [at for at, cell in marked if GROUPED.fullmatch(cell)]
    if len(grouped) == len(marked):
        return grouped[0]
    points = [at for at, cell in enumerate(cells) if "." in cell and GROUPED.fullmatch(cell)]
    return points[0] if points else None


def _grouped(column: Column) -> bool:
    return column.problem is not None and column.problem.why == "thousands"
