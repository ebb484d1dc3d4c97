"""Hard attention draws a token, soft attention averages: samples, the bound, and gradients without a derivative."""

import streamlit as st

from pages.mechanisms.hard_soft import gradient, samples
from pages.mechanisms.hard_soft.guide import GUIDE, prediction
from pages.mechanisms.hard_soft.numbers import View, arrays, autograd_residual, row_sum_residual, script
from pages.mechanisms.hard_soft.race.section import race
from pages.mechanisms.hard_soft.settings import SETTINGS, moved
from ui.components.canvas import Pick
from ui.components.lab import lab
from ui.controls import focus, set_focus
from ui.errors import fragment
from ui.guide import predict
from ui.layout import page_header, take_away, trust_line
from ui.one_head import Head, head_bar
from ui.text import Words, words

PICKED = {"alpha", "last", "share", "ell", "estimate"}  # pictures with one bar per token


@fragment
def laboratory(head: Head, page: Words) -> None:
    """Samples from the row, then the bound and its gradient."""
    query, target = focus(len(head.tokens), len(head.tokens))
    view = View(head, query, target, **{name: setting.value() for name, setting in SETTINGS.items()})

    def picked(pick: Pick) -> None:
        if pick.panel in PICKED:
            set_focus(query, pick.row)

    st.text(page.data("asked", query=head.tokens[query], target=head.tokens[target]))
    lab(
        samples.plots(view, page),
        key="hard_samples",
        sliders=samples.sliders(view, page),
        films=samples.films(view),
        computed=samples.computed(),
        words=words("canvas"),
        summary=page["summary_samples"],
        on_move=moved,
        on_pick=picked,
    )
    st.header(page["bound.title"], anchor="bound")
    st.markdown(page["bound.text"])
    lab(
        gradient.plots(view, page),
        key="hard_gradient",
        sliders=gradient.sliders(view, page),
        films=gradient.films(view),
        words=words("canvas"),
        summary=page["summary_gradient"],
        on_move=moved,
        on_pick=picked,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=row_sum_residual(view),
            residual=autograd_residual(view),
            oracle="torch.autograd",
            seed=head.seed,
            dtype="float64",
            device="cpu",
        )
        take_away("hard_soft", arrays=lambda: arrays(view), snippet=script(view))


page = words("hard_soft")
place = page_header(page, GUIDE)
head = head_bar(page)
predict(place, prediction(head), page)
laboratory(head, page)
st.header(page["race.title"], anchor="race")
st.markdown(page["race.text"])
race(page)
