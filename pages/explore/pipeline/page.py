"""One sentence, one head, every step from tokens to output; every cell explains itself."""

from functools import partial

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace, Run
from pages.explore.pipeline.explanation import Explanation, Term, explain
from pages.explore.pipeline.split import split_into_heads
from ui.components.canvas import Live, Pick, canvas
from ui.controls import TEMPERATURES, Bar, Choice, focus, set_focus, set_temperature, study_bar, temperature
from ui.errors import fragment, run_again
from ui.evidence import evidence
from ui.layout import page_header
from ui.link import recall, remember
from ui.numbers import significant
from ui.palette import hue
from ui.session import SCRATCH, answer
from ui.stages import Stage, arrays, ledger, stages
from ui.text import Words, words
from ui.trust import row_sum_residual

AXES = {
    "x": ("query", "d_model"),
    "q": ("query", "d_k"),
    "k": ("key", "d_k"),
    "v": ("key", "d_v"),
    "k_t": ("d_k", "key"),
    "sum": ("query", "sum"),
    "context": ("query", "d_v"),
    "concat": ("query", "concat"),
    "output": ("query", "d_model"),
    "W_Q": ("d_model", "d_k"),
    "W_K": ("d_model", "d_k"),
    "W_V": ("d_model", "d_v"),
    "W_O": ("concat", "d_model"),
} | dict.fromkeys(("scores", "scaled", "capped", "masked", "exp", "weights"), ("query", "key"))
DEFAULT_CELL = "weights,0,0"
MARGIN, EVIDENCE = FOLLOW = ("pipeline_margin", "pipeline_evidence")  # the fragments that a click runs
PAPER = f"light-dark({hue('paper', 'light')}, {hue('paper', 'dark')})"
# The sentence stays in sight; so does the explanation: beside the figure, or below it on a narrow screen.
STYLE = f"""<style>
[data-testid="stLayoutWrapper"]:has(> .st-key-strip) {{
  position: sticky; top: 3.4rem; z-index: 90; background: {PAPER};
}}
@media (min-width: 1100px) {{
  [data-testid="stLayoutWrapper"]:has(> .st-key-margin) {{
    position: sticky; top: 8.4rem; max-height: calc(100vh - 9rem); overflow-y: auto;
  }}
}}
@media (max-width: 1099px) {{
  [data-testid="stColumn"]:has(.st-key-margin) {{ display: contents; }}
  [data-testid="stLayoutWrapper"]:has(> .st-key-margin) {{
    position: fixed; inset: auto 0 0 0; z-index: 95; max-height: 30vh; overflow-y: auto; padding: 0.25rem 0.5rem;
    background: {PAPER}; border-top: 2px solid {hue("focus", "light")};
  }}
  [data-testid="stMainBlockContainer"] {{ padding-bottom: 38vh; }}
}}
</style>"""


def picked(pick: Pick) -> None:
    """A click sets the tokens in focus and, in a matrix, the cell to explain."""
    query, key = focus(10**6, 10**6)
    if pick.panel in ("query", "key"):
        set_focus(*((pick.row, key) if pick.panel == "query" else (query, pick.row)))
        run_again(*FOLLOW)
    for axis, index in zip(AXES[pick.panel], (pick.row, pick.col), strict=True):
        query, key = (index if axis == "query" else query), (index if axis == "key" else key)
    set_focus(query, key)
    remember("cell", f"{pick.panel},{pick.row},{pick.col}")
    run_again(*FOLLOW)  # the canvases have moved their focus already


def cell_of(made: list[Stage], query: int, key: int) -> tuple[str, int, int]:
    """The cell to explain, inside the panel it names; its tokens are those in focus."""
    shapes = {panel.name: panel.values.shape for stage in made for panel in stage.panels}
    name, *place = recall("cell", DEFAULT_CELL).split(",")
    if name not in shapes or len(place) != 2 or not all(part.isdecimal() and len(part) <= 6 for part in place):
        name, place = "weights", ["0", "0"]
    at = [
        query if axis == "query" else key if axis == "key" else min(int(part), size - 1)
        for axis, part, size in zip(AXES[name], place, shapes[name], strict=True)
    ]
    return name, at[0], at[1]


@fragment
def body(bar: Bar, page: Words) -> None:
    """All that a layer, a head or a picked token changes."""
    choice = bar.choose()
    layer = choice.run().layers[choice.layer]
    if choice.study.model == SCRATCH:
        st.info(page[f"untrained.{choice.study.sizes.source}"], icon=":material/casino:")
    names = words("canvas")
    shared = {"queries": layer.queries, "keys": layer.keys, "words": names, "on_pick": picked}
    with st.container(key="strip"):
        at = focus(len(layer.queries), len(layer.keys))
        canvas([], key="strip_canvas", strip=True, focus=at, summary=page["strip"], **shared)
    left, right = st.columns([2.2, 1], gap="large")
    with right, st.container(key="margin"):
        margin(choice, page)
    with left:
        for stage in stages(layer, choice.head):
            show(stage, layer, choice.head, page, shared)
    evident(choice)
    shape_ledger(choice.run(), layer, page)
    split_panel(layer, page)


@partial(fragment, key=EVIDENCE)
def evident(choice: Choice) -> None:
    """Why the numbers can be believed, and the way to take them along; its link and its script know the picked cell."""
    layer = choice.run().layers[choice.layer]
    rows = answer(("row sums", choice.study, choice.layer), lambda: row_sum_residual(layer))
    evidence(choice, "pipeline", rows=rows, arrays=lambda: taken(choice))


def taken(choice: Choice) -> dict[str, np.ndarray]:
    """Every stage of the head, to take away."""
    return arrays(choice.run().layers[choice.layer], choice.head)


def show(stage: Stage, layer: LayerTrace, head: int, page: Words, shared: dict) -> None:
    """One stage: what it is called, its formula, one or two sentences, its panels."""
    with st.container(key=f"stage_{stage.key}"):
        st.header(page[f"stage.{stage.key}.title"], anchor=stage.key)
        st.markdown(_formula(stage, layer, page) + "  \n" + _sentence(stage, layer, page))
        for name in stage.missing:
            st.info(page.format("missing", name=name), icon=":material/visibility_off:")
        if stage.key == "context" and (layer.index, head) in layer.settings.ablated:
            st.info(page["note.ablated"], icon=":material/power_off:")
        if not stage.panels:
            return
        live = None
        if stage.key == "weights" and layer.settings.normalizer == "softmax":
            live = Live(temperature(), TEMPERATURES, page["temperature"])
        canvas(
            [stage.panels],
            key=f"canvas_{stage.key}",
            live=live,
            on_temperature=set_temperature,
            summary=page[f"stage.{stage.key}.title"],
            **shared,
        )


def _formula(stage: Stage, layer: LayerTrace, page: Words) -> str:
    """With the biases where the model adds them."""
    bias = {"qkv": layer.projections.b_Q, "output": layer.projections.b_O}.get(stage.key)
    return page[f"stage.{stage.key}.formula" if bias is None else f"stage.{stage.key}.biased"]


def _sentence(stage: Stage, layer: LayerTrace, page: Words) -> str:
    trace = layer.attention
    return page.format(
        f"stage.{stage.key}.text",
        factor=layer.factor,
        d_k=trace.q.shape[-1],
        h=trace.q.shape[0],
        d_v=trace.v.shape[-1],
        temperature=layer.settings.temperature,
    )


@partial(fragment, key=MARGIN)
def margin(choice: Choice, page: Words) -> None:
    """Why the picked cell has the value it has."""
    layer = choice.run().layers[choice.layer]
    query, key = focus(len(layer.queries), len(layer.keys))
    with st.expander(page["margin"], expanded=True):
        reasons(layer, choice.head, cell_of(stages(layer, choice.head), query, key), page)


def reasons(layer: LayerTrace, head: int, cell: tuple[str, int, int], page: Words) -> None:
    """The formula of one cell, with its numbers, its terms and its lines of torch."""
    name, row, col = cell
    found = explain(layer, head, name, row, col)
    st.text("\n".join(_place(layer, axis, at, page) for axis, at in zip(AXES[name], (row, col), strict=True)))
    st.latex(found.symbols)
    st.latex(found.numbers)
    if found.note:
        st.caption(page[found.note])
    if found.terms:
        _terms(found, layer, page)
    if found.again is not None:
        difference = abs(found.again - found.value) if found.again != found.value else 0.0
        st.caption(page.format("check", value=found.value, difference=difference))
    else:
        st.caption(page.format("torch", value=found.value))
    st.code(found.code, language="python", wrap_lines=True)


def _place(layer: LayerTrace, axis: str, index: int, page: Words) -> str:
    if axis in ("query", "key"):
        token = (layer.queries if axis == "query" else layer.keys)[index]
        return page.data(f"place.{axis}", number=index + 1, token=token)
    return "" if axis == "sum" else page.data("place.component", number=index + 1, axis=axis)


def _terms(found: Explanation, layer: LayerTrace, page: Words) -> None:
    running, rows = 0.0, []
    for term in found.terms:
        running += term.product
        rows.append(
            {
                page["term.name"]: _term_name(term, layer, page),
                page["term.left"]: significant(term.left),
                page["term.right"]: significant(term.right),
                page["term.product"]: significant(term.product),
                page["term.running"]: significant(running),
            }
        )
    if all(term.right == 1.0 for term in found.terms):
        rows = [
            {name: row[name] for name in (page["term.name"], page["term.product"], page["term.running"])}
            for row in rows
        ]
    with st.expander(page.format("terms", count=len(found.terms)), expanded=True):
        st.dataframe(rows, hide_index=True, height=min(260, 36 + 35 * len(rows)), row_height=28)


def _term_name(term: Term, layer: LayerTrace, page: Words) -> str:
    if term.kind == "token":
        return f"{term.index + 1} {layer.keys[term.index]}"
    if term.kind == "component":
        return str(term.index + 1)
    return page.data(f"term.{term.kind}", count=term.index)


def shape_ledger(run: Run, layer: LayerTrace, page: Words) -> None:
    """Every tensor of the layer with its shape."""
    st.header(page["ledger.title"], anchor="shapes")
    st.markdown(page["ledger.text"])
    columns = ("symbol", "meaning", "shape", "dtype", "bytes")
    rows = [
        [symbol, page[f"ledger.of.{key}"], " × ".join(map(str, shape)), dtype, str(size)]
        for symbol, key, shape, dtype, size in ledger(run, layer)
    ]
    head = [[page[f"ledger.{column}"] for column in columns], ["---", "---", "---", "---", "---:"]]
    st.markdown("\n".join(f"| {' | '.join(row)} |" for row in head + rows))


def split_panel(layer: LayerTrace, page: Words) -> None:
    """One big projection, split into heads, on the real tensor."""
    st.header(page["split.title"], anchor="split")
    st.markdown(page["split.text"])
    for step in split_into_heads(layer):
        st.code(step.code, language="python", wrap_lines=True)
        if step.error:
            st.code(f"RuntimeError: {step.error}", language=None, wrap_lines=True)
            st.caption(page["split.error"])
        else:
            whole = page["split.yes" if step.contiguous else "split.no"]
            st.caption(page.data("split.result", shape=str(step.shape), stride=str(step.stride), contiguous=whole))


page = words("pipeline")
st.html(STYLE)
page_header(page)
body(study_bar(), page)
