"""Hard attention draws a token, soft attention averages: samples, the bound, and gradients without a derivative."""

import streamlit as st

from attention_core.sampling import BASELINES
from pages.mechanisms.hard_soft.numbers import (
    COUNTS,
    DRAWS,
    TEMPERATURES,
    View,
    arrays,
    autograd_residual,
    row_sum_residual,
    snippet,
)
from pages.mechanisms.hard_soft.pictures import (
    gradient_films,
    gradient_plots,
    gradient_sliders,
    nearest,
    sample_films,
    sample_forks,
    sample_plots,
    sample_sliders,
)
from pages.mechanisms.hard_soft.race import race
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import focus, set_focus
from ui.errors import fragment
from ui.layout import page_header, take_away, trust_line
from ui.link import recall, remember
from ui.mechanisms.head_bar import head_bar
from ui.mechanisms.untrained import Head
from ui.numbers import finite
from ui.text import Words, words

# Where the sliders stand when the link says nothing: its keys begin with hs_. Sequence 1 happens to end on the least
# likely token.
DEFAULTS = {"T": "1", "N": "64", "draw": "2", "baseline": BASELINES[1]}


def place(made: Head) -> View:
    """Where the link says everything stands, each at its nearest stop."""
    query, target = focus(len(made.tokens), len(made.tokens))
    kept = {name: recall(f"hs_{name}", default) for name, default in DEFAULTS.items()}
    T, N, draw = (finite(kept[name], float(DEFAULTS[name])) for name in ("T", "N", "draw"))
    return View(
        made,
        query,
        target,
        temperature=nearest(TEMPERATURES, T),
        count=nearest(COUNTS, N),
        draw=nearest(range(1, DRAWS + 1), draw),
        baseline=BASELINES.index(kept["baseline"]) if kept["baseline"] in BASELINES else 1,
    )


def moved(at: Positions) -> None:
    """Released sliders, of either picture: their values go into the link."""
    remember("hs_T", f"{TEMPERATURES[at['temperature']]:g}")
    remember("hs_N", str(COUNTS[at["count"]]))
    remember("hs_draw", str(at["draw"] + 1))
    if "baseline" in at:
        remember("hs_baseline", BASELINES[at["baseline"]])


@fragment
def laboratory(made: Head, page: Words) -> None:
    """Samples from the row, then the bound and its gradient."""
    view = place(made)

    def picked(pick: Pick) -> None:
        if pick.panel in {"alpha", "last", "share", "ell", "estimate"}:
            set_focus(view.query, pick.row)

    st.text(page.data("asked", query=made.tokens[view.query], target=made.tokens[view.target]))
    lab(
        sample_plots(view, page),
        key="hard_samples",
        sliders=sample_sliders(view, page),
        films=sample_films(view),
        computed=sample_forks(),
        words=words("canvas"),
        summary=page["summary_samples"],
        on_move=moved,
        on_pick=picked,
    )
    st.header(page["bound.title"], anchor="bound")
    st.markdown(page["bound.text"])
    lab(
        gradient_plots(view, page),
        key="hard_gradient",
        sliders=gradient_sliders(view, page),
        films=gradient_films(view),
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
            seed=made.seed,
            dtype="float64",
            device="cpu",
        )
        take_away("hard_soft", arrays=lambda: arrays(view), snippet=snippet(view))


page = words("hard_soft")
page_header(page)
laboratory(head_bar(page), page)
st.header(page["race.title"], anchor="race")
st.markdown(page["race.text"])
race(page)
