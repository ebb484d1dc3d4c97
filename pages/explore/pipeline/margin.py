"""The margin: why the picked cell has the value it has."""

from functools import partial

import streamlit as st

from attention_core.models import LayerTrace
from pages.explore.pipeline.cell import MARGIN, Cell, cell_of
from pages.explore.pipeline.explanation import Explanation, Term, explain
from pages.explore.pipeline.stages import AXES, CALLED
from ui.controls import Choice
from ui.errors import fragment
from ui.numbers import significant
from ui.text import Words


@partial(fragment, key=MARGIN)
def margin(choice: Choice, page: Words) -> None:
    """The formula of one cell, with its numbers, its terms and its lines of torch."""
    layer = choice.run().layers[choice.layer]
    cell = cell_of(layer)
    explanation = explain(layer, choice.head, cell.panel, cell.row, cell.col)
    with st.expander(page["margin"], expanded=True):
        st.text(_place(layer, cell, page))
        st.latex(explanation.symbols)
        st.latex(explanation.numbers)
        if explanation.note:
            st.caption(page[explanation.note])
        if explanation.terms:
            _terms(explanation.terms, layer, page)
        st.caption(_check(explanation, page))
        st.code(explanation.code, language="python", wrap_lines=True)


def _place(layer: LayerTrace, cell: Cell, page: Words) -> str:
    axes = zip(AXES[cell.panel], (cell.row, cell.col), strict=True)
    return "\n".join(_coordinate(layer, axis, CALLED.get(cell.panel, axis), index, page) for axis, index in axes)


def _coordinate(layer: LayerTrace, axis: str, called: str, index: int, page: Words) -> str:
    if axis in ("query", "key"):
        token = (layer.queries if axis == "query" else layer.keys)[index]
        return page.data(f"place.{called}", number=index + 1, token=token)
    return "" if axis == "sum" else page.data("place.component", number=index + 1, axis=axis)


def _check(explanation: Explanation, page: Words) -> str:
    """Torch's number, and how far the sum of the terms lies from it."""
    value, again = explanation.value, explanation.again
    if again is None:
        return page.format("torch", value=value)
    return page.format("check", value=value, difference=abs(again - value) if again != value else 0.0)


def _terms(terms: tuple[Term, ...], layer: LayerTrace, page: Words) -> None:
    exponentials = all(term.right == 1.0 for term in terms)
    columns = ["name", "exp", "running"] if exponentials else ["name", "left", "right", "product", "running"]
    rows, running = [], 0.0
    for term in terms:
        running += term.product
        numbers = {"left": term.left, "right": term.right, "product": term.product, "running": running}
        numbers["exp"] = term.product
        row = {"name": _term_name(term, layer, page)} | {name: significant(x) for name, x in numbers.items()}
        rows.append({page[f"term.{column}"]: row[column] for column in columns})
    with st.expander(page.format("terms", count=len(terms)), expanded=True):
        st.dataframe(rows, hide_index=True, height=min(260, 36 + 35 * len(rows)), row_height=28)


def _term_name(term: Term, layer: LayerTrace, page: Words) -> str:
    if term.kind == "token":
        return f"{term.index + 1} {layer.keys[term.index]}"
    if term.kind == "component":
        return str(term.index + 1)
    return page.data(f"term.{term.kind}", count=term.index)
