"""The scores: of a query and a key, scaled, capped, masked."""

import math

from attention_core.models import LayerTrace
from pages.explore.pipeline.explanation.base import Explanation, sum_of_products, tex, written_sum


def scores(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """s_ij = q_i · k_j."""
    trace = layer.head(head)
    terms, again = sum_of_products(trace.q[row], trace.k[col], "component", None)
    i, j = row + 1, col + 1
    return Explanation(
        symbols=rf"s_{{{i},{j}}} = q_{{{i}}}\cdot k_{{{j}}} = \sum_c q_{{{i},c}}\,k_{{{j},c}}",
        numbers=written_sum(terms, again),
        value=float(trace.scores[row, col]),
        again=again,
        terms=terms,
        code=f"scores = trace.q @ trace.k.T\nscores[{row}, {col}]",
    )


def scaled(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """c·s_ij."""
    trace = layer.head(head)
    score = float(trace.scores[row, col])
    i, j = row + 1, col + 1
    return Explanation(
        symbols=rf"c\cdot s_{{{i},{j}}}",
        numbers=rf"{tex(layer.factor)}\cdot({tex(score)}) = {tex(layer.factor * score)}",
        value=float(trace.scaled_scores[row, col]),
        again=layer.factor * score,
        code=f"scaled_scores = trace.scores * {layer.factor!r}\nscaled_scores[{row}, {col}]",
        note="note.scaled",
    )


def capped(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """c_max tanh(s / c_max), for models that cap their scores."""
    trace = layer.head(head)
    assert layer.softcap is not None
    scaled, cap = float(trace.scaled_scores[row, col]), layer.softcap
    again = cap * math.tanh(scaled / cap)
    return Explanation(
        symbols=rf"\tilde s_{{{row + 1},{col + 1}}} = c_{{\max}}\tanh(c\,s_{{{row + 1},{col + 1}}} / c_{{\max}})",
        numbers=rf"{tex(cap)}\cdot\tanh({tex(scaled)} / {tex(cap)}) = {tex(again)}",
        value=float(trace.capped_scores[row, col]),
        again=again,
        code=f"capped_scores = {cap} * torch.tanh(trace.scaled_scores / {cap})\ncapped_scores[{row}, {col}]",
    )


def masked(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """m_ij: −∞ where the mask forbids, else the score plus its bias."""
    trace = layer.head(head)
    before, value = float(trace.capped_scores[row, col]), float(trace.masked_scores[row, col])
    bias = value - before
    i, j = row + 1, col + 1
    score = rf"c\,s_{{{i},{j}}}" if layer.softcap is None else rf"\tilde s_{{{i},{j}}}"
    if value == -math.inf:
        return Explanation(
            symbols=rf"m_{{{i},{j}}} = -\infty",
            numbers=rf"{tex(before)} \;\to\; -\infty",
            value=value,
            code=f"trace.masked_scores[{row}, {col}]",
            note="note.forbidden",
        )
    return Explanation(
        symbols=rf"m_{{{i},{j}}} = {score}" + (rf" + b_{{{i},{j}}}" if bias else ""),
        numbers=rf"{tex(before)} + ({tex(bias)}) = {tex(value)}" if bias else tex(value),
        value=value,
        again=before + bias,
        code=f"trace.masked_scores[{row}, {col}]",
        note="note.biased" if bias else "note.allowed",
    )
