"""Present mode: for a room, larger type and controls in few lines; the rest of the page stays as it is."""

from pathlib import Path

import streamlit as st

from ui.state import Setting
from ui.text import Words

STYLE = (Path(__file__).parents[1] / "assets" / "present.css").read_text(encoding="utf-8")
PRESENT = Setting(key="present", default="0", parse=str, options=("0", "1"), widget="presenting")
SHORTCUT = "Alt+P"


def present_switch(common: Words) -> None:
    """The button that begins it and ends it; so does a key, and a link can say it."""
    on = PRESENT.value() == "1"
    if on:
        st.html(f"<style>{STYLE}</style>")
    st.button(
        common["present.end" if on else "present.begin"],
        icon=":material/close_fullscreen:" if on else ":material/present_to_all:",
        type="tertiary",
        help=common["present.help"],
        shortcut=SHORTCUT,
        on_click=PRESENT.put,
        args=("0" if on else "1",),
        key="present_button",
    )
