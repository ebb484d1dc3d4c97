"""Heads switched off: what the output does, and what the other heads do."""

from dataclasses import replace

import numpy as np
import streamlit as st

from attention_core.models import layer_numbers
from pages.explore.heads.clicks import show_head
from pages.explore.heads.labels import layer_names, renamed
from pages.explore.heads.numbers import Effect, effect
from ui.chart import chart
from ui.components.canvas import Panel, Pick, canvas
from ui.controls import Choice, switch_heads_off
from ui.controls.table import Head, head_name
from ui.figures.heads import token_bars
from ui.layout import Arrays, mode
from ui.numbers import significant
from ui.session import answer, run_of
from ui.text import Words


def section(choice: Choice, page: Words) -> Arrays:
    """Against the run with the same settings and all heads on."""
    ablated = choice.study.settings.ablated
    _switches(choice, page)
    if not ablated:
        st.info(page["off.none"], icon=":material/lightbulb:")
        return dict
    all_on = replace(choice.study, settings=replace(choice.study.settings, ablated=frozenset()))
    run, intact = choice.run(), run_of(all_on, choice.model, choice.tokens)
    change = answer(("effect", choice.study), lambda: effect(intact, run))
    moved = _grid(change, ablated)
    left, right = st.columns([1, 1], gap="large")
    with left:
        _output(change, run.tokens.strings, page)
    with right:
        _other_heads(moved, layer_names([layer.name for layer in run.layers]), choice.about(""), page)
    taken = {"output_change": change.relative.numpy(), "output_cosine": change.cosine.numpy(), "weights_change": moved}
    return lambda: taken  # a number a token and a number a head


def _switches(choice: Choice, page: Words) -> None:
    ablated, shown = choice.study.settings.ablated, (choice.layer, choice.head)
    is_off = shown in ablated
    st.markdown(page["off.text"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            page.format("off.on" if is_off else "off.off", layer=choice.number, head=choice.head + 1),
            key="switch_head",
            on_click=switch_heads_off,
            args=(sorted(ablated ^ {shown}),),
            icon=":material/toggle_on:" if is_off else ":material/toggle_off:",
        )
        if ablated:
            st.button(page["off.all_on"], key="all_on", on_click=switch_heads_off, args=((),), type="tertiary")
            numbers = layer_numbers(choice.model.layers)
            names = ", ".join(head_name(head, numbers) for head in sorted(ablated))
            st.text(page.data("off.names", names=names))


def _output(change: Effect, tokens: tuple[str, ...], page: Words) -> None:
    numbers = {
        "mean": float(change.relative.mean()),
        "most": float(change.relative.max()),
        "cosine": float(change.cosine.mean()),
    }
    st.markdown(page["off.output"])
    with st.container(horizontal=True, gap="large", key="off_numbers"):
        for name, value in numbers.items():
            st.metric(page[f"off.number.{name}"], significant(value), width="content")
    figure = token_bars(change.relative.numpy(), tokens=tokens, label=page["off.change"], mode=mode())
    chart(figure, key="off_output", alt=page["off.output_alt"])


def _other_heads(moved: np.ndarray, layers: list[str], about: str, page: Words) -> None:
    nats = page["unit.nats"]
    panel = Panel(name="moved", values=moved, rows="query", cols="key", scale="positive", title="JS", note=nats)
    st.markdown(page["off.others"])
    canvas(
        [[replace(panel, about=about)]],
        key="off_others",
        queries=layers,
        keys=[str(head + 1) for head in range(moved.shape[1])],
        words=renamed(page, "layer", "head") | {"masked": page["off.masked"]},
        group="off",
        summary=page["off.others_alt"],
        on_pick=_head_chosen,
    )
    st.caption(page["off.later"])


def _head_chosen(pick: Pick) -> None:
    show_head(pick.row, pick.col)


def _grid(change: Effect, ablated: frozenset[Head]) -> np.ndarray:
    """Layers × heads; NaN for those that are off, and where a layer has fewer heads than another."""
    moved = np.full((len(change.divergence), max(map(len, change.divergence))), np.nan, dtype=np.float32)
    for index, row in enumerate(change.divergence):
        moved[index, : len(row)] = row.numpy()
    for layer, head in ablated:
        moved[layer, head] = np.nan
    return moved
