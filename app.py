"""Headlight: every step of multi-head attention, on your sentence. Start it with `make run`."""

import streamlit as st

from ui.components.assets import library, reader
from ui.errors import guarded
from ui.navigation import address_of, navigation, onward, tab_title
from ui.runtime import warm_up
from ui.server.guards import protect

SKELETON_HEIGHT = 640  # pixels; only the first visitor after a start sees it

protect(find=address_of)
st.set_page_config(page_icon="assets/icon.svg", layout="wide")
st.logo("assets/logo.svg")
page = navigation()
st.set_page_config(page_title=tab_title(page))

with guarded():
    with st.skeleton(height=SKELETON_HEIGHT):
        from ui.lessons.bar import lesson_bar
        from ui.session import embedded, prepare_examples  # imports torch, so it waits until the menu stands

        warm_up(embedded, prepare_examples)
    library()
    reader()
    with guarded():
        lesson_bar(page)
    page.run()
with guarded():
    onward(page)
