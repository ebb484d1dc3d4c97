"""A panel that trains while the reader looks on: a seed, buttons, how far it is, and what it draws of the records."""

from collections.abc import Callable

import streamlit as st

from attention_core.experiments.base import Experiment
from ui.compute.runs import Run
from ui.controls import whole_number
from ui.text import Words, words
from ui.training import panel


def live(
    key: str,
    page: Words,
    make: Callable[[int], dict[str, Experiment]],
    label: Callable[[str], str],
    draw: Callable[[Run, Words], None],
) -> None:
    """The experiments of `make(seed)`; once there are records, `draw(run, page)`, again and again while they train.

    `label` names an experiment. The page says under `{key}.idle` what to expect before the first run.
    """
    common = words("training")
    panel.style()
    with st.container(key=f"{key}_settings"):
        seed = whole_number(f"{key}_seed", 0, 9999, 0, common["seed"], 120)
    panel.arrive(key, lambda: make(seed))

    def drawn(run: Run | None) -> None:
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_controls"):
            panel.controls(key, lambda: make(seed))
            with st.container(key=f"{key}_progress", width="stretch"):
                if run is None:
                    st.caption(page[f"{key}.idle"])
                else:
                    panel.progress(key, label)
                panel.stale(key, make(seed))
        if run is not None and any(run.records(name) for name in run.experiments):
            draw(run, page)

    panel.live(key, drawn)
