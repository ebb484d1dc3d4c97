"""The two tables of the Softmax page, as Markdown. Pure."""

from collections.abc import Iterable, Sequence

from attention_core.softmax import ROUNDINGS
from pages.saturation.softmax.numbers import printed_values, thresholds
from ui.numbers import significant
from ui.text import Words


def printed(page: Words) -> str:
    """What the article prints, beside the truth, torch, and the article's own expression evaluated here."""
    head = ["a", *(page[f"printed.{name}"] for name in ("article", "true", "torch", "written"))]
    rows = [
        [str(row.a), *(f"`{number}`" for number in (row.article, row.true, row.torch, row.written))]
        for row in printed_values()
    ]
    return _markdown(head, rows)


def losses(page: Words) -> str:
    """Per dtype, ε and the least gap at which each of ROUNDINGS happens."""
    head = [page["loss.dtype"], *(page[f"loss.{name}"] for name in ("epsilon", *ROUNDINGS))]
    rows = [[f"**{dtype}**", *map(significant, numbers)] for dtype, numbers in thresholds().items()]
    return _markdown(head, rows)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])
