"""A title, until the page is written."""

import streamlit as st

from ui.text import words

st.title(words("common")["page.heads.title"])
