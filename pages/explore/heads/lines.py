"""Attention as lines between two columns of tokens: queries left, keys right, opacity = weight."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from attention_core.measures import mean_over_heads
from attention_core.models import LayerTrace
from pages.explore.heads.clicks import token_chosen
from ui.components.assets import component
from ui.components.canvas import WORDS, Pick, checked_pick, picked
from ui.components.frame import encode
from ui.controls import Choice, layer_label
from ui.layout import Arrays
from ui.text import Words, words
from ui.weights import shown_weights

_LINES = component("lines")


def section(choice: Choice, page: Words) -> Arrays:
    """The chosen head, and beside it the mean over the heads of its layer: they light up together."""
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
    masked = ~layer.allowed.any(dim=0)
    return mean_over_heads(layer.attention.weights).masked_fill(masked, float("nan")).numpy()


def lines(
    weights: np.ndarray,
    *,
    key: str,
    queries: Sequence[str],
    keys: Sequence[str],
    words: Mapping[str, str],
    group: str = "main",
    threshold: float = 0.05,
    summary: str = "",
    on_pick: Callable[[Pick], None] | None = None,
) -> Pick | None:
    """Draw weights (n_q, n_k), NaN where masked; return the token that was clicked, on the run the click caused.

    Pairs below the threshold are left out; its slider stands in the component and costs no traffic.
    """
    meta = {
        "queries": list(queries),
        "keys": list(keys),
        "words": {name: words[name] for name in WORDS},
        "group": group,
        "threshold": threshold,
        "summary": summary,
    }
    shapes = {"query": (len(queries), 1), "key": (len(keys), 1)}
    data = encode(meta, {"weights": weights.astype(np.float32, copy=False)})
    state = _LINES(key=key, data=data, on_pick_change=partial(picked, key, shapes, on_pick))
    return checked_pick(state.pick, shapes)
