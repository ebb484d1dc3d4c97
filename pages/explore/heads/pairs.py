"""Attention as lines: the chosen head, and beside it the mean over the heads of its layer."""

import numpy as np
import streamlit as st

from attention_core.measures import mean_over_heads
from attention_core.models import LayerTrace
from pages.explore.heads.lines import lines
from pages.explore.heads.shared import shown_weights, token_chosen
from ui.controls import Choice, layer_label
from ui.layout import Arrays
from ui.text import Words, words


def section(choice: Choice, page: Words) -> Arrays:
    """Two line views that light up together."""
    layer = choice.run().layers[choice.layer]
    mean = mean_weights(layer)
    name = layer_label(layer.name)
    st.caption(page["lines.text"])
    views = (
        ("lines", shown_weights(layer, choice.head), page.data("lines.head", layer=name, head=choice.head + 1)),
        ("lines_mean", mean, page.data("lines.mean", layer=name, count=layer.name.n_head)),
    )
    for column, (key, weights, title) in zip(st.columns(2, gap="large"), views, strict=True):
        with column:
            st.markdown(f"**{title}**")
            lines(
                weights,
                key=key,
                queries=layer.queries,
                keys=layer.keys,
                words=words("canvas"),
                summary=title,
                on_pick=token_chosen,
            )
    return lambda: {"mean": mean_weights(choice.run().layers[choice.layer])}


def mean_weights(layer: LayerTrace) -> np.ndarray:
    """The mean over the heads of a layer, NaN where all of them are masked."""
    masked = layer.attention.masked_scores.isneginf().all(dim=0)
    return mean_over_heads(layer.attention.weights).masked_fill(masked, float("nan")).numpy()
