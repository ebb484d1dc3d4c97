"""Starts a thread like a training's: no daemon, and busy in torch until the process ends."""

import threading

import streamlit as st
import torch


def busy():
    x = torch.randn(512, 512)
    while True:
        x = torch.softmax(x @ x, dim=-1)


if not any(thread.name == "training" for thread in threading.enumerate()):
    threading.Thread(target=busy, name="training", daemon=False).start()
st.write("training")
