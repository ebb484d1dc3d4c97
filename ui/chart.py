"""Plotly figures on a page: all with the same one tool, which saves them."""

import streamlit as st

from ui.figures.theme import Figure
from ui.text import words

PLAIN = {"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["toImage"]]}


def chart(figure: Figure, *, key: str, alt: str) -> None:
    """The figure with a button that saves it as SVG. `key` goes into the name of the file, too."""
    file = {"format": "svg", "filename": f"headlight_{key}"}
    ours = {"dictionary": {"Download plot": words("canvas")["svg"]}}  # Plotly's name for it, in the reader's language
    config = PLAIN | {"toImageButtonOptions": file, "locale": "en-US", "locales": {"en-US": ours}}
    st.plotly_chart(figure, key=key, theme=None, config=config, alt=alt)
