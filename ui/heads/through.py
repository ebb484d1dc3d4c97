"""Rollout: what share of each token can be traced back to each input token, layer by layer."""

import numpy as np
import streamlit as st

from attention_core.models import Run
from ui import compare
from ui.components.canvas import Panel, Pick, canvas
from ui.controls import Choice, focus, set_focus
from ui.heads.shared import token_chosen
from ui.link import publish, seed
from ui.text import Words, words


def section(choice: Choice, run: Run, page: Words) -> dict[str, np.ndarray]:
    """One stack of self-attention after the other; cross-attention has no rollout."""
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        st.markdown(page["rollout.text"])
        st.latex(r"R^{(l)} = \tilde A^{(l)} R^{(l-1)} \qquad \tilde A^{(l)} = (1-r)\,\bar\alpha^{(l)} + r\,I")
        seed("residual", 50, int, range(101))
        percent = st.slider(page["rollout.residual"], 0, 100, key="residual", step=5, persist_state="session")
        publish("residual", str(percent), "50")
        st.caption(page["rollout.source"])
        if any(layer.name.stack == "cross" for layer in run.layers):
            st.info(page["rollout.cross"], icon=":material/call_split:")
    found = compare.rollouts(run, percent / 100)
    with right:
        for stack, shares in found.items():
            tokens = next(layer.queries for layer in run.layers if layer.name.stack == stack)
            # Only the stack that is looked at shares the focus of the sentence above: others may be longer or shorter.
            group = "main" if stack == run.layers[choice.layer].name.stack else f"rollout_{stack}"
            _stack(stack, shares.numpy(), tokens, group, page)
    return {f"rollout_{stack}": shares.numpy() for stack, shares in found.items()}


def _stack(stack: str, shares: np.ndarray, tokens: tuple[str, ...], group: str, page: Words) -> None:
    query, key = focus(len(tokens), len(tokens))
    st.text(page.data(f"rollout.query.{stack}", number=query + 1, token=tokens[query]))
    per_layer = Panel(
        name="layers",
        values=shares[:, query],
        rows="layer",
        cols="key",
        scale="weights",
        title=page["rollout.layers"],
        note=" × ".join(map(str, shares[:, query].shape)),
    )
    whole = Panel(
        name="whole",
        values=shares[-1],
        rows="query",
        cols="key",
        scale="weights",
        title=page["rollout.whole"],
        note=" × ".join(map(str, shares[-1].shape)),
    )
    canvas(
        [[per_layer], [whole]],
        key=f"rollout_{stack}",
        queries=tokens,
        keys=tokens,
        words=words("canvas"),
        group=group,
        focus=None if group == "main" else (query, key),
        summary=page["rollout.summary"],
        on_pick=_chosen,
    )


def _chosen(pick: Pick) -> None:
    """In the picture of the layers a row is a layer, so a click there changes the key only."""
    if pick.panel == "layers":
        set_focus(focus(10**6, 10**6)[0], pick.col)
    else:
        token_chosen(pick)
