"""The from-scratch layer's own controls, shown only when it is the model."""

import streamlit as st

from attention_core.models import Sizes
from ui.controls.table import POSITION, SIZES, SOURCE
from ui.controls.widgets import dropdown, number
from ui.text import words

LAST_SIZES = "last_sizes"  # those that could be had


def chosen_sizes() -> Sizes:
    """How large the layer is, and where its x comes from; the last sizes where these cannot be had."""
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="sizes"):
        numbers = {field: number(setting, common[f"size.{field}"], 120) for field, setting in SIZES.items()}
        positions = dropdown(POSITION, common["positions"], lambda rule: common[f"position.{rule}"], width=150)
        source = dropdown(
            SOURCE, common["source"], lambda rule: common[f"sources.{rule}"], common["source_help"], width=190
        )
    if positions == "rope" and numbers["d_k"] % 2:
        st.warning(words("common").format("error.odd_rope", d_k=numbers["d_k"]), icon=":material/edit:")
        return st.session_state.get(LAST_SIZES, Sizes())
    st.session_state[LAST_SIZES] = Sizes(**numbers, positions=positions, source=source)
    return st.session_state[LAST_SIZES]
