"""The sections about the parts of the series, and about what its change points are good for."""

import streamlit as st

from attention_core.experiments.decomposition import KERNEL
from pages.training.time_series.parts_figure import parts_figure
from pages.training.time_series.results import says_lines
from pages.training.time_series.world import World, lines, near, thinned
from ui.chart import chart
from ui.layout import mode
from ui.numbers import significant
from ui.session import answer
from ui.text import Words


def section(world: World, page: Words) -> None:
    """The series and its parts."""
    st.header(page["parts.title"], anchor="parts")
    if world.period > 1:
        st.markdown(page.format("parts.text", period=world.period))
    else:
        st.markdown(page.format("parts.text_plain", past=world.config.past, kernel=KERNEL))
    _chart(world, page)
    count = len(world.changes)
    if world.config.values:
        st.caption(page.format("parts.found", found=count))
    else:
        hits, within = near(world)
        counts = {"drawn": len(world.built), "near": hits, "within": within}
        st.caption(page.format("parts.found_made", found=count, **counts))
    _lines(world, page)


def _chart(world: World, page: Words) -> None:
    parts = {"values": world.values, "season": world.parts.season.numpy(), "rest": world.parts.rest.numpy()}
    if world.period == 1:
        del parts["season"]
    figure = parts_figure(
        {name: thinned(values) for name, values in parts.items()},
        thinned(world.parts.trend.numpy()),
        mode(),
        titles={name: page[f"parts.{name}"] for name in parts},
        trend_title=page["parts.trend"],
        changes=world.changes,
        built=world.built,
        cut=world.cut,
        last=len(world.values) - 1,
        learned=page["parts.learned"],
        tested=page["parts.tested"],
    )
    chart(figure, key="ts_parts", alt=page.data("parts.alt", found=len(world.changes)))


def _lines(world: World, page: Words) -> None:
    """Errors of straight lines through several parts of the history."""
    st.header(page["lines.title"], anchor="lines")
    errors = answer(("time series, lines", world.config), lambda: lines(world))
    st.markdown(page.format("lines.text", origins=errors.origins))
    names = ("whole", "since", "last", "naive")
    rows = {
        page["lines.part"]: [page.data(f"lines.{name}", count=world.config.past) for name in names],
        page["lines.error"]: [significant(getattr(errors, name), 3) for name in names],
    }
    st.dataframe(rows, hide_index=True, height="content", width=520)
    values = {"whole": float(f"{errors.whole:.3g}"), "since": float(f"{errors.since:.3g}")}
    st.markdown(page.format(says_lines(errors), **values))
