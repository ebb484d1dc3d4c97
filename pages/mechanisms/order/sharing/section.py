"""Heads that share keys and values, and the cache."""

import streamlit as st

from pages.mechanisms.order.reading import Reading
from pages.mechanisms.order.sharing.numbers import (
    KEY_HEADS,
    PUBLISHED_HEADS,
    arrays,
    decoded,
    script,
    sdpa_residual,
)
from pages.mechanisms.order.sharing.pictures import films, plots, sliders
from pages.mechanisms.order.stops import Stops, released, standing, stops
from ui.components.lab import lab
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.text import Words, words


def _sliders(n: int) -> dict[str, Stops]:
    return {
        "key_heads": stops("order_key_heads", KEY_HEADS, 2),
        "step": stops("order_step", range(1, n + 1), (n + 1) // 2),
        "published": stops("order_published", PUBLISHED_HEADS, 8),
    }


@fragment
def sharing(reading: Reading, head: int, page: Words) -> None:
    """The sentence with so many key heads, read up to the step of the slider."""
    settings = _sliders(len(reading.tokens))
    at = standing(settings)
    key_heads = KEY_HEADS[at["key_heads"]]
    lab(
        plots(reading.tokens, page),
        key="order_sharing",
        sliders=sliders(reading.tokens, at, page),
        films=films(decoded(reading, head)),
        words=words("canvas"),
        summary=page["share_title"],
        on_move=lambda positions: released(settings, positions),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=sdpa_residual(reading), oracle="torch SDPA", dtype="float64", device="cpu")
        take_away(
            "order_sharing",
            arrays=lambda: arrays(reading, key_heads),
            snippet=script(reading, key_heads),
        )
