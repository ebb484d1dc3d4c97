"""The menu of settings: how the model's attention is changed, and which of its heads are off."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from attention_core.models import LayerName, Settings, layer_numbers
from ui.controls.table import INPUT_SCALE, MASK, NORMALIZER, OFF, RADIUS, SCALING, WHERE, Head, head_name, heads_of
from ui.controls.widgets import dropdown, number, pills
from ui.focus import TEMPERATURE
from ui.session import SCRATCH
from ui.state import Setting
from ui.text import Words

COUNTED = ("scaling", "input_scale", "temperature", "normalizer", "mask", "ablated")  # what makes settings differ


def settings_menu(name: str, layers: Sequence[LayerName], common: Words, note: str) -> Settings:
    """The settings, as they hold in every layer. The button says how many differ from what the model was built with."""
    chosen = _chosen(layers)
    count = sum(getattr(chosen, field) != getattr(Settings(), field) for field in COUNTED)
    label = common.format("settings_changed", count=count) if count else common["settings"]
    with st.popover(label, icon=":material/tune:", width="content", key="settings"):
        if note:
            st.caption(note)
        dropdown(SCALING, common["scaling"], lambda rule: common[f"scalings.{rule}"], common["scaling_help"])
        _input_scale(common)
        dropdown(NORMALIZER, common["normalizer"], lambda rule: common[f"normalizers.{rule}"])
        mask = pills(MASK, common["mask"], lambda rule: common[f"masks.{rule}"], common["mask_help"])
        if mask == "window":
            number(RADIUS, common["radius"])
        if len(layers) > 1:
            pills(WHERE, common["where"], lambda place: common[f"wheres.{place}"])
        _heads_off(layers, common)
        if name == SCRATCH:
            st.caption(common["scratch_note"])
        st.button(common["reset"], icon=":material/restart_alt:", on_click=_reset, width="stretch")
    return chosen


def within(settings: Settings, layers: Sequence[LayerName], layer: int) -> Settings:
    """The settings where they are to hold in this layer alone. Where none differs but heads switched off, they are the
    same for every layer, and so is the run.
    """
    as_built = replace(settings, ablated=frozenset()) == Settings()
    everywhere = as_built or (len(layers) > 1 and WHERE.peek() == "all")
    return settings if everywhere else replace(settings, layers=(layer,))


def switch_heads_off(heads: Sequence[Head]) -> None:
    """For callbacks: exactly these heads are off. The whole page runs."""
    OFF.put(list(heads))
    st.rerun()


def _chosen(layers: Sequence[LayerName]) -> Settings:
    """What the widgets hold, also before they are drawn."""
    mask = MASK.peek()
    return Settings(
        scaling=SCALING.peek(),
        input_scale=INPUT_SCALE.peek(),
        temperature=TEMPERATURE.value(),
        normalizer=NORMALIZER.peek(),
        mask=mask,
        radius=RADIUS.peek() if mask == "window" else Settings().radius,
        ablated=frozenset(_off(layers).peek()),
    )


def _input_scale(common: Words) -> None:
    INPUT_SCALE.seed()
    st.select_slider(
        common["input_scale"], INPUT_SCALE.choices(), key=INPUT_SCALE.name, help=common["input_scale_help"]
    )
    INPUT_SCALE.value()


def _heads_off(layers: Sequence[LayerName], common: Words) -> None:
    off = _off(layers)
    off.seed()
    st.multiselect(
        common["ablated"],
        _switchable(layers),
        format_func=partial(head_name, numbers=layer_numbers(layers)),
        key=off.name,
        placeholder=common["ablated_placeholder"],
        help=common["ablated_help"],
    )
    off.value()


def _off(layers: Sequence[LayerName]) -> Setting[list[Head]]:
    switchable, numbers = set(_switchable(layers)), layer_numbers(layers)
    return replace(
        OFF,
        clamp=lambda heads: [head for head in heads if head in switchable],
        parse=lambda spelling: heads_of(spelling, numbers),
        spell=lambda heads: ",".join(head_name(head, numbers) for head in heads),
    )


def _switchable(layers: Sequence[LayerName]) -> list[Head]:
    return [(index, head) for index, layer in enumerate(layers) for head in range(layer.n_head)]


def _reset() -> None:
    """Back to what the model was built with. The sentence, the layer and the head stay."""
    for setting in (SCALING, INPUT_SCALE, TEMPERATURE, NORMALIZER, MASK, WHERE, OFF):
        setting.reset()
