"""Any cell of any stage → its formula, the same with its numbers in it, every term, and the torch lines that give it.

Pure: numbers come from the trace, LaTeX holds numbers and symbols only, tokens are named by their position.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from attention_core.attention import AttentionTrace
from attention_core.models import LayerTrace
from attention_core.multihead import concatenate
from attention_core.normalizers import exponentials
from ui.numbers import significant

SHOWN_TERMS = 3  # in the formula; the table holds the rest
LONG_SUM = 64  # from here on the table holds the largest terms and what the others add up to
LARGEST = 12


@dataclass(frozen=True, slots=True)
class Term:
    """One product of a sum. `kind` and `index` name it: component 5, token 3 (counted from 0), bias, others."""

    kind: str
    index: int
    left: float
    right: float
    product: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`value` is torch's number, `again` the sum of the terms in float64; `note` is a key of the page's words."""

    symbols: str
    numbers: str
    value: float
    again: float | None = None
    terms: tuple[Term, ...] = ()
    code: str = ""
    note: str = ""


def explain(layer: LayerTrace, head: int, panel: str, row: int, col: int) -> Explanation:
    """The explanation of one cell. Raises KeyError for a panel that is not a stage."""
    return _EXPLAIN[panel](layer, head, row, col)


def tex(x: float) -> str:
    """A number for LaTeX: 4 significant digits, −∞ and powers of ten included."""
    if not math.isfinite(x):
        return r"\text{NaN}" if math.isnan(x) else r"\infty" if x > 0 else r"-\infty"
    text = significant(x).replace("−", "-")
    if "·10" not in text:
        return text
    mantissa, power = text.split("·10")
    return rf"{mantissa}\cdot10^{{{power.translate(_PLAIN)}}}"


_PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def _x(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    assert layer.x is not None
    value = float(layer.x[row, col])
    return Explanation(
        symbols=rf"x_{{{row + 1},{col + 1}}}",
        numbers=tex(value),
        value=value,
        code=f"layer.x[{row}, {col}]",
        note="note.x",
    )


def _matrix(name: str) -> Callable[[LayerTrace, int, int, int], Explanation]:
    def explain_matrix(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
        W = getattr(layer.projections, f"W_{name}")
        whole = W.flatten(0, 1) if name == "O" else W[head]
        place = f"layer.projections.W_O.flatten(0, 1)[{row}, {col}]" if name == "O" else (
            f"layer.projections.W_{name}[{head}, {row}, {col}]"
        )  # fmt: skip
        value = float(whole[row, col])
        return Explanation(
            symbols=rf"W^{name}_{{{row + 1},{col + 1}}}",
            numbers=tex(value),
            value=value,
            code=place,
            note=f"note.W_{name}",
        )

    return explain_matrix


def _projected(name: str) -> Callable[[LayerTrace, int, int, int], Explanation]:
    upper = name.upper()

    def explain_projected(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
        value = float(getattr(layer.attention, name)[head, row, col])
        source = layer.x if name == "q" else layer.memory
        W, b = (getattr(layer.projections, f"{kind}_{upper}") for kind in "Wb")
        if source is None or W is None:
            return Explanation(
                symbols=rf"{name}_{{{row + 1},{col + 1}}}",
                numbers=tex(value),
                value=value,
                code=f"trace.{name}[{row}, {col}]",
                note="note.not_exposed",
            )
        alpha = 1.0 if name == "v" else layer.settings.input_scale
        bias = None if b is None else float(b[head, col])
        terms, total = _sum_of_products(source[row], W[head, :, col], "component", bias)
        again = alpha * total
        scale = "" if alpha == 1.0 else r"\alpha\Big("
        close = "" if alpha == 1.0 else r"\Big)"
        plus = "" if b is None else rf" + b^{upper}_{{{col + 1}}}"
        agrees = math.isclose(again, value, rel_tol=1e-3, abs_tol=1e-4)
        lines = [f"x = layer.{'x' if name == 'q' else 'memory'}", f"W = layer.projections.W_{upper}[{head}]"]
        product = "x @ W" if b is None else f"x @ W + layer.projections.b_{upper}[{head}]"
        lines.append(f"{name} = {product if alpha == 1.0 else f'({product}) * {alpha}'}")
        i, c = row + 1, col + 1
        return Explanation(
            symbols=rf"{name}_{{{i},{c}}} = {scale}\sum_m x_{{{i},m}} W^{upper}_{{m,{c}}}{plus}{close}",
            numbers=_sum(terms, again) if alpha == 1.0 else _sum(terms, again, rf"{tex(alpha)}\cdot\big(", r"\big)"),
            value=value,
            again=again if agrees else None,
            terms=terms,
            code="\n".join([*lines, f"{name}[{row}, {col}]"]) if agrees else f"trace.{name}[{row}, {col}]",
            note="" if agrees else "note.rotated",
        )

    return explain_projected


def _transposed(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    return _projected("k")(layer, head, col, row)


def _scores(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    terms, again = _sum_of_products(trace.q[row], trace.k[col], "component", None)
    i, j = row + 1, col + 1
    return Explanation(
        symbols=rf"s_{{{i},{j}}} = q_{{{i}}}\cdot k_{{{j}}} = \sum_c q_{{{i},c}}\,k_{{{j},c}}",
        numbers=_sum(terms, again),
        value=float(trace.scores[row, col]),
        again=again,
        terms=terms,
        code=f"scores = trace.q @ trace.k.T\nscores[{row}, {col}]",
    )


def _scaled(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
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


def _capped(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    assert layer.softcap is not None
    scaled, cap = float(trace.scaled_scores[row, col]), layer.softcap
    again = cap * math.tanh(scaled / cap)
    return Explanation(
        symbols=r"c_{\max}\tanh(s / c_{\max})",
        numbers=rf"{tex(cap)}\cdot\tanh({tex(scaled)} / {tex(cap)}) = {tex(again)}",
        value=float(trace.capped_scores[row, col]),
        again=again,
        code=f"capped_scores = {cap} * torch.tanh(trace.scaled_scores / {cap})\ncapped_scores[{row}, {col}]",
    )


def _masked(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    before, value = float(trace.capped_scores[row, col]), float(trace.masked_scores[row, col])
    bias = value - before
    i, j = row + 1, col + 1
    if value == -math.inf:
        return Explanation(
            symbols=rf"m_{{{i},{j}}} = -\infty",
            numbers=rf"{tex(before)} \;\to\; -\infty",
            value=value,
            code=f"trace.masked_scores[{row}, {col}]",
            note="note.forbidden",
        )
    return Explanation(
        symbols=rf"m_{{{i},{j}}} = c\,s_{{{i},{j}}} + \text{{bias}}_{{{i},{j}}}"
        if bias
        else rf"m_{{{i},{j}}} = c\,s_{{{i},{j}}}",
        numbers=rf"{tex(before)} + ({tex(bias)}) = {tex(value)}" if bias else tex(value),
        value=value,
        again=before + bias,
        code=f"trace.masked_scores[{row}, {col}]",
        note="note.biased" if bias else "note.allowed",
    )


def _exp(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    stretched, _, largest = exponentials(trace.masked_scores[row : row + 1])
    score, most = float(trace.masked_scores[row, col]), float(largest)
    i, j = row + 1, col + 1
    return Explanation(
        symbols=rf"e^{{m_{{{i},{j}}} - \max_l m_{{{i},l}}}}",
        numbers=rf"e^{{{tex(score)} {_minus(most)}}} = {tex(math.exp(score - most))}",
        value=float(stretched[0, col]),
        again=math.exp(score - most),
        code=f"row = trace.masked_scores[{row}]\n{_stretched(trace, row)}[{col}]",
        note="note.exp",
    )


def _row_sum(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    stretched, total, _ = exponentials(trace.masked_scores[row : row + 1])
    parts = stretched[0].double().tolist()
    terms = tuple(Term("token", index, part, 1.0, part) for index, part in enumerate(parts))
    total_again = math.fsum(parts)
    return Explanation(
        symbols=rf"Z_{{{row + 1}}} = \sum_l e^{{m_{{{row + 1},l}} - \max}}",
        numbers=_sum(terms, total_again),
        value=float(total),
        again=total_again,
        terms=_largest(terms),
        code=f"row = trace.masked_scores[{row}]\n{_stretched(trace, row)}.sum()",
    )


def _weights(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
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
        terms=_largest(terms),
        code=f"trace.masked_scores[{row}].softmax(-1)[{col}]",
    )


def _context(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    trace = layer.head(head)
    silent = (layer.index, head) in layer.settings.ablated
    terms, again = _sum_of_products(trace.weights[row], trace.v[:, col], "token", None)
    i, c = row + 1, col + 1
    return Explanation(
        symbols=rf"z_{{{i},{c}}} = \sum_j \alpha_{{{i},j}}\,v_{{j,{c}}}",
        numbers=_sum(terms, again),
        value=float(trace.context[row, col]),
        again=None if silent else again,
        terms=terms,
        code=f"trace.context[{row}, {col}]" if silent else f"(trace.weights @ trace.v)[{row}, {col}]",
        note="note.ablated" if silent else "",
    )


def _concat(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    context = layer.attention.context
    from_head, component = divmod(col, context.shape[-1])
    value = float(context[from_head, row, component])
    return Explanation(
        symbols=rf"\mathrm{{Concat}}_{{{row + 1},{col + 1}}} = z^{{({from_head + 1})}}_{{{row + 1},{component + 1}}}",
        numbers=tex(value),
        value=value,
        again=value,
        code=f"layer.attention.context.transpose(0, 1).flatten(1)[{row}, {col}]",
        note="note.concat",
    )


def _output(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    output, W_O, b_O = layer.output(), layer.projections.W_O, layer.projections.b_O
    assert output is not None
    assert W_O is not None
    bias = None if b_O is None else float(b_O[col])
    terms, again = _sum_of_products(
        concatenate(layer.attention.context)[row], W_O.flatten(0, 1)[:, col], "component", bias
    )
    plus = "" if b_O is None else rf" + b^O_{{{col + 1}}}"
    sum_ = rf"\sum_m \mathrm{{Concat}}_{{{row + 1},m}}\,W^O_{{m,{col + 1}}}"
    product = "concat @ layer.projections.W_O.flatten(0, 1)" + ("" if b_O is None else " + layer.projections.b_O")
    return Explanation(
        symbols=rf"o_{{{row + 1},{col + 1}}} = {sum_}{plus}",
        numbers=_sum(terms, again),
        value=float(output[row, col]),
        again=again,
        terms=terms,
        code=f"concat = layer.attention.context.transpose(0, 1).flatten(1)\n({product})[{row}, {col}]",
    )


def _empty(trace: AttentionTrace, row: int) -> bool:
    return bool(trace.masked_scores[row].isneginf().all())


def _stretched(trace: AttentionTrace, row: int) -> str:
    """The code of the exponentials of a row; its maximum is left out where it is −∞, since ∞ − ∞ is NaN."""
    return "row.exp()" if _empty(trace, row) else "(row - row.max()).exp()"


def _sum_of_products(left: Tensor, right: Tensor, kind: str, bias: float | None) -> tuple[tuple[Term, ...], float]:
    """Σ left·right + bias in float64, term by term; the largest first and the others as one where there are many."""
    lefts, rights = left.double(), right.double()
    products = lefts * rights
    terms = tuple(
        Term(kind, index, a, b, p)
        for index, (a, b, p) in enumerate(zip(lefts.tolist(), rights.tolist(), products.tolist(), strict=True))
    )
    total = math.fsum(products.tolist()) + (bias or 0.0)
    terms = _largest(terms)
    return (terms if bias is None else (*terms, Term("bias", 0, bias, 1.0, bias))), total


def _largest(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    if len(terms) < LONG_SUM:
        return terms
    ordered = sorted(terms, key=lambda term: -abs(term.product))
    rest = math.fsum(term.product for term in ordered[LARGEST:])
    return (*ordered[:LARGEST], Term("others", len(terms) - LARGEST, rest, 1.0, rest))


def _sum(terms: tuple[Term, ...], again: float, before: str = "", after: str = "") -> str:
    """The first terms written out, the others as …, a bias always, and the result: each on a line, to fit a margin."""
    plain = [term for term in terms if term.kind not in ("bias", "others")]
    written = [_product(term) for term in plain[:SHOWN_TERMS]]
    if len(plain) > SHOWN_TERMS or any(term.kind == "others" for term in terms):
        written.append(r"\dots")
    written += [tex(term.product) for term in terms if term.kind == "bias"]
    first, *others = written or ["0"]
    lines = [before + first, *(term if term.startswith("-") else f"+ {term}" for term in others)]
    return r"\begin{aligned}&" + r"\\&".join([*lines[:-1], lines[-1] + after, f"= {tex(again)}"]) + r"\end{aligned}"


def _product(term: Term) -> str:
    """A product of two numbers, or one number where the other factor is 1 by definition."""
    return (
        tex(term.product) if term.kind == "token" and term.right == 1.0 else rf"({tex(term.left)})({tex(term.right)})"
    )


def _minus(x: float) -> str:
    return f"+ {tex(-x)}" if x < 0 else f"- {tex(x)}"


_EXPLAIN: dict[str, Callable[[LayerTrace, int, int, int], Explanation]] = {
    "x": _x,
    "W_Q": _matrix("Q"),
    "W_K": _matrix("K"),
    "W_V": _matrix("V"),
    "q": _projected("q"),
    "k": _projected("k"),
    "v": _projected("v"),
    "k_t": _transposed,
    "scores": _scores,
    "scaled": _scaled,
    "capped": _capped,
    "masked": _masked,
    "exp": _exp,
    "sum": _row_sum,
    "weights": _weights,
    "context": _context,
    "concat": _concat,
    "W_O": _matrix("O"),
    "output": _output,
}
