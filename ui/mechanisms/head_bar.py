"""The bar of the pages that look at one query of an untrained head: sentence, head, seed."""

import streamlit as st

from ui.controls import sentence_bar, whole_number
from ui.mechanisms.untrained import MAX_TOKENS, N_HEAD, Head, head
from ui.text import Words


def head_bar(page: Words) -> Head:
    """The reader's sentence, of two tokens at least, as the chosen head of the layer of the chosen seed reads it."""
    text, tokens, (number, seed) = sentence_bar(lambda: _chosen(page), least=2)
    if len(tokens) > MAX_TOKENS:
        st.caption(page.format("shortened", shown=MAX_TOKENS, all=len(tokens)))
    return head(text, number, seed)


def _chosen(page: Words) -> tuple[int, int]:
    number = whole_number("mechanism_head", 1, N_HEAD, 1, page["head"], 100) - 1
    return number, whole_number("seed", 0, 9999, 0, page["seed"], 110)
