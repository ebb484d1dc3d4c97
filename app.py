"""Headlight: every step of multi-head attention, on your sentence. Start it with `make run`."""

import streamlit as st

from ui.errors import guarded
from ui.navigation import navigation
from ui.runtime import warm_up

st.set_page_config(page_icon="assets/icon.svg", layout="wide")
st.logo("assets/icon.svg")
page = navigation()

with guarded():
    warm_up()
    page.run()
