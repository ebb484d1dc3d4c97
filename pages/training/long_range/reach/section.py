"""The section about the reach of a gradient: the bar, the curves, and what stands under the finger."""

import streamlit as st

from pages.training.long_range.reach.numbers import (
    LONGEST,
    REACHED,
    SEEDS,
    Reaches,
    arrays,
    lengths,
    reaches,
    script,
)
from pages.training.long_range.reach.pictures import films, plots, sliders
from pages.training.long_range.settings import MANY, distance, vectors
from ui.components.lab import Positions, lab
from ui.compute.catalogue import from_scratch
from ui.controls import sentence_bar
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.numbers import nearest
from ui.session import PROBED
from ui.text import Words, words
from ui.waiting import awaited


def section(page: Words) -> None:
    """The bar, and what autograd gives for it."""
    text, tokens, (source, n, seed) = sentence_bar(lambda: vectors(page), least=2)
    own = tokens.strings[:LONGEST] if source == "sentence" else None
    note = st.empty()  # written or cleared before the curves are computed, which may take a while
    x = None
    if own is not None:
        n = len(own)
        x = from_scratch(PROBED).embed(tokens)[:LONGEST]
        if len(tokens) > LONGEST:
            note.caption(page.format("cut", most=LONGEST))
    curves = awaited(
        ("reach", text if own is not None else n, seed),
        lambda: reaches(n, seed, x),
        topic="reach",
        what=page.format("reach_working", kinds=len(REACHED), seeds=SEEDS),
    )
    if curves is not None:
        _laboratory(curves, n, own, text if own is not None else None, seed, page)


@fragment
def _laboratory(
    curves: Reaches, n: int, tokens: tuple[str, ...] | None, text: str | None, seed: int, page: Words
) -> None:
    """The curves, and what stands under the finger; `text`: the sentence whose vectors these are."""
    stops, far = lengths(n), distance(n)
    at, many = far.value(), MANY.value()

    def moved(at: Positions) -> None:
        far.put(str(at["distance"]))
        MANY.put(str(stops[at["n"]]))

    lab(
        plots(curves, n, page),
        key="lg_reach",
        sliders=sliders(
            n,
            int(at) if at in map(str, range(n)) else n // 2,
            stops.index(int(many)) if many in map(str, stops) else nearest(stops, float(n)),
            tokens,
            page,
        ),
        films=films(curves, n),
        words=words("canvas"),
        summary=page.data("reach_summary", count=len(REACHED) - 1),
        on_move=moved,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(first=page.format("seeds", first=seed, last=seed + SEEDS - 1), dtype="float64", device="cpu")
        take_away("reach", arrays=lambda: arrays(curves, n), snippet=script(n, seed, text))
