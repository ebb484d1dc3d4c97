"""The numbers of the page on √d_k as text: with as many digits as their standard errors leave meaningful. Pure."""

import math
from collections.abc import Iterable

from attention_core import variance
from attention_core.variance import Assumptions, Line
from pages.saturation.why_sqrt.numbers import Reading
from ui.numbers import significant
from ui.text import Words, words


def rounded(value: float, error: float) -> str:
    """As many digits as the standard error leaves meaningful: two of its own, four of the value at most."""
    digits = 1 - math.floor(math.log10(error)) if 0 < error < math.inf else 15
    return significant(round(value, digits))


def read_outs(readings: Iterable[Reading], page: Words) -> str:
    """Claimed, exact and measured side by side, as Markdown."""
    head = f"| {page['table.name']} | {page['table.claimed']} | {page['table.theory']} | {page['table.measured']} |"
    return "\n".join([head, "|:--|--:|--:|--:|", *(_row(reading, page) for reading in readings)])


def _row(reading: Reading, page: Words) -> str:
    undefined = words("common", page.language)["undefined"]
    measured = significant(reading.measured, undefined=undefined)
    if math.isfinite(reading.error):
        measured = f"{rounded(reading.measured, reading.error)} ± {significant(reading.error, 2)}"
    theory = significant(reading.theory, undefined=undefined)
    return f"| {page[f'table.{reading.name}']} | {significant(reading.claimed)} | {theory} | **{measured}** |"


def both_sides(line: Line, page: Words) -> str:
    """Left and right, with the standard error of the left."""
    exact = line.right == line.exact_right  # what was not measured is not rounded either
    left, right = rounded(line.left, line.error), significant(line.right) if exact else rounded(line.right, line.error)
    return (
        f"{page['derivation.left']} **{left}** ± {significant(line.error, 2)} · {page['derivation.right']} **{right}**"
    )


def verdict(line: Line, assumed: Assumptions, d_k: int, page: Words) -> str:
    """Whether the line is true of these assumptions, and if not, what is true instead."""
    if line.holds:
        return f":green[:material/check:] {page['derivation.holds']}"
    exact = variance.law(assumed)
    reason = "scaled_zero" if line.key == "scaled" and line.exact_left == 0 else line.key
    why = page.format(
        f"false.{reason}",
        left=line.exact_left,
        right=line.exact_right,
        mean=assumed.mean,
        squared=assumed.component_variance + assumed.mean**2,
        each=exact.mean if line.key == "sum_mean" else exact.variance,
        d_k=d_k,
        sqrt=math.sqrt(d_k),
        root=math.sqrt(d_k * exact.variance),
    )
    return f":red[:material/close: **{page['derivation.false']}**] {why}"
