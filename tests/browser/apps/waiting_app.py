"""A page that waits for a long answer, which never comes unless somebody stops it."""

import threading

import streamlit as st

from ui.waiting import awaited

NEVER = threading.Event()


def pieces():
    """A piece a tenth of a second."""
    for _ in range(10**6):
        NEVER.wait(0.1)
        yield 0.5
    return "answer"


def fails():
    """Nothing foreseen."""
    yield 0.5
    raise RuntimeError


fault = "fails" in st.query_params
st.text(awaited(("harness", fault), fails if fault else pieces, topic="t", what="Working.") or "not yet")
