"""The dock: beside the page on a wide screen, a sheet below it on a narrow one. The browser opens and closes it."""

from functools import partial
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.guide.kinds import Guide
from ui.navigation import link_to
from ui.state import go
from ui.text import Words

STYLE = (Path(__file__).parents[2] / "assets" / "guide.css").read_text(encoding="utf-8")
CONTROLS = 'type="button" aria-controls="guide"'


def toggle(common: Words) -> None:
    """The button that opens the dock, and closes it."""
    icon = '<span class="guide-icon" aria-hidden="true" translate="no">menu_book</span>'
    label = escape(common["header.guide"])
    st.html(f'<button class="guide-toggle" {CONTROLS} aria-expanded="false">{icon}{label}</button>', width="content")


def dock(guide: Guide, page: Words, common: Words) -> DeltaGenerator:
    """The guide of a page. Its words, Markdown: `see`, `try` (a list), `limits`. Returns where its prediction goes."""
    title, close = escape(common["header.guide"]), escape(common["header.close"])
    st.html(f"<style>{STYLE}</style>")
    with st.container(key="guide_dock", gap="small"):
        st.html(
            f'<div class="guide-head"><h2 id="guide">{title}</h2>'
            f'<button class="guide-close" {CONTROLS} aria-label="{close}">×</button></div>'
        )
        st.markdown(page["see"])
        place = st.container(key="guide_predict", gap="xsmall")
        _tries(guide, page, common)
        st.markdown(f"**{common['header.limits']}**\n\n{page['limits']}")
        for name in guide.pages:
            link_to(name, common.data("header.page", page=common[f"page.{name}.title"]))
    return place


def _tries(guide: Guide, page: Words, common: Words) -> None:
    """One button for each thing to try: it sets the state it speaks of."""
    with st.container(key="guide_tries", gap="xsmall"):
        st.markdown(f"**{common['header.try']}**")
        for number, (state, words) in enumerate(zip(guide.tries, page.many("try"), strict=True), start=1):
            st.button(words, key=f"try_{number}", on_click=partial(go, state), width="stretch")
