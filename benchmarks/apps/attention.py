"""Twelve heads of 32 tokens behind one slider: torch computes, the canvas receives the bytes."""

import os

import streamlit as st

if "HEADLIGHT_STOCK" not in os.environ:
    from ui.runtime import warm_up

    warm_up()

import torch

from attention_core import attend, by
from ui.components.assets import library
from ui.components.canvas import Panel, canvas
from ui.text import words

N_HEAD, N, D_K = 12, 32, 64
TOKENS = [f"t{i}" for i in range(N)]


@st.fragment
def drawn() -> None:
    """One rerun: the slider's value, q·k of twelve heads, their weights, their bytes."""
    scale = st.slider("scale", 0.0, 8.0, 1.0, 0.01, key="scale")
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, N_HEAD, N, D_K, generator=generator)
    weights = attend(q, k, v, scaling=by(scale)).weights.numpy()
    heads = [
        Panel(name=f"h{h}", values=weights[h], rows="query", cols="key", scale="weights", title=f"{h + 1}")
        for h in range(N_HEAD)
    ]
    canvas([heads], key="heads", queries=TOKENS, keys=TOKENS, words=words("canvas"))


drawn()
library()
