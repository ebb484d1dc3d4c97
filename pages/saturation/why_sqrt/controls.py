"""The controls of the page on √d_k: what is assumed, d_k, and the seed of the draw."""

from typing import TypeVar

import streamlit as st

from attention_core import variance
from attention_core.variance import Assumptions
from pages.saturation.why_sqrt.settings import CORRELATION, D_K, MEAN, SEED, SEEDS
from ui.controls import choose, whole_number
from ui.numbers import significant
from ui.state import Setting
from ui.text import Words

N = TypeVar("N", int, float)


def slider(setting: Setting[N], label: str, help: str | None = None) -> N:
    """A slider over the options of a setting."""
    setting.seed()
    st.select_slider(
        label, setting.choices(), key=setting.name, format_func=lambda stop: significant(float(stop)), help=help
    )
    return setting.value()


def draw_again() -> None:
    """The next seed. A callback: it may change the widget."""
    st.session_state[SEED] = (st.session_state[SEED] + 1) % SEEDS


def controls(page: Words) -> tuple[Assumptions, int, int]:
    """What is assumed, d_k and the seed."""
    d_k = slider(D_K, page["control.d_k"])
    mean = slider(MEAN, page["control.mean"])
    correlation = slider(CORRELATION, page["control.correlation"], page["control.correlation_help"])
    distribution = choose(
        "mc_distribution",
        tuple(variance.EVEN_MOMENTS),
        page["control.distribution"],
        lambda name: page.data(f"distributions.{name}", degrees=variance.DEGREES),
    )
    initialisation = choose(
        "mc_init",
        tuple(variance.COMPONENT_VARIANCE),
        page["control.initialisation"],
        lambda name: page[f"initialisations.{name}"],
        page["control.initialisation_help"],
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = whole_number(SEED, 0, SEEDS - 1, 0, page["control.seed"], 130)
        st.button(page["control.again"], icon=":material/casino:", on_click=draw_again, key="again")
    assumed = Assumptions(distribution=distribution, mean=mean, correlation=correlation, initialisation=initialisation)
    return assumed, d_k, seed
