"""What a head hands on, all heads side by side, and the output of the layer."""

from attention_core.models import LayerTrace
from attention_core.multihead import concatenate
from pages.explore.pipeline.explanation.base import Explanation, sum_of_products, tex, written_sum


def context(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """z_ic = Σ_j α_ij v_jc."""
    trace = layer.head(head)
    silent = (layer.index, head) in layer.settings.ablated
    terms, again = sum_of_products(trace.weights[row], trace.v[:, col], "token", None)
    i, c = row + 1, col + 1
    return Explanation(
        symbols=rf"z_{{{i},{c}}} = \sum_j \alpha_{{{i},j}}\,v_{{j,{c}}}",
        numbers=written_sum(terms, again),
        value=float(trace.context[row, col]),
        again=None if silent else again,
        terms=terms,
        code=f"trace.context[{row}, {col}]" if silent else f"(trace.weights @ trace.v)[{row}, {col}]",
        note="note.ablated" if silent else "",
    )


def concat(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """The component of the head it comes from."""
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


def output(layer: LayerTrace, head: int, row: int, col: int) -> Explanation:
    """o_ic = Σ_m Concat_im W^O_mc, plus the bias."""
    output, W_O, b_O = layer.output(), layer.projections.W_O, layer.projections.b_O
    assert output is not None
    assert W_O is not None
    bias = None if b_O is None else float(b_O[col])
    terms, again = sum_of_products(
        concatenate(layer.attention.context)[row], W_O.flatten(0, 1)[:, col], "component", bias
    )
    plus = "" if b_O is None else rf" + b^O_{{{col + 1}}}"
    sum_ = rf"\sum_m \mathrm{{Concat}}_{{{row + 1},m}}\,W^O_{{m,{col + 1}}}"
    product = "concat @ layer.projections.W_O.flatten(0, 1)" + ("" if b_O is None else " + layer.projections.b_O")
    return Explanation(
        symbols=rf"o_{{{row + 1},{col + 1}}} = {sum_}{plus}",
        numbers=written_sum(terms, again),
        value=float(output[row, col]),
        again=again,
        terms=terms,
        code=f"concat = layer.attention.context.transpose(0, 1).flatten(1)\n({product})[{row}, {col}]",
    )
