"""A window that slides over the sentence: D and p_t under the finger, and the gradient that moves p_t."""

import streamlit as st

from pages.mechanisms.local.pictures import (
    KINDS,
    View,
    arrays,
    centers,
    films,
    forks,
    monotonic_residual,
    plots,
    radii,
    row_sum_residual,
    sdpa_residual,
    sliders,
    snippet,
)
from pages.mechanisms.local.training import training_panel
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import focus, set_focus
from ui.errors import fragment
from ui.layout import agreement, page_header, take_away, trust_line
from ui.link import recall, remember
from ui.mechanisms.head_bar import head_bar
from ui.mechanisms.untrained import Head
from ui.numbers import finite
from ui.text import Words, words

RADIUS = "3"
OWN = "t"  # p_t stands on the query itself


def place(n: int, query: int, page: Words) -> tuple[int, float]:
    """Where the link says D and p_t stand, each at its nearest stop; a sentence where that lies outside the text."""
    wanted = finite(recall("lo_D", RADIUS), float(RADIUS))
    spelled = recall("lo_p", OWN)
    center = float(query) if spelled == OWN else finite(spelled, float(query))
    if wanted > n:
        st.caption(page.format("too_wide", D=wanted, n=n))
    if not 0 <= center <= n - 1:
        st.caption(page.format("outside", p=center + 1, last=n))
    return (
        min(radii(n), key=lambda radius: abs(radius - wanted)),
        min(centers(n), key=lambda stop: abs(stop - center)),
    )


@fragment
def laboratory(made: Head, page: Words) -> None:
    """Everything that follows the sliders, and what they leave behind when released."""
    n = len(made.tokens)
    query, target = focus(n, n)
    radius, center = place(n, query, page)
    view = View(made, query, target, radius, center)
    kind = recall("lo_kind", KINDS[0])

    def moved(at: Positions) -> None:
        remember("lo_D", str(radii(n)[at["radius"]]))
        if centers(n)[at["center"]] != center:
            remember("lo_p", f"{centers(n)[at['center']]:g}")
        remember("lo_kind", KINDS[at["kind"]])

    def picked(pick: Pick) -> None:
        if pick.panel == "map":
            set_focus(pick.row, pick.col)
        elif pick.panel == "row":
            set_focus(query, pick.row)
        elif pick.panel == "predicted":
            set_focus(pick.row, target)

    st.text(page.data("asked", query=made.tokens[query], target=made.tokens[target]))
    pictures = st.container(key="pictures")
    st.caption(page.data("same", apart=agreement(monotonic_residual(view))))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            first=page.format("rows", value=row_sum_residual(view), sum=view.row_sum),
            residual=sdpa_residual(view),
            oracle="torch SDPA",
            seed=made.seed,
            dtype="float64",
            device="cpu",
        )
        take_away("local", arrays=lambda: arrays(view), snippet=snippet(view))
    # What is written comes first. The pictures have followed the slider already.
    with pictures:
        lab(
            plots(view, page),
            key="local",
            sliders=sliders(view, kind if kind in KINDS else KINDS[0], page),
            films=films(view),
            computed=forks(),
            words=words("canvas"),
            summary=page["summary"],
            on_move=moved,
            on_pick=picked,
        )


page = words("local")
page_header(page)
laboratory(head_bar(page), page)
st.header(page["align.title"], anchor="alignment")
st.markdown(page["align.text"])
training_panel(page)
