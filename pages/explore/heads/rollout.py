"""Rollout: what share of each token can be traced back to each input token, layer by layer."""

from dataclasses import replace

import numpy as np
import streamlit as st
from jaxtyping import Float
from torch import Tensor

from attention_core.models import LayerTrace
from attention_core.models.base import CROSSING
from pages.explore.heads import numbers
from pages.explore.heads.clicks import key_chosen, token_chosen
from pages.explore.heads.labels import layer_names, renamed
from ui.components.canvas import Panel, canvas
from ui.controls import Choice, focus
from ui.layout import Arrays
from ui.session import answer
from ui.state import Setting
from ui.text import Words, words

RESIDUAL = Setting(key="residual", default=50, parse=int, clamp=int, options=range(101))  # percent


def section(choice: Choice, page: Words) -> Arrays:
    """One stack of self-attention after the other; cross-attention has no rollout."""
    run = choice.run()
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        st.markdown(page["rollout.text"])
        st.latex(r"R^{(l)} = \tilde A^{(l)} R^{(l-1)} \qquad \tilde A^{(l)} = (1-r)\,\bar\alpha^{(l)} + r\,I")
        RESIDUAL.seed()
        st.slider(page["rollout.residual"], 0, 100, key=RESIDUAL.name, step=5)
        percent = RESIDUAL.value()
        st.caption(page["rollout.source"])
        if any(layer.name.stack in CROSSING for layer in run.layers):
            st.info(page["rollout.cross"], icon=":material/call_split:")
    with right:
        for stack, shares in rollouts(choice, percent).items():
            layers = [layer for layer in run.layers if layer.name.stack == stack]
            # Only the stack that is looked at shares the focus of the sentence above: others may be longer or shorter.
            group = "main" if stack == run.layers[choice.layer].name.stack else f"rollout_{stack}"
            about = choice.about(f"{page['rollout.residual']}: {percent}")
            _stack(layers, shares.numpy(), group, about, page)
    return lambda: {f"rollout_{stack}": shares.numpy() for stack, shares in rollouts(choice, percent).items()}


def rollouts(choice: Choice, percent: int) -> dict[str, Float[Tensor, "layer n n"]]:
    """Of every stack; `percent` of each token goes past the attention."""
    run = choice.run()
    return answer(("rollout", choice.study, percent), lambda: numbers.rollouts(run, percent / 100))


def _stack(layers: list[LayerTrace], shares: np.ndarray, group: str, about: str, page: Words) -> None:
    stack, tokens = layers[0].name.stack, layers[0].queries
    query, _ = focus(len(tokens), len(tokens))
    title = page.data(f"rollout.query.{stack}", number=query + 1, token=tokens[query])
    st.text(title)
    left, right = st.columns(2, gap="medium")
    with left:
        # Its rows are layers, so it keeps its own hover: elsewhere a row is a token.
        canvas(
            [[_panel("layers", shares[:, query], page["rollout.layers"], about)]],
            key=f"rollout_{stack}_layers",
            queries=layer_names([layer.name for layer in layers]),
            keys=tokens,
            words=renamed(page, "layer"),
            group=f"rollout_{stack}_layers",
            summary=title,
            on_pick=key_chosen,
        )
    with right:
        canvas(
            [[_panel("whole", shares[-1], page["rollout.whole"], about)]],
            key=f"rollout_{stack}",
            queries=tokens,
            keys=tokens,
            words=words("canvas"),
            group=group,
            summary=page["rollout.summary"],
            on_pick=token_chosen,
        )


def _panel(name: str, shares: np.ndarray, title: str, about: str) -> Panel:
    shape = " × ".join(map(str, shares.shape))
    panel = Panel(name=name, values=shares, rows="query", cols="key", scale="weights", title=title, note=shape)
    return replace(panel, about=about)
