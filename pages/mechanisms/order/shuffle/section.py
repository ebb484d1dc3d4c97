"""The reader's sentence, its shuffled twin, and four ways of saying where a word stands."""

import streamlit as st

from attention_core.shuffling import SCHEMES
from pages.mechanisms.order.offsets.section import offsets
from pages.mechanisms.order.reading import Reading
from pages.mechanisms.order.shuffle.numbers import (
    STOPS,
    arrays,
    compared,
    orders,
    row_sums,
    script,
    sdpa_residual,
    under_schemes,
)
from pages.mechanisms.order.shuffle.pictures import films, plots, sliders
from pages.mechanisms.order.stops import released, standing, stops
from ui.components.canvas import Pick
from ui.components.lab import lab
from ui.controls import focus, set_focus
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.text import Words, words

SLIDERS = {"scheme": stops("order_positions", SCHEMES, "none"), "swaps": stops("order_swaps", STOPS, 3)}
PICKED = {"own", "back", "change"}  # maps in the order of the sentence


def picked(pick: Pick) -> None:
    """A cell of these maps is the pair whose score the next section moves."""
    if pick.panel in PICKED:
        set_focus(pick.row, pick.col)


@fragment
def shuffle(reading: Reading, head: int, seed: int, page: Words) -> None:
    """The sentence, its shuffled twin, and positions; then what a place is worth to the pair in focus."""
    pair = focus(len(reading.tokens), len(reading.tokens))
    schemes = under_schemes(reading, seed)
    lab(
        plots(reading.tokens, pair[0], page),
        key="order_shuffled",
        sliders=sliders(standing(SLIDERS), page),
        films=films(compared(schemes, head), orders(len(reading.tokens), seed)),
        words=words("canvas"),
        summary=page["summary"],
        on_move=lambda positions: released(SLIDERS, positions),
        on_pick=picked,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=row_sums(schemes),
            residual=sdpa_residual(reading),
            oracle="torch SDPA",
            seed=reading.sizes.seed,
            dtype="float64",
            device="cpu",
        )
        take_away("order", arrays=lambda: arrays(reading, schemes, seed), snippet=script(reading, seed))
    st.markdown(page["shuffle_note"])
    offsets(reading, head, pair, page)
