"""A window that slides over the sentence: D and p_t under the finger, and the gradient that moves p_t."""

import streamlit as st

from pages.mechanisms.local.guide import GUIDE, prediction
from pages.mechanisms.local.numbers import (
    MAPPED,
    View,
    arrays,
    centers,
    monotonic_residual,
    radii,
    row_sum_residual,
    script,
    sdpa_residual,
)
from pages.mechanisms.local.pictures import computed, films, plots, sliders
from pages.mechanisms.local.settings import CENTER, KIND, RADIUS
from pages.mechanisms.local.training.section import training
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import focus, set_focus
from ui.errors import fragment
from ui.guide import predict
from ui.layout import agreement, page_header, take_away, trust_line
from ui.numbers import nearest
from ui.one_head import Head, head_bar
from ui.text import Words, words


def standing(head: Head, page: Words) -> View:
    """Where the link says D and p_t stand, each at its nearest stop; a sentence where that lies outside the text."""
    n = len(head.tokens)
    query, target = focus(n, n)
    radius, center = RADIUS.value(), CENTER.value()
    center = float(query) if center is None else center
    if radius > n:
        st.caption(page.format("too_wide", D=radius, n=n))
    if not 0 <= center <= n - 1:
        st.caption(page.format("outside", p=center + 1, last=n))
    stops, places = radii(n), centers(n)
    return View(head, query, target, stops[nearest(stops, radius)], places[nearest(places, center)])


def moved(view: View, at: Positions) -> None:
    """Released sliders: their values go into the link. p_t follows the query until it is moved itself."""
    center = centers(view.n)[at["center"]]
    RADIUS.put(float(radii(view.n)[at["radius"]]))
    if center != view.center:
        CENTER.put(center)
    KIND.put(MAPPED[at["kind"]])


def picked(view: View, pick: Pick) -> None:
    """A cell of the map, a bar of the row (the key the loss asks for), a bar of the predictions (a query)."""
    match pick.panel:
        case "map":
            set_focus(pick.row, pick.col)
        case "row":
            set_focus(view.query, pick.row)
        case "predicted":
            set_focus(pick.row, view.target)


@fragment
def laboratory(head: Head, page: Words) -> None:
    """Everything that follows the sliders, and what they leave behind when released."""
    view = standing(head, page)
    st.text(page.data("asked", query=head.tokens[view.query], target=head.tokens[view.target]))
    pictures = st.container(key="pictures")
    st.caption(page.data("same", apart=agreement(monotonic_residual(view))))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            first=page.format("rows", value=row_sum_residual(view), sum=view.row_sum),
            residual=sdpa_residual(view),
            oracle="torch SDPA",
            seed=head.seed,
            dtype="float64",
            device="cpu",
        )
        take_away("local", arrays=lambda: arrays(view), snippet=script(view))
    # What is written comes first. The pictures have followed the slider already.
    with pictures:
        lab(
            plots(view, page),
            key="local",
            sliders=sliders(view, KIND.value(), page),
            films=films(view),
            computed=computed(),
            words=words("canvas"),
            summary=page["summary"],
            on_move=lambda at: moved(view, at),
            on_pick=lambda pick: picked(view, pick),
        )


page = words("local")
place = page_header(page, GUIDE)
head = head_bar(page)
predict(place, prediction(head), page)
laboratory(head, page)
st.header(page["align.title"], anchor="alignment")
st.markdown(page["align.text"])
training(page)
