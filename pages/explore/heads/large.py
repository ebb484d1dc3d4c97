"""What is drawn large: the chosen head, its whole layer, the mean of its heads, or weights times what they carry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from attention_core.measures import mean_over_heads, sink_share
from attention_core.models import LayerTrace
from pages.explore.heads.clicks import show_head, token_chosen
from pages.explore.heads.numbers import value_norms
from ui.components.canvas import Live, Panel, Pick, Shown, canvas, overview_codes
from ui.controls import TEMPERATURES, Choice, layer_label, set_temperature, temperature
from ui.layout import Arrays
from ui.text import Words, words
from ui.weights import all_weights, live_panel, weights_panel

LIVE_TOKENS = 128  # above it, the heads of a layer together are more than a browser repaints within a frame
ACROSS = 4
RESTS = 0.3  # of the weight of its rows on the first token, from which on its column is what one sees first


def large(choice: Choice, layer: LayerTrace, show: str, shown: Shown, page: Words) -> Arrays:
    """The chosen head, or all of its layer, or another view of it; a click on a head of a layer chooses it."""
    if show == "all":
        _whole_layer(choice, layer, page)
        return dict
    if show != "head":
        st.caption(page.format(f"large.{show}", layer=choice.number, count=layer.name.n_head))
    canvas(
        [[replace(_panel(layer, choice.head, show), about=_about(choice, layer, show, page))]],
        key=f"large_{show}",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        live=_live(layer, page) if show == "head" else None,
        shown=shown if show == "head" else None,
        summary=_summary(choice, layer, page),
        on_pick=token_chosen,
        on_temperature=set_temperature,
    )
    return partial(_arrays, choice, show)


def _about(choice: Choice, layer: LayerTrace, show: str, page: Words) -> str:
    """The mean is that of a layer, all else of the chosen head."""
    return choice.about(f"{layer_label(layer.name)}, {page['shows.mean']}") if show == "mean" else ""


def resting(layer: LayerTrace, head: int, show: str, page: Words) -> None:
    """Why the first column is strong, where it is, in what `large` shows."""
    shares = sink_share(layer.attention.weights, (0,))
    if show != "norm" and float(shares[head] if show == "head" else shares.nanmean()) >= RESTS:
        st.caption(page.format("large.resting", token=layer.keys[0]))


def _arrays(choice: Choice, show: str) -> dict[str, np.ndarray]:
    """What is drawn beyond weights, to take away."""
    if show == "head":
        return {}
    return {show: _panel(choice.run().layers[choice.layer], choice.head, show).values}


def _panel(layer: LayerTrace, head: int, show: str) -> Panel:
    if show == "head":
        return live_panel(layer, head)
    masked = ~layer.allowed
    if show == "mean":
        mean = mean_over_heads(layer.attention.weights)
        return weights_panel("mean", mean.masked_fill(masked.all(dim=0), float("nan")), "weights", "ᾱ")
    norms = value_norms(layer, slice(head, head + 1))[0]
    title = "‖α v‖" if layer.projections.W_O is None else "‖α v W_O‖"
    return weights_panel("norm", norms.masked_fill(masked[head], float("nan")), "positive", title)


def _whole_layer(choice: Choice, layer: LayerTrace, page: Words) -> None:
    too_long = max(len(layer.queries), len(layer.keys)) > LIVE_TOKENS
    if too_long:
        st.caption(page.format("large.too_long", limit=LIVE_TOKENS))
    heads = _heads(layer, too_long, page)
    canvas(
        [heads[start : start + ACROSS] for start in range(0, len(heads), ACROSS)],
        key="large_all",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        live=None if too_long else _live(layer, page),
        layout="grid",
        row_titles=_row_titles(len(heads)),
        summary=f"{layer_label(layer.name)}: {page['shows.all']}",
        on_pick=partial(_chosen, choice.layer, {panel.name: head for head, panel in enumerate(heads)}),
        on_temperature=set_temperature,
    )


def _heads(layer: LayerTrace, pooled: bool, page: Words) -> list[Panel]:
    name = layer_label(layer.name)
    panels = [
        replace(
            live_panel(layer, head),
            name=f"h{head}",
            title=page.data("overview.head", layer=name, head=head + 1),
            head=(layer.index, head),
            corner=str(head + 1),
        )
        for head in range(layer.name.n_head)
    ]
    if not pooled:
        return panels
    codes = overview_codes(all_weights(layer), LIVE_TOKENS)
    return [replace(panel, values=code, live=False) for panel, code in zip(panels, codes, strict=True)]


def _live(layer: LayerTrace, page: Words) -> Live | None:
    return Live(temperature(), TEMPERATURES, page["temperature"]) if layer.settings.normalizer == "softmax" else None


def _row_titles(n_head: int) -> Sequence[str]:
    ends = [(first, min(first + ACROSS - 1, n_head)) for first in range(1, n_head + 1, ACROSS)]
    return [str(first) if first == last else f"{first} – {last}" for first, last in ends]


def _summary(choice: Choice, layer: LayerTrace, page: Words) -> str:
    return page.data("large.summary", layer=layer_label(layer.name), head=choice.head + 1)


def _chosen(layer: int, heads: Mapping[str, int], pick: Pick) -> None:
    show_head(layer, heads[pick.panel])
