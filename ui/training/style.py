"""How the line beside the buttons of a page about training looks."""

import streamlit as st


def progress_style(key: str) -> None:
    """Room for a bar and its sentence, so that nothing jumps when they come; digits that keep their places."""
    st.html(f"""<style>
.st-key-{key}_progress {{ min-height: 3rem; justify-content: center; }}
.st-key-{key}_progress [data-testid="stProgress"] p {{ font-variant-numeric: tabular-nums; }}
</style>""")
