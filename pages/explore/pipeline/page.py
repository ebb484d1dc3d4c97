"""One sentence, one head, every step from tokens to output; every cell explains itself."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace, Run
from pages.explore.pipeline.cell import EVIDENCE, picked, read
from pages.explore.pipeline.guide import GUIDE, prediction
from pages.explore.pipeline.ledger import REPEATED, Entry, ledger
from pages.explore.pipeline.margin import margin
from pages.explore.pipeline.split import split_into_heads
from pages.explore.pipeline.stages import Stage, arrays, stages
from pages.explore.pipeline.wording import formula, sentences
from ui.components.canvas import Live, canvas
from ui.controls import TEMPERATURES, Bar, Choice, focus, set_temperature, study_bar, temperature
from ui.errors import fragment
from ui.evidence import evidence
from ui.focus import settle
from ui.guide import predict
from ui.layout import page_header, style
from ui.palette import hue
from ui.session import SCRATCH, answer
from ui.text import Words, words
from ui.trust import row_sum_residual

PAPER = f"light-dark({hue('paper', 'light')}, {hue('paper', 'dark')})"


@fragment
def body(bar: Bar, page: Words) -> None:
    """All that a layer, a head or a picked token changes."""
    choice = bar.choose()
    layer = choice.run().layers[choice.layer]
    if choice.study.model == SCRATCH:
        source = "digest" if choice.tokens.remarks.digested else choice.study.sizes.source
        st.info(page[f"untrained.{source}"], icon=":material/casino:")
    settle(layer.queries, layer.keys, lambda: layer.attention.weights[choice.head])
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
    """One stage: its name, its formula, one or two sentences, its panels. What changes nothing is folded away."""
    title = page[f"stage.{stage.key}.title"]
    with st.expander(title) if stage.idle else st.container(key=f"stage_{stage.key}"):
        if not stage.idle:
            st.header(title, anchor=stage.key)
        st.markdown(formula(stage.key, layer, page) + "  \n" + sentences(stage.key, layer, head, page))
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
            [stage.panels, stage.below] if stage.below else [stage.panels],
            key=f"canvas_{stage.key}",
            live=live,
            on_temperature=set_temperature,
            on_read=partial(read, stage.names),
            summary=title,
            **shared,
        )


def shape_ledger(run: Run, layer: LayerTrace, page: Words) -> None:
    """Every tensor of the layer with its shape."""
    st.header(page["ledger.title"], anchor="shapes")
    st.markdown(page["ledger.text"])
    columns = ("symbol", "meaning", "shape", "dtype", "bytes")
    rows = [
        (tensor.symbol, _meaning(tensor, layer, page), tensor.size, tensor.dtype, str(tensor.bytes))
        for tensor in ledger(run, layer)
    ]
    head = [[page[f"ledger.{column}"] for column in columns], ["---", "---", "---", "---", "---:"]]
    st.markdown("\n".join(f"| {' | '.join(row)} |" for row in [*head, *rows]))


def _meaning(tensor: Entry, layer: LayerTrace, page: Words) -> str:
    """What a tensor is; of those that heads share, that they are repeated here."""
    key_heads = layer.built.key_heads
    if not key_heads or tensor.meaning not in REPEATED:
        return page[f"ledger.of.{tensor.meaning}"]
    size = layer.name.n_head // key_heads
    return page.data("ledger.shared", what=page[f"ledger.of.{tensor.meaning}"], key_heads=key_heads, size=size)


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
st.html(f"<style>:root {{ --page-paper: {PAPER}; --page-focus: {hue('focus', 'light')}; }}</style>")
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
bar = study_bar()
body(bar, page)
predict(place, prediction(bar), page)  # after: which words are in focus is settled there
