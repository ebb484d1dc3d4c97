"""Fails in the ways a page can, each time with what the visitor typed in the exception's text."""

import logging
import threading
import warnings

import streamlit as st

from ui.errors import guarded

typed = st.text_input("sentence", key="sentence")
if typed:
    logging.getLogger("some.library").warning(f"cannot read {typed}")
    logging.getLogger("some.library").error("cannot read %s", typed)
    warnings.warn(f"cannot read {typed}", stacklevel=1)
    threading.Thread(target=int, args=(typed,)).start()
    with guarded():
        raise ValueError(f"cannot read {typed}")
    try:
        raise KeyError(typed)
    except KeyError as error:
        raise RuntimeError(f"nobody caught {typed}") from error
