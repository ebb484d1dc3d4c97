"""A panel that trains while the reader looks on: a button, progress, a stop, and whatever it draws of the records."""

import math
from collections.abc import Callable

import streamlit as st

from attention_core.experiments.base import Experiment
from ui.controls import whole_number
from ui.errors import fragment
from ui.mechanisms.training import Training
from ui.text import Words, words

TICK = 0.5  # seconds between two looks at a training run


def live(key: str, page: Words, draw: Callable[[Training | None, Words], None]) -> None:
    """Draw `draw(training, page)`, again and again while the training of this key runs."""
    training = st.session_state.get(key)
    if training is not None:
        training.look()
    running = training is not None and training.running

    def looked(page: Words) -> None:
        here = st.session_state.get(key)
        if here is not None:
            here.look()
        draw(here, page)
        if running and here is not None and not here.running:
            st.rerun()

    looked.__qualname__ = f"live.{key}"  # Streamlit knows fragments by their names
    fragment(looked, every=TICK if running else None)(page)


def controls(key: str, training: Training | None, page: Words, make: Callable[[int], dict[str, Experiment]]) -> None:
    """A seed, a button that starts or stops, and how far the training is."""
    common = words("live")
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}_controls"):
        seed = whole_number(f"{key}_seed", 0, 9999, 0, common["seed"], 120)
        if training is not None and training.running:
            st.button(common["stop"], icon=":material/stop:", on_click=training.stop, key=f"{key}_stop")
        elif st.button(common["start"], icon=":material/play_arrow:", type="primary", key=f"{key}_start"):
            st.session_state[key] = Training(make(seed))
            st.rerun()
        if training is None:
            st.caption(page[f"{key}.idle"])
        else:
            st.caption(_said(training, common))
    if training is not None and training.running:
        st.progress(min(1.0, training.share))


def _said(training: Training, common: Words) -> str:
    if training.failed:
        return common["failed"]
    steps = max((records[-1].step for name in training.experiments if (records := training.records(name))), default=0)
    if training.running and not steps:
        return common["waiting"]
    values = {"step": steps, "steps": max(each.steps for each in training.experiments.values())}
    if training.running:
        return common.format("running", left=math.ceil(training.remaining), **values)
    ended = common.format("ended", seconds=training.seconds, **values)
    lost = [common.format("diverged", step=step) for step in training.diverged.values()]
    return " ".join([ended, *lost])
