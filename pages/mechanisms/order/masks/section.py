"""Causal and window masks: who is heard, and what comes later."""

import streamlit as st

from attention_core.hearing import MASK_KINDS
from pages.mechanisms.order.masks.numbers import LAYERS, arrays, masked, prefixes, radii, script, sdpa_residual
from pages.mechanisms.order.masks.pictures import films, plots, sliders
from pages.mechanisms.order.reading import Reading
from pages.mechanisms.order.stops import Stops, released, standing, stops
from ui.components.lab import lab
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.text import Words, words


def _sliders(n: int) -> dict[str, Stops]:
    alone = prefixes(n)
    return {
        "mask": stops("order_mask", MASK_KINDS, "causal"),
        "radius": stops("order_radius", radii(n), 2),
        "layers": stops("order_layers", range(1, LAYERS + 1), 2),
        "prefix": stops("order_prefix", alone, alone[len(alone) // 2]),
    }


@fragment
def masks(reading: Reading, head: int, page: Words) -> None:
    """The sentence under the mask that the sliders name."""
    n = len(reading.tokens)
    settings = _sliders(n)
    at = standing(settings)
    kind, radius, length = MASK_KINDS[at["mask"]], radii(n)[at["radius"]], prefixes(n)[at["prefix"]]
    lab(
        plots(reading.tokens, page),
        key="order_masks",
        sliders=sliders(n, at, page),
        films=films(masked(reading, head)),
        words=words("canvas"),
        summary=page["mask_title"],
        on_move=lambda positions: released(settings, positions),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        residual = sdpa_residual(reading, kind, radius)
        trust_line(residual=residual, oracle="torch SDPA", dtype="float64", device="cpu")
        take_away(
            "order_masks",
            arrays=lambda: arrays(reading, kind, radius),
            snippet=script(reading, kind, radius, length),
        )
