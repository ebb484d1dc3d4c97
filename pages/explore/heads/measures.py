"""Every measure of every head: as points over the layers, and as a table to sort and to jump from."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from attention_core.models import Run
from attention_core.repeats import REPEATS
from pages.explore.heads.clicks import show_head
from pages.explore.heads.labels import with_unit
from pages.explore.heads.numbers import FORMULAS, MEASURED, head_measures
from ui.chart import chart
from ui.controls import Choice, choose, layer_label
from ui.figures.heads import heads_by_layer
from ui.layout import Arrays, mode
from ui.session import answer
from ui.text import Words

TABLE = "measures_table"
Rows = Sequence[dict[str, float | int]]


def section(choice: Choice, page: Words) -> Arrays:
    """The measure the reader chose, explained and drawn; then all of them."""
    run = choice.run()
    rows = measures_of(choice)
    left, right = st.columns([1, 2], gap="large")
    with left:
        name = choose("measure", MEASURED, page["measures.plot"], lambda name: page[f"measure.{name}.title"])
        st.markdown(rf"$\displaystyle {FORMULAS[name]}$")
        st.caption(page[f"measure.{name}.text"])
        if all(math.isnan(row[name]) for row in rows) and name in REPEATS:
            st.info(page["measures.no_repeats"], icon=":material/info:")
    with right:
        values = [
            np.array([row[name] for row in rows if row["layer"] == layer.index], dtype=np.float32)
            for layer in run.layers
        ]
        figure = heads_by_layer(
            values,
            names=[layer_label(layer.name) for layer in run.layers],
            chosen=(choice.layer, choice.head),
            label=with_unit(name, page),
            mode=mode(),
        )
        alt = page.data("measures.alt", measure=with_unit(name, page))
        chart(figure, key="by_layer", alt=alt)
    _table(rows, run, page)
    return lambda: {
        measure: np.array([row[measure] for row in measures_of(choice)], dtype=np.float32) for measure in MEASURED
    }


def measures_of(choice: Choice) -> Rows:
    """Every measure of every head."""
    run = choice.run()
    return answer(("head measures", choice.study), lambda: head_measures(run))


def _table(rows: Rows, run: Run, page: Words) -> None:
    st.markdown(page["measures.table"])
    names = {layer.index: layer_label(layer.name) for layer in run.layers}
    table = [
        {page["measures.layer"]: names[int(row["layer"])], page["measures.head"]: int(row["head"]) + 1}
        | {with_unit(name, page): row[name] for name in MEASURED}
        for row in rows
    ]

    def jump() -> None:
        picked = st.session_state[TABLE]["selection"]["rows"]
        if picked and picked[0] < len(rows):
            show_head(int(rows[picked[0]]["layer"]), int(rows[picked[0]]["head"]))

    st.dataframe(
        table,
        key=TABLE,
        hide_index=True,
        height=420,
        on_select=jump,
        selection_mode="single-row",
        column_config={
            with_unit(name, page): st.column_config.NumberColumn(format="%.4g", help=_help(name, page))
            for name in MEASURED
        },
    )


def _help(name: str, page: Words) -> str:
    return f"${FORMULAS[name]}$\n\n{page[f'measure.{name}.text']}"
