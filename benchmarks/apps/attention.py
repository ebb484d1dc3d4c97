"""Twelve heads of 32 tokens behind one slider: torch computes, a component receives the bytes."""

import os

import streamlit as st
from streamlit.components.v2 import component

if "HEADLIGHT_STOCK" not in os.environ:
    from ui.runtime import warm_up

    warm_up()

import torch

from attention_core import attend, by

N_HEAD, N, D_K = 12, 32, 64
DRAW = """export default function ({ data, parentElement }) {
    parentElement.dataset.bytes = data.length
}
"""
heads = component("heads", html="<div></div>", js=DRAW)


@st.fragment
def drawn() -> None:
    """One rerun: the slider's value, q·k of twelve heads, their weights, their bytes."""
    scale = st.slider("scale", 0.0, 8.0, 1.0, 0.01, key="scale")
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, N_HEAD, N, D_K, generator=generator)
    trace = attend(q, k, v, scaling=by(scale))
    heads(data=trace.weights.numpy().tobytes(), key="heads")


drawn()
