"""X, the weight matrices, and what they make of X: q, k, v."""

import math
from collections.abc import Callable

from attention_core.models import LayerTrace
from pages.explore.pipeline.explanation.base import Explanation, sum_of_products, tex, written_sum

Explain = Callable[[LayerTrace, int, int, int], Explanation]


def x(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """The layer input, as it is. Where cross-attention asks, or nobody can tell, it is not said where it comes from."""
    assert layer.x is not None
    value = float(layer.x[row, col])
    note = {True: "note.x_normalised", False: "note.x", None: "note.x_other"}[layer.built.normalised]
    return Explanation(
        symbols=rf"x_{{{row + 1},{col + 1}}}",
        numbers=tex(value),
        value=value,
        code=f"layer.x[{row}, {col}]",
        note=note,
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
        return Explanation(symbols=symbols, numbers=tex(value), value=value, code=code, note=_note(name, layer))

    return explained


def _note(name: str, layer: LayerTrace) -> str:
    """Which of the notes on a matrix is true of this layer."""
    if name in "KV" and layer.built.key_heads:
        return f"note.W_{name}_shared"
    return "note.W_Q_scaled" if name == "Q" and layer.built.query_scale != 1.0 else f"note.W_{name}"


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
            symbols=_symbols(name, row + 1, col + 1, layer, scaled=alpha != 1.0, biased=b is not None, ends=agrees),
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


def _symbols(name: str, i: int, c: int, layer: LayerTrace, *, scaled: bool, biased: bool, ends: bool) -> str:
    """`ends`: nothing is done to the sum afterwards, so it is the component of q, k or v itself."""
    scale, close = (r"\alpha\Big(", r"\Big)") if scaled else ("", "")
    plus = rf" + b^{name.upper()}_{{{c}}}" if biased else ""
    source = "x" if name == "q" or layer.memory is layer.x else "M"
    whole = f"{source.upper()}W^{name.upper()}" + (f" + b^{name.upper()}" if biased else "")
    projected = (r"\alpha" if scaled else "") + rf"\big({whole}\big)_{{{i},{c}}}"
    left = rf"{name}_{{{i},{c}}}" if ends else projected
    return rf"{left} = {scale}\sum_m {source}_{{{i},m}} W^{name.upper()}_{{m,{c}}}{plus}{close}"


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
