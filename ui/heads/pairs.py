"""Attention as lines: the chosen head, and beside it the mean over the heads of its layer."""

import numpy as np
import streamlit as st

from attention_core.measures import mean_over_heads
from attention_core.models import Run
from ui.components.lines import lines
from ui.controls import Choice, layer_label
from ui.heads.shared import shown_weights, token_chosen
from ui.text import Words, words


def section(choice: Choice, run: Run, page: Words) -> dict[str, np.ndarray]:
    """Two line views that light up together."""
    layer = run.layers[choice.layer]
    masked = layer.attention.masked_scores.isneginf().all(dim=0)
    mean = mean_over_heads(layer.attention.weights).masked_fill(masked, float("nan")).numpy()
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
    return {"mean": mean}
