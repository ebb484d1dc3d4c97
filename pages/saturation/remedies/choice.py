"""Which remedy, the number it learns, and what is said of it."""

import re

import streamlit as st

from attention_core.remedies import Remedy
from pages.saturation.remedies.numbers import KEYS, PARAMETERS, Learned, remedies
from pages.saturation.remedies.settings import LEARNED
from ui.citing import cited
from ui.controls import choose
from ui.numbers import significant
from ui.text import Words, words


def choose_remedy(page: Words) -> tuple[str, Learned]:
    """Which remedy, the numbers that remedies learn, a slider for that of the chosen one, and what is said of it."""
    with st.container(key="remedy_choice"):
        choice, formula, verdict = st.columns([3, 4, 5], vertical_alignment="center", gap="medium")
    with choice:
        chosen = choose("remedy", KEYS, page["remedy_label"], lambda key: page[f"remedy.{key}.name"])
        learned = {key: set_by_hand(key, page, shown=key == chosen) for key in PARAMETERS}
    remedy = remedies(learned)[chosen]
    formula.latex(remedy.formula)
    verdict.markdown(about(chosen, remedy, page))
    return chosen, learned


def set_by_hand(key: str, page: Words, *, shown: bool) -> float:
    """The number this remedy learns."""
    setting, parameter = LEARNED[key], PARAMETERS[key]
    setting.seed()
    if shown:
        st.select_slider(
            page.format("parameter", letter=parameter.letter),
            parameter.stops,
            format_func=lambda value: significant(value) if value else page["g0"],
            key=setting.name,
        )
    return float(setting.value())


def about(key: str, remedy: Remedy, page: Words) -> str:
    """Where it comes from, when it helps and what it costs."""
    helps, costs = (
        re.sub(r"([dW])_(\w+)", r"$\1_{\\mathrm{\2}}$", page[f"remedy.{key}.{side}"]) for side in ("helps", "costs")
    )
    source = cited(remedy.reference, words("common", page.language)) or page["no_paper"]
    return f"**{page['helps']}** {helps}  \n**{page['costs']}** {costs}  \n{source}"
