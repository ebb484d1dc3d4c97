"""Heads switched off: what the output does, and what the other heads do."""

from dataclasses import replace

import numpy as np
import streamlit as st

from pages.explore.heads import compare
from pages.explore.heads.shared import layer_names, renamed, show_head
from ui.chart import chart
from ui.components.canvas import Panel, Pick, canvas
from ui.controls import Choice, switch_heads_off
from ui.figures.heads import token_bars
from ui.layout import Arrays, mode
from ui.numbers import significant
from ui.session import answer
from ui.session import run as run_of
from ui.text import Words


def section(choice: Choice, page: Words) -> Arrays:
    """Against the run with the same settings and all heads on."""
    run, ablated = choice.run(), choice.study.settings.ablated
    _switches(choice, page)
    if not ablated:
        st.info(page["off.none"], icon=":material/lightbulb:")
        return dict
    intact = run_of(replace(choice.study, settings=replace(choice.study.settings, ablated=frozenset())))
    found = answer(("effect", choice.study), lambda: compare.effect(intact, run))
    numbers = {
        "mean": float(found.relative.mean()),
        "most": float(found.relative.max()),
        "cosine": float(found.cosine.mean()),
    }
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.markdown(page["off.output"])
        with st.container(horizontal=True, gap="large", key="off_numbers"):
            for name, value in numbers.items():
                st.metric(page[f"off.number.{name}"], significant(value), width="content")
        figure = token_bars(found.relative.numpy(), tokens=run.tokens.strings, label=page["off.change"], mode=mode())
        chart(figure, key="off_output", alt=page["off.output_alt"])
    moved = _grid(found)
    with right:
        st.markdown(page["off.others"])
        for layer, head in ablated:
            moved[layer, head] = np.nan
        nats = page["unit.nats"]
        panel = Panel(name="moved", values=moved, rows="query", cols="key", scale="positive", title="JS", note=nats)
        canvas(
            [[panel]],
            key="off_others",
            queries=layer_names([layer.name for layer in run.layers]),
            keys=[str(head + 1) for head in range(moved.shape[1])],
            words=renamed(page, "layer", "head") | {"masked": page["off.masked"]},
            group="off",
            summary=page["off.others_alt"],
            on_pick=_head_chosen,
        )
        st.caption(page["off.later"])
    changes = {"output_change": found.relative.numpy(), "output_cosine": found.cosine.numpy(), "weights_change": moved}
    return lambda: changes  # a number a token and a number a head


def _switches(choice: Choice, page: Words) -> None:
    ablated, here = choice.study.settings.ablated, (choice.layer, choice.head)
    is_off = here in ablated
    named = page.data("off.names", names=", ".join(f"{layer + 1}.{head + 1}" for layer, head in sorted(ablated)))
    st.markdown(page["off.text"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            page.format("off.on" if is_off else "off.off", layer=choice.layer + 1, head=choice.head + 1),
            key="switch_head",
            on_click=switch_heads_off,
            args=(sorted(ablated ^ {here}),),
            icon=":material/toggle_on:" if is_off else ":material/toggle_off:",
        )
        if ablated:
            st.button(page["off.all_on"], key="all_on", on_click=switch_heads_off, args=((),), type="tertiary")
            st.text(named)


def _head_chosen(pick: Pick) -> None:
    show_head(pick.row, pick.col)


def _grid(found: compare.Effect) -> np.ndarray:
    """Layers × heads; NaN where a layer has fewer heads than another."""
    moved = np.full((len(found.divergence), max(map(len, found.divergence))), np.nan, dtype=np.float32)
    for index, row in enumerate(found.divergence):
        moved[index, : len(row)] = row.numpy()
    return moved
