"""Text → rows of cells: what separates them, and in which line of the file each row begins."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pages.training.time_series.reading.dates import dated
from pages.training.time_series.reading.refused import Refused
from pages.training.time_series.reading.spelling import PLAIN, gap, spelled, tidy

MOST_ROWS, MOST_COLUMNS, WIDEST = 100_000, 64, 5000  # what is wider than that is not looked at
SEPARATORS = (";", "\t", "|", ",", "；", "，", " ")  # where two separate equally well, the first; " ": any white space
SAMPLE, TYPED = 300, 60  # rows by which the separator is chosen; of which the cells are looked at
SPACED = 0.7
WHOLE = 0.9  # of the rows are one number: the others are wrong cells
FRACTION = re.compile(r"[+-]0[, ]\d|\d+,0\d")  # −0,50 and 1,05 are no two numbers
COMMENTS = ("#", "%", "//")
ERRORS = re.compile(r"#(?:N/?A|DIV/0!|VALUE!|REF!|NUM!|NAME\?|NULL!)", re.I)
ALONE = "\x1f"  # separates nothing: one column
DECLARED = re.compile(r'\s*"?sep=(.|\\t)"?[;,\s]*', re.I)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row without the white space around them, and its first line in the file."""

    line: int
    cells: list[str]

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(self.cells)


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a file below its comments, what separates the cells, and the last comments' cells."""

    rows: list[Row]
    separator: str
    commented: list[list[str]]  # the last two comments above the rows: one may be a header


def rows_of(text: str) -> Rows:
    """The rows of a file. Raises Refused."""
    lines = text.split("\n")
    declared = DECLARED.fullmatch(lines[0])
    begin = 1 if declared else 0
    first = next((at for at in range(begin, len(lines)) if lines[at].strip() and not _comment(lines[at])), len(lines))
    comments = [lines[at].lstrip("#%/ ") for at in range(begin, first) if lines[at].strip()][-2:]
    body = lines[first:]
    if len(body) > MOST_ROWS + 1:
        raise Refused("too_long", most=MOST_ROWS)
    separator = declared[1].replace("\\t", "\t") if declared else ALONE
    if not _score(body[:SAMPLE], separator):
        separator = _separator(body)
    rows = _split(body, separator, first + 1)
    return Rows(rows, separator, [row.cells for one in comments for row in _split([one], separator, 0)])


def typed(cell: str) -> bool:
    """Whether a cell holds a number or a date."""
    cell = tidy(cell)
    return PLAIN.fullmatch(cell) is not None or spelled(cell) is not None or dated(cell)


def _comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENTS) and not ERRORS.match(line.lstrip())


def _separator(lines: Sequence[str]) -> str:
    """What splits most rows into equally many cells that are numbers or dates. Raises Refused."""
    sample = [line for line in lines[: 4 * SAMPLE] if line.strip()][:SAMPLE]
    scores = {separator: _score(sample, separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=scores.__getitem__)
    if not scores[best] or _one_column(sample, best):
        return ALONE
    return best


def _score(sample: Sequence[str], separator: str) -> float:
    """The share of rows that are equally wide, times the share of their cells that are numbers or dates."""
    rows = [row.cells for row in _split(sample, separator, 1, checked=False) if not row.blank]
    width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
    if width < 2:
        return 0.0
    cells = [cell for row in rows[1:TYPED] if len(row) == width for cell in row if not gap(tidy(cell))]
    likely = SPACED if separator == " " else 1.0  # spaces stand inside of cells, too
    return likely * count / len(rows) * (0.01 + sum(map(typed, cells)) / max(1, len(cells)))


def _one_column(sample: Sequence[str], separator: str) -> bool:
    """Whether 1,5 and 1 234 are one number. Raises Refused where nothing tells it from two."""
    lines = [(row.line, tidy(row.cells[0])) for row in _split(sample, ALONE, 1, checked=False) if not row.blank]
    whole = [gap(cell) or spelled(cell) is not None for _, cell in lines]
    begin = whole.index(True) if True in whole else len(whole)
    if separator not in (",", " ") or sum(whole[begin:]) < WHOLE * max(1, len(whole) - begin):
        return False
    rows = [row.cells for row in _split([cell for _, cell in lines], separator, 1, checked=False)]
    if begin:
        return len(rows[begin - 1]) == 1  # as wide as the header
    if len({len(row) for row in rows}) > 1 or any(FRACTION.match(cell) for _, cell in lines):
        return True
    counted = [int(row[0]) for row in rows if row[0].isdecimal()]
    steps = {after - before for before, after in pairwise(counted)}
    if len(steps) != 1 or steps == {0}:
        raise Refused("one_or_two", row=1, cell=lines[0][1])
    return False


def _split(lines: Sequence[str], separator: str, number: int, *, checked: bool = True) -> list[Row]:
    """Rows of lines, of which the first has this number. Raises Refused where a quotation mark is not closed."""
    if separator == " ":
        lines = [" ".join(line.split()) for line in lines]
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True)
    rows, line = [], number
    try:
        for cells in reader:
            if checked and any("\n" in cell for cell in cells):
                _closed(cells, separator, line)
            rows.append(Row(line, [cell.strip() for cell in cells]))
            line = number + reader.line_num
            if len(cells) > WIDEST:
                raise Refused("too_wide", count=len(cells), most=MOST_COLUMNS)
    except csv.Error as error:  # a cell without end
        if checked:
            raise Refused("quote", row=line) if any('"' in one for one in lines) else Refused("not_csv") from error
    return rows


def _closed(cells: Sequence[str], separator: str, line: int) -> None:
    """A cell over several lines is text with line breaks, or begins with a quotation mark that closes too late."""
    for cell in cells:
        _, *further = cell.split("\n")
        if further and (separator == ALONE or not further[-1] or any(separator in one for one in further)):
            raise Refused("quote", row=line)
