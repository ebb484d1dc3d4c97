"""From a row of masked scores to its weights."""

import math
from typing import TypedDict

from jaxtyping import Float
from torch import Tensor

from attention_core.attention import AttentionTrace
from attention_core.models import LayerTrace
from attention_core.normalizers import exponentials
from pages.explore.pipeline.explanation.base import Explanation, Term, largest, tex, written_sum
from pages.explore.pipeline.explanation.matrices import Explain


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
    return Explanation(
        symbols=rf"\alpha_{{{i},{j}}} = {_quotient('m', i, j)}",
        value=value,
        code=f"trace.masked_scores[{row}].softmax(-1)[{col}]",
        **_share(trace.masked_scores[row], col),
    )


def softened(stage: str, symbol: str) -> Explain:
    """The softmax of the scores of this stage: what stands under them to be compared."""

    def explained(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
        scores = getattr(layer.head(head), stage)[row]
        return Explanation(
            symbols=_quotient(symbol, row + 1, col + 1),
            value=float(scores.softmax(dim=-1)[col]),
            code=f"trace.{stage}[{row}].softmax(-1)[{col}]",
            note="note.soft",
            **_share(scores, col),
        )

    return explained


class Share(TypedDict):
    """What is told of a quotient of exponentials."""

    numbers: str
    again: float
    terms: tuple[Term, ...]


def _share(scores: Float[Tensor, " n_k"], col: int) -> Share:
    """e^(score − max) over the sum of them all, in float64."""
    stretched, total, most = exponentials(scores[None].double())
    parts, whole, below = stretched[0].tolist(), float(total), float(scores[col]) - float(most)
    terms = tuple(Term("token", index, part, 1.0, part) for index, part in enumerate(parts))
    again = parts[col] / whole
    fractions = (rf"\frac{{{top}}}{{{tex(whole)}}}" for top in (rf"e^{{{tex(below)}}}", tex(parts[col])))
    return {"numbers": " = ".join([*fractions, tex(again)]), "again": again, "terms": largest(terms)}


def _quotient(symbol: str, i: int, j: int) -> str:
    return rf"\frac{{e^{{{symbol}_{{{i},{j}}} - \max}}}}{{\sum_l e^{{{symbol}_{{{i},l}} - \max}}}}"


def _empty(trace: AttentionTrace, row: int) -> bool:
    return bool(trace.masked_scores[row].isneginf().all())


def _stretched(trace: AttentionTrace, row: int) -> str:
    """The code of the exponentials of a row; its maximum is left out where it is −∞, since ∞ − ∞ is NaN."""
    return "row.exp()" if _empty(trace, row) else "(row - row.max()).exp()"


def _minus(x: float) -> str:
    return f"+ {tex(-x)}" if x < 0 else f"- {tex(x)}"
