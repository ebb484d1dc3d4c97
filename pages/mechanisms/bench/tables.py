"""Mechanisms side by side → tables, and remarks on what the maps do not say by themselves. Pure."""

from collections.abc import Mapping, Sequence

from attention_core.mechanisms import Mechanism
from pages.mechanisms.bench.numbers import COLUMNS, COUNTED, Row
from pages.mechanisms.bench.wording import axes_moved, title
from ui.numbers import significant, whole
from ui.text import Words


def table(rows: Sequence[Row], reference: Mechanism, page: Words) -> Mapping[str, Sequence[str | float]]:
    """Every number of the head, mechanisms down."""
    return {
        page["mechanism_label"]: [title(row.key, row.mechanism, page) for row in rows],
        page["moved_label"]: [axes_moved(row.mechanism, reference, page) for row in rows],
        page["column.row_sum"]: [_range(row, page) for row in rows],
        **{page[f"column.{name}"]: [_cell(row, name) for row in rows] for name in COLUMNS},
    }


def _cell(row: Row, name: str) -> str | float:
    return whole(row.number(name)) if name in COUNTED else row.number(name)


def _range(row: Row, page: Words) -> str:
    low, high = row.sums
    return "1" if row.normalised else page.data("row_range", low=low, high=high)


def remarks(rows: Sequence[Row], page: Words) -> list[str]:
    """Rows that do not sum to 1, queries that may attend to nothing."""
    sentences = []
    for row in rows:
        name, (low, high) = title(row.key, row.mechanism, page), row.sums
        if not row.normalised:
            sentences.append(page.data("not_normalised", name=name, low=low, high=high))
        if deaf := int((~row.heard).sum()):
            sentences.append(page.data("deaf", name=name, count=deaf, all=len(row.heard)))
    return sentences


def focused(rows: Sequence[Row], query: int, page: Words) -> str:
    """The focused query under every mechanism, as a Markdown table."""
    lines = [
        f"| {page['mechanism_label']} | {page['column.entropy']} | {page['column.support']} | ‖c − c_ref‖ |",
        "|:--|--:|--:|--:|",
    ]
    for row in rows:
        numbers = (float(row.per_token(name)[query]) for name in ("entropy", "support", "apart"))
        cells = " | ".join(significant(number, undefined=page["nothing_attended"]) for number in numbers)
        lines.append(f"| {title(row.key, row.mechanism, page)} | {cells} |")
    return "\n".join(lines)
