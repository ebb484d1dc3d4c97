"""From a row of masked scores to its weights."""

import math

from attention_core.attention import AttentionTrace
from attention_core.models import LayerTrace
from attention_core.normalizers import exponentials
from pages.explore.pipeline.explanation.base import Explanation, Term, largest, tex, written_sum


def exp(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """exp(m_ij − max_l m_il)."""
    trace = layer.head(head)
    stretched, _, row_maximum = exponentials(trace.masked_scores[row : row + 1])
    score, most = float(trace.masked_scores[row, col]), float(row_maximum)
    i, j = row + 1, col + 1
    return Explanation(
        symbols=rf"e^{{m_{{{i},{j}}} - \max_l m_{{{i},l}}}}",
        numbers=rf"e^{{{tex(score)} {_minus(most)}}} = {tex(math.exp(score - most))}",
        value=float(stretched[0, col]),
        again=math.exp(score - most),
        code=f"row = trace.masked_scores[{row}]\n{_stretched(trace, row)}[{col}]",
        note="note.exp",
    )


def row_sum(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """Z_i = Σ_l exp(m_il − max)."""
    trace = layer.head(head)
    stretched, total, _ = exponentials(trace.masked_scores[row : row + 1])
    parts = stretched[0].double().tolist()
    terms = tuple(Term("token", index, part, 1.0, part) for index, part in enumerate(parts))
    total_again = math.fsum(parts)
    return Explanation(
        symbols=rf"Z_{{{row + 1}}} = \sum_l e^{{m_{{{row + 1},l}} - \max}}",
        numbers=written_sum(terms, total_again),
        value=float(total),
        again=total_again,
        terms=largest(terms),
        code=f"row = trace.masked_scores[{row}]\n{_stretched(trace, row)}.sum()",
    )


def weights(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """α_ij: a quotient of exponentials; 0 in a row with nothing allowed; one-hot where the weights are hard."""
    trace = layer.head(head)
    value = float(trace.weights[row, col])
    i, j = row + 1, col + 1
    if _empty(trace, row):
        return Explanation(
            symbols=rf"\alpha_{{{i},{j}}} = 0",
            numbers=tex(value),
            value=value,
            again=0.0,
            code=f"trace.weights[{row}, {col}]",
            note="note.empty_row",
        )
    if layer.settings.normalizer != "softmax":
        return Explanation(
            symbols=rf"\alpha_{{{i},{j}}} = [\,{j} = \arg\max_l m_{{{i},l}}\,]",
            numbers=tex(value),
            value=value,
            code=f"trace.masked_scores[{row}].argmax() == {col}",
            note="note.hard",
        )
    stretched, total, _ = exponentials(trace.masked_scores[row : row + 1].double())
    top, bottom = float(stretched[0, col]), float(total)
    terms = tuple(Term("token", index, part, 1.0, part) for index, part in enumerate(stretched[0].tolist()))
    again = top / bottom
    return Explanation(
        symbols=rf"\alpha_{{{i},{j}}} = \frac{{e^{{m_{{{i},{j}}} - \max}}}}{{\sum_l e^{{m_{{{i},l}} - \max}}}}",
        numbers=rf"\frac{{{tex(top)}}}{{{tex(bottom)}}} = {tex(again)}",
        value=value,
        again=again,
        terms=largest(terms),
        code=f"trace.masked_scores[{row}].softmax(-1)[{col}]",
    )


def _empty(trace: AttentionTrace, row: int) -> bool:
    return bool(trace.masked_scores[row].isneginf().all())


def _stretched(trace: AttentionTrace, row: int) -> str:
    """The code of the exponentials of a row; its maximum is left out where it is −∞, since ∞ − ∞ is NaN."""
    return "row.exp()" if _empty(trace, row) else "(row - row.max()).exp()"


def _minus(x: float) -> str:
    return f"+ {tex(-x)}" if x < 0 else f"- {tex(x)}"
