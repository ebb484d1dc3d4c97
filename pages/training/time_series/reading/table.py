"""Rows → named columns: titles above the header, units below it, notes at the end are no numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pages.training.time_series.reading.dates import dated
from pages.training.time_series.reading.refused import Note, Refused, note
from pages.training.time_series.reading.rows import ALONE, MOST_COLUMNS, Row, Rows, typed
from pages.training.time_series.reading.spelling import gap, spelled, tidy

MOST_CELL = 200
LOOKED = 200  # rows by which it is told what a column holds
MOSTLY = 0.7  # of the cells are numbers or dates
HEADER = 3  # rows of a header at most
WIDE = 6  # columns named after times, beside a name: time runs across
WHOLE = re.compile(r"\d{1,4}(?:\.0)?", re.ASCII)
YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d(?: \[YR\d{4}\])?", re.ASCII)
TOTALS = re.compile(r"(?:sub)?total|sum|summe|average|mean|合计|总计|小计|平均|总和", re.I)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of cells, equally long; `lines`: where the rows stand in the file."""

    names: list[str]
    columns: list[list[str]]
    lines: list[int]
    notes: tuple[Note, ...]


def table_of(rows: Rows) -> Table:
    """Names and cells. Raises Refused."""
    alone = rows.separator == ALONE
    last = max((at for at, row in enumerate(rows.rows) if not row.blank), default=-1)
    body = [row for row in rows.rows[: last + 1] if alone or not row.blank]
    width = _width(body)
    kinds = _kinds(body, width)
    begin = _begin(body, kinds)
    header, notes = _header(body[:begin], width), []
    if not header and _labels(body, begin):
        header, begin = [body[begin].cells], begin + 1
        notes.append(note("names", names=", ".join(header[0])[:MOST_CELL]))
    end = len(body) if alone else _end(body, begin, kinds, width)
    if end < len(body):
        notes.append(note("footer", count=len(body) - end, cell=next(filter(None, body[end].cells), "")[:40]))
    data = body[begin:end]
    _even(data, width)
    columns = [[row.cells[at] if at < len(row.cells) else "" for row in data] for at in range(width)]
    names = _joined(_aligned(header, columns, data[0].line) or _commented(rows.commented, width), width)
    kept = [at for at in range(width) if any(columns[at])]
    table = Table(
        _named([names[at] for at in kept]), [columns[at] for at in kept], [row.line for row in data], tuple(notes)
    )
    _narrow(table)
    return table


def _width(body: Sequence[Row]) -> int:
    """Of most rows, which begin and end with what is no row of numbers."""
    widths = [len(row.cells) for row in body if not row.blank]
    if not widths:
        raise Refused("empty")
    return max(set(widths), key=widths.count)


def _kinds(body: Sequence[Row], width: int) -> list[bool]:
    """Of each column, whether it holds numbers or dates: by the rows in the middle."""
    regular = [row.cells for row in body if len(row.cells) == width]
    middle = regular[len(regular) // 2 :][:LOOKED]
    columns = [[cell for cell in column if not gap(tidy(cell))] for column in zip(*middle, strict=True)]
    return [bool(column) and sum(map(typed, column)) >= MOSTLY * len(column) for column in columns]


def _begin(body: Sequence[Row], kinds: Sequence[bool]) -> int:
    """The first row of numbers: most of its cells are what their columns hold."""
    for at, row in enumerate(body):
        cells = [cell for cell, kind in zip(row.cells, kinds, strict=False) if kind and not gap(tidy(cell))]
        fits = sum(map(typed, cells))
        if fits and 2 * fits >= len(cells) and not _mixed(body, at, kinds):
            return at
    raise Refused("not_csv")


def _mixed(body: Sequence[Row], at: int, kinds: Sequence[bool]) -> bool:
    """Whether names and years stand in a row, as in date, 1990, 1991, or many years or dates: it is a header."""
    places = [place for place, kind in enumerate(kinds) if kind and place < len(body[at].cells)]
    cells = [tidy(body[at].cells[place]) for place in places]
    labels = [cell for cell in cells if typed(cell)]
    if len(body[at].cells) < 2 or at + 1 == len(body):
        return False
    if not typed(cells[0]) and all(map(WHOLE.fullmatch, labels)) and _steps(labels):
        return True
    below = [tidy(cell) for place, cell in enumerate(body[at + 1].cells) if place in places]
    return len(labels) >= WIDE and 2 * len(labels) > len(cells) and _timely(labels) and not _timely(below)


def _timely(cells: Sequence[str]) -> bool:
    """Whether all are years in equal steps, or dates."""
    return (all(map(YEAR.fullmatch, cells)) and _steps([cell[:4] for cell in cells])) or all(map(dated, cells))


def _labels(body: Sequence[Row], begin: int) -> bool:
    """Whether the first row holds years, or 0, 1, 2…, above columns that hold something else."""
    cells = [tidy(cell) for cell in body[begin].cells]
    below = [row.cells for row in body[begin + 1 : begin + 1 + LOOKED] if len(row.cells) == len(cells)]
    if not all(map(WHOLE.fullmatch, cells)) or not below or not _steps(cells):
        return False
    counted = [float(cell) - float(cells[0]) for cell in cells] == [*range(len(cells))] and float(cells[0]) in (0, 1)
    columns = [[tidy(cell) for cell in column if not gap(tidy(cell))] for column in zip(*below, strict=True)]
    if len(cells) == 1:
        return (counted or _years(cells)) and _away(float(cells[0]), columns[0])
    return (counted or _years(cells)) and all(
        _away(float(cell), column) or not all(map(WHOLE.fullmatch, column))
        for cell, column in zip(cells, columns, strict=True)
    )


def _away(label: float, cells: Sequence[str]) -> bool:
    """Whether a number lies far from those below it."""
    parts = [spelled(cell) for cell in cells]
    values = [part.value(comma="," in part.digits) for part in parts if part is not None]
    numbers = [value for value in values if value is not None]
    low, high = min(numbers, default=label), max(numbers, default=label)
    return not low - (high - low) <= label <= high + (high - low)


def _years(cells: Sequence[str]) -> bool:
    return all(1500 <= float(cell) <= 2200 for cell in cells)


def _steps(cells: Sequence[str]) -> bool:
    """Whether they rise or fall evenly, as years in a header do."""
    steps = {float(after) - float(before) for before, after in pairwise(cells)}
    return len(steps) <= 1 and 0.0 not in steps


def _header(above: Sequence[Row], width: int) -> list[list[str]]:
    """The last rows above the numbers that are as wide as they, but for gaps; what stands higher is a title."""
    rows: list[list[str]] = []
    below = 0
    for row in reversed([row for row in above if not all(gap(tidy(cell)) for cell in row.cells)]):
        cells = row.cells[:width]
        if any(row.cells[width:]) and len(cells) > 1 and not rows:
            raise Refused("ragged", row=row.line, count=len(row.cells), width=width)
        title = width > 1 and (len(cells) < 2 or (bool(rows) and (len(cells) < width or not any(cells[1:]))))
        if title or len(rows) == (HEADER if width > 1 else 1) or row.line < below - 1:
            break
        rows.insert(0, cells)
        below = row.line
    return rows


def _aligned(header: list[list[str]], columns: Sequence[Sequence[str]], line: int) -> list[list[str]]:
    """A header that lacks a name: as R writes it, that of the numbers of the rows. Raises Refused."""
    if not header or len(header[-1]) >= len(columns) or not any(columns[-1]):
        return header
    first = [cell for cell in columns[0] if cell]
    counted = all(map(str.isdecimal, first)) and {int(b) - int(a) for a, b in pairwise(first)} == {1}
    if not counted or len(header[-1]) != len(columns) - 1:
        raise Refused("ragged", row=line, count=len(columns), width=len(header[-1]))
    return [["", *header[-1]]]


def _commented(comments: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """Comments that are as wide as the rows are a header."""
    return [[*cells] for cells in comments if len(cells) == width > 1 and not all(map(typed, cells))]


def _end(body: Sequence[Row], begin: int, kinds: Sequence[bool], width: int) -> int:
    """Where the notes and totals below the numbers begin."""
    first, end = kinds.index(True), len(body)
    while end > begin + 1 and _noted(body[end - 1].cells, first, width):
        end -= 1
    return end


def _noted(cells: Sequence[str], first: int, width: int) -> bool:
    """Whether a row is a note or a total: words stand where the others have a date or a number."""
    cell = tidy(cells[first]) if first < len(cells) else ""
    lone = len(cells) < width and len([one for one in cells if one]) == 1 and not typed(cells[0])
    words = bool(cell) and not gap(cell) and not typed(cell)
    return lone or words or any(map(TOTALS.fullmatch, cells[:first]))


def _even(rows: Sequence[Row], width: int) -> None:
    """Raises Refused where a row is wider than most."""
    for row in rows:
        if any(row.cells[width:]):
            raise Refused("ragged", row=row.line, count=len(row.cells), width=width)


def _joined(header: Sequence[Sequence[str]], width: int) -> list[str]:
    """One name a column, of all rows of the header."""
    padded = [[*row, *[""] * width][:width] for row in header]
    return [" ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*padded, strict=True)] or [""] * width


def _narrow(table: Table) -> None:
    """Raises Refused where time runs across the columns, and where there are too many."""
    times = [name for name in table.names if YEAR.fullmatch(name) or dated(tidy(name))]
    words = any(not typed(cell) and not gap(tidy(cell)) for column in table.columns[:3] for cell in column[:LOOKED])
    if len(times) >= WIDE and 2 * len(times) > len(table.names) and words:
        raise Refused("wide", first=times[0], last=times[-1])
    if len(table.names) > MOST_COLUMNS:
        raise Refused("too_wide", count=len(table.names), most=MOST_COLUMNS)


def _named(cells: Sequence[str]) -> list[str]:
    """Names that differ; a number where there is none."""
    names: dict[str, None] = {}
    tried: Counter[str] = Counter()  # of every name the last number that was given to tell it apart
    for at, cell in enumerate((cell[:MOST_CELL] for cell in cells), start=1):
        base = name = cell or f"#{at}"
        while name in names:
            tried[base] += 1
            name = f"{base} ({tried[base] + 1})"
        names[name] = None
    return [*names]
