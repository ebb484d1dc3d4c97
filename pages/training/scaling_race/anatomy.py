"""The section about the anatomy of the gradient: of the finished race, measured by itself, in the same queue."""

from typing import Any

import streamlit as st

from attention_core.experiments.sort import ANATOMY_BATCHES, Sort
from pages.training.scaling_race.numbers import ANATOMY, Dissection, dissections, variant
from pages.training.scaling_race.pictures import label
from pages.training.scaling_race.settings import KEY
from ui.compute.runs import Run, Variant
from ui.numbers import significant
from ui.text import Words, words
from ui.training.controls import begin, current, watch
from ui.training.recorded import recorded_run

RUN = "sr_anatomy"


def section(page: Words) -> None:
    """Heading, text and table."""
    st.header(page["anatomy.title"], anchor="anatomy")
    st.markdown(page.format("anatomy.text", count=ANATOMY_BATCHES, batch=Sort().batch))
    watch(RUN, lambda run: _anatomy(run, page))


def _anatomy(run: Run[Variant, Dissection] | None, page: Words) -> None:
    raced, recording = current(KEY), recorded_run("scaling_race_anatomy", variant)
    if raced is None and recording is not None:
        st.caption(words("training")["recorded_too"])
        _table(recording, page)
        return
    if raced is None or raced.state != "ended" or not dissections(raced):
        st.caption(page["anatomy.waits"])
        return
    if st.session_state.get("sr_dissected") is not raced:
        st.session_state["sr_dissected"] = raced
        run = begin(RUN, dissections(raced))
    assert run is not None
    if run.running:
        st.progress(min(1.0, run.share), text=page["anatomy.running"])
    if run.begun:
        _table(run, page)


def _table(run: Run[Variant, Any], page: Words) -> None:
    st.dataframe(_rows(run, page), hide_index=True, height="content", column_config=_helps(page))


def _rows(run: Run[Variant, Any], page: Words) -> dict[str, list[str]]:
    """A row before and after the training of every variant."""
    records = [(name, record) for name in run.experiments for record in run.records(name)]
    rows = {
        page["anatomy.variant"]: [label(name, page) for name, _ in records],
        page["anatomy.step"]: [str(record.step) for _, record in records],
    }
    for heading, measure in ANATOMY.items():
        rows[page[f"anatomy.{heading}"]] = [significant(record.measures[measure], 3) for _, record in records]
    return rows


def _helps(page: Words) -> dict[str, Any]:
    counts = {"count": ANATOMY_BATCHES, "half": ANATOMY_BATCHES // 2}
    return {
        page[f"anatomy.{heading}"]: st.column_config.TextColumn(help=page.data(f"anatomy.{heading}_help", **counts))
        for heading in ANATOMY
    }
