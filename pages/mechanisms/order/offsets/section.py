"""What a place is worth: the score of the pair in focus, wherever it stands."""

import streamlit as st

from pages.mechanisms.order.offsets.numbers import OFFSETS, PLACES, offset_scores
from pages.mechanisms.order.offsets.pictures import films, plots, sliders
from pages.mechanisms.order.reading import Reading
from pages.mechanisms.order.stops import released, standing, stops
from ui.components.lab import lab
from ui.text import Words, words

SLIDERS = {"place": stops("order_place", PLACES, 0), "offset": stops("order_offset", OFFSETS, 5)}


def offsets(reading: Reading, head: int, pair: tuple[int, int], page: Words) -> None:
    """Three curves over the distance of the two words."""
    st.header(page["offsets.title"], anchor="positions")
    st.markdown(page["offsets.text"])
    scores = offset_scores(reading, head, pair)
    lab(
        plots(scores, reading.tokens, pair, page),
        key="order_offsets",
        sliders=sliders(standing(SLIDERS), page),
        films=films(scores),
        words=words("canvas"),
        summary=page["offsets.title"],
        on_move=lambda positions: released(SLIDERS, positions),
    )
