"""Parameters, multiplications, depth and path of seven kinds of layer."""

import streamlit as st

from pages.mechanisms.order.costs.numbers import STOPS, arrays, script, sizes, torch_residual
from pages.mechanisms.order.costs.pictures import claim, films, plots, sliders, table
from pages.mechanisms.order.stops import released, standing, stops
from ui.components.lab import lab
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.text import Words, words

DEFAULTS = {"d": 64, "kernel": 3, "length": 10}
SLIDERS = {name: stops(f"cost_{name}", STOPS[name], default) for name, default in DEFAULTS.items()}


@fragment
def costs(page: Words) -> None:
    """The curves, then the claim and the table at the sizes the sliders name."""
    at = standing(SLIDERS)
    d, k, n = sizes(at)
    lab(
        plots(page),
        key="order_costs",
        sliders=sliders(at, page),
        films=films(),
        words=words("canvas"),
        summary=page["cost_title"],
        on_move=lambda positions: released(SLIDERS, positions),
    )
    st.markdown(claim(d, k, n, page))
    with st.container(key="table_costs"):
        st.markdown(table(d, k, n, page))
    st.caption(page["cost_note"])
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=torch_residual(d, k, n), oracle="torch.nn")
        take_away("order_costs", arrays=arrays, snippet=script(d, k, n))
