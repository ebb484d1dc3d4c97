"""The section about several series: the same models trained on each, in one batch."""

from dataclasses import replace

import streamlit as st

from attention_core.experiments.series import Series
from pages.training.time_series.numbers import SLOW, WORLDS, OnWorld, many, on_world, shared
from pages.training.time_series.results import over_series
from pages.training.time_series.settings import MANY, QUICK
from pages.training.time_series.world import World, look
from ui.compute.runs import Run
from ui.session import answer
from ui.text import Words
from ui.training.controls import buttons, go, several, watch
from ui.training.progress import progress, recorded, stale
from ui.training.recorded import recorded_run


def section(of: Series, page: Words) -> None:
    """Heading, text, the batch and its table."""
    st.header(page["many.title"], anchor="many")
    st.markdown(page.format("many.text", count=WORLDS))
    recording = recorded_run("time_series_many", on_world)
    alike = recording is not None and recording.experiments == many(of, QUICK)
    watch(MANY, lambda run: _batch(run, of, page), recording if alike else None)


def world_of(config: Series) -> World:
    """A series and its parts, kept for everybody."""
    return answer(("time series", config), lambda: look(config))


def label(name: OnWorld, page: Words) -> str:
    """What a variant of the batch is called."""
    return page.data("many.variant", model=page[f"model.{name.model}"], world=str(name.world))


def _batch(run: Run[OnWorld, Series] | None, of: Series, page: Words) -> None:
    models = several("ts_many_models", SLOW, QUICK, page["models"], lambda model: page[f"model.{model}"])
    wanted = many(of, models)
    asked = bool(go(MANY).value())
    with st.container(horizontal=True, vertical_alignment="bottom", key="ts_many_buttons"):
        own = run is None or run.origin is None
        buttons(MANY, wanted, in_turns=False, start="start_batch" if own else "train_yourself_batch")
    if run is None:
        st.caption(page["many.empty"])
    elif run.origin is not None:
        recorded(run)
    else:
        progress(run, lambda name: label(name, page))
    stale(run, wanted, asked=asked)
    if run is not None:
        _table(run, page)


def _table(run: Run[OnWorld, Series], page: Words) -> None:
    first = next(iter(run.experiments.values()))
    alike = [replace(shared(first), world=world) for world in range(WORLDS)]
    naive = {config.world: world_of(config).naive_error[0] for config in alike}
    st.dataframe(over_series(run, naive, page), hide_index=True, height="content")
    st.caption(page["many.unit"])
