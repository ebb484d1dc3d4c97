"""The reader's sentence through two to six mechanisms at once: same tokens, same q, k and v, same axes."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.mechanisms import MECHANISMS
from attention_core.mechanisms.bench import ROWS, HeadGradient, Result, compute, head_gradient, spread
from pages.mechanisms.bench import numbers as bench
from pages.mechanisms.bench.controls import WIDTH, controls, open_as_said
from pages.mechanisms.bench.guide import GUIDE, prediction
from pages.mechanisms.bench.maps import maps
from pages.mechanisms.bench.numbers import MAX_TOKENS, OWN, Comparison, Row, Vectors
from pages.mechanisms.bench.sections import cards, numbers, per_token, picked, what_moved
from pages.mechanisms.bench.spread import films, plots, sliders
from pages.mechanisms.bench.tables import remarks
from pages.mechanisms.bench.wording import subscripts
from ui.components.canvas import canvas
from ui.components.lab import lab
from ui.controls import Choice, focus, model_label, study_bar
from ui.errors import fragment
from ui.focus import settle
from ui.guide import predict
from ui.layout import page_header, style, take_away, trust_line
from ui.scripts import Code
from ui.session import answer, run
from ui.snippets import layer_code
from ui.text import Words, words

PAINTED = 0.06  # seconds in which the maps are painted, before the browser has the rest of the page to draw again


def read(comparison: Comparison, page: Words) -> Vectors:
    """q of the sentence, k and v of the memory; and what a reader should know about their sizes."""
    own = other = run(comparison.study).layers[comparison.layer]
    if comparison.memory is not None:
        other = run(replace(comparison.study, text=comparison.memory)).layers[comparison.layer]
    n_q, n_k, radius = len(own.queries), len(other.keys), comparison.options.radius
    vectors = bench.vectors(own, other, comparison.mask, radius)
    if comparison.mask == OWN and other is not own and not bool(own.allowed.all()):
        st.caption(page["mask_memory"])
    if max(n_q, n_k) > MAX_TOKENS:
        st.caption(page.format("shortened", shown=MAX_TOKENS, n_q=n_q, n_k=n_k))
    if len(vectors.keys) == 1:
        st.caption(page["one_key"])
    elif radius >= max(len(vectors.queries), len(vectors.keys)):
        st.caption(page.format("covers", radius=radius))
    return vectors


def measured(comparison: Comparison, vectors: Vectors, key: str, head: int) -> tuple[Result, HeadGradient]:
    """What the mechanism makes of all heads, and the gradient of this one; computed once for all who ask."""
    mechanism, q, k, v = MECHANISMS[key], vectors.q, vectors.k, vectors.v
    shared = {"options": comparison.options, "allowed": vectors.allowed}
    result = answer(("mechanism", comparison, mechanism), lambda: compute(mechanism, q, k, v, **shared))
    gradient = answer(
        ("gradient", comparison, mechanism, head), lambda: head_gradient(mechanism, q, k, v, head=head, **shared)
    )
    return result, gradient


@fragment
def laboratory(choice: Choice, page: Words) -> None:
    """The bench: controls, maps, what moved, numbers."""
    comparison, keys, reference = controls(choice, page)
    vectors = read(comparison, page)
    head = min(choice.head, vectors.q.shape[0] - 1)
    rows = bench.rows({key: measured(comparison, vectors, key, head) for key in keys}, reference, head)
    settle(vectors.queries, vectors.keys, lambda: rows[0].weights.nan_to_num(0.0))
    query, key = focus(len(vectors.queries), len(vectors.keys))
    canvas(
        maps(rows, reference, page),
        key="bench_maps",
        queries=vectors.queries,
        keys=vectors.keys,
        words=words("canvas"),
        focus=(query, key),
        strip=True,
        summary=page["summary"],
        on_pick=picked,
    )
    time.sleep(PAINTED)
    if sentences := remarks(rows, page):
        st.caption("  \n".join(sentences))
    what_moved(rows, reference, page)
    numbers(rows, reference, page)
    per_token(rows, vectors, query, page)
    evidence(comparison, vectors, rows, reference, head, layer_code(choice.model.layers, choice.layer))
    cards(rows, reference, page)


def evidence(
    comparison: Comparison, vectors: Vectors, rows: Sequence[Row], reference: str, head: int, layer: Code
) -> None:
    """Why the numbers can be believed, and how to take them away."""
    tokens = {"queries": np.array(vectors.queries), "keys": np.array(vectors.keys)}
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            residual=bench.sdpa_residual(vectors),
            oracle="torch SDPA",
            seed=comparison.options.seed,
            dtype=str(vectors.q.dtype).removeprefix("torch."),
            model=model_label(comparison.study.model),
            device=str(vectors.q.device),
        )
        take_away(
            "bench",
            arrays=lambda: tokens | bench.arrays(rows),
            snippet=bench.script(comparison, [row.key for row in rows], reference, layer, head),
        )


@fragment
def widths(page: Words) -> None:
    """Additive scores and dot products as d_k grows."""
    st.header(subscripts(page["spread.title"]), anchor="d_k")
    st.markdown(subscripts(page.format("spread.text", rows=ROWS)))
    with st.spinner(page["spread.working"], show_time=True):
        spreads = answer("spread", spread)
    lab(
        plots(page),
        key="bench_widths",
        sliders=sliders(WIDTH.value(), page),
        films=films(spreads),
        words=words("canvas"),
        summary=page["spread.title"],
        on_move=lambda positions: WIDTH.put(positions["width"]),
    )


page = words("bench")
open_as_said()
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
choice = study_bar(page["settings_note"]).choose()
predict(place, prediction(choice, page), page)
laboratory(choice, page)
widths(page)
