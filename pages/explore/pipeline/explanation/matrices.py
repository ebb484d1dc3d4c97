"""X, the weight matrices, and what they make of X: q, k, v."""

import math
from collections.abc import Callable

from attention_core.models import LayerTrace
from pages.explore.pipeline.explanation.base import Explanation, sum_of_products, tex, written_sum

Explain = Callable[[LayerTrace, int, int, int], Explanation]


def x(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """The layer input, as it is."""
    assert layer.x is not None
    value = float(layer.x[row, col])
    return Explanation(
        symbols=rf"x_{{{row + 1},{col + 1}}}",
        numbers=tex(value),
        value=value,
        code=f"layer.x[{row}, {col}]",
        note="note.x",
    )


def matrix(name: str) -> Explain:
    """An entry of W_Q, W_K, W_V of one head, or of W_O of all heads together."""

    def explained(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
        W = getattr(layer.projections, f"W_{name}")
        if name == "O":
            W, code = W.flatten(0, 1), f"layer.projections.W_O.flatten(0, 1)[{row}, {col}]"
        else:
            W, code = W[head], f"layer.projections.W_{name}[{head}, {row}, {col}]"
        value = float(W[row, col])
        symbols = rf"W^{name}_{{{row + 1},{col + 1}}}"
        return Explanation(symbols=symbols, numbers=tex(value), value=value, code=code, note=f"note.W_{name}")

    return explained


def projected(name: str) -> Explain:
    """q_ic = Σ_m x_im W_mc + b_c, and likewise k and v; q and k times the input scale α.

    Where a model turns q and k afterwards (rotary positions) the sum is another number, and is not shown as this one.
    """

    def explained(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
        value = float(getattr(layer.attention, name)[head, row, col])
        x = layer.x if name == "q" else layer.memory
        W, b = (getattr(layer.projections, f"{kind}_{name.upper()}") for kind in "Wb")
        if x is None or W is None:
            return _as_it_is(name, value, row, col, "note.not_exposed")
        alpha = 1.0 if name == "v" else layer.settings.input_scale
        bias = None if b is None else float(b[head, col])
        terms, total = sum_of_products(x[row], W[head, :, col], "component", bias)
        agrees = math.isclose(alpha * total, value, rel_tol=1e-3, abs_tol=1e-4)
        around = ("", "") if alpha == 1.0 else (rf"{tex(alpha)}\cdot\big(", r"\big)")
        return Explanation(
            symbols=_symbols(name, row + 1, col + 1, scaled=alpha != 1.0, biased=b is not None),
            numbers=written_sum(terms, alpha * total, *around),
            value=value,
            again=alpha * total if agrees else None,
            terms=terms,
            code=_code(name, head, row, col, alpha, biased=b is not None) if agrees else f"trace.{name}[{row}, {col}]",
            note="" if agrees else "note.rotated",
        )

    return explained


def transposed(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """Kᵀ: a component of a key."""
    return projected("k")(layer, head, col, row)


def _as_it_is(name: str, value: float, row: int, col: int, note: str) -> Explanation:
    symbols = rf"{name}_{{{row + 1},{col + 1}}}"
    return Explanation(symbols=symbols, numbers=tex(value), value=value, code=f"trace.{name}[{row}, {col}]", note=note)


def _symbols(name: str, i: int, c: int, *, scaled: bool, biased: bool) -> str:
    scale, close = (r"\alpha\Big(", r"\Big)") if scaled else ("", "")
    plus = rf" + b^{name.upper()}_{{{c}}}" if biased else ""
    return rf"{name}_{{{i},{c}}} = {scale}\sum_m x_{{{i},m}} W^{name.upper()}_{{m,{c}}}{plus}{close}"


def _code(name: str, head: int, row: int, col: int, alpha: float, *, biased: bool) -> str:
    upper = name.upper()
    product = f"x @ W + layer.projections.b_{upper}[{head}]" if biased else "x @ W"
    return "\n".join(
        [
            f"x = layer.{'x' if name == 'q' else 'memory'}",
            f"W = layer.projections.W_{upper}[{head}]",
            f"{name} = {product if alpha == 1.0 else f'({product}) * {alpha}'}",
            f"{name}[{row}, {col}]",
        ]
    )
