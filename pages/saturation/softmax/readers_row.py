"""The reader's own row: bars to pull, the derivative line by line, and three ways to the same Jacobian."""

from functools import partial
from pathlib import Path

import streamlit as st

from pages.saturation.softmax import numbers, settings
from pages.saturation.softmax.derivative import cases
from pages.saturation.softmax.pictures import check, row
from pages.saturation.softmax.settings import Cell, Scores
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import whole_number
from ui.errors import fragment
from ui.layout import take_away, trust_line
from ui.scripts import filled
from ui.text import Words, words


def use(name: str) -> None:
    """Take one of the prepared rows."""
    scores, shift = settings.PRESETS[name]
    st.session_state[settings.COUNT] = len(scores)
    settings.SCORES.put(scores)
    settings.SHIFT.put(shift)
    settings.BETA.put(settings.BETA.default)


@fragment
def section(page: Words) -> None:
    """Bars to pull, and everything that follows from them."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="presets"):
        n = whole_number(settings.COUNT, numbers.LEAST, numbers.MOST, 3, page["count"], 150)
        for name in settings.PRESETS:
            st.button(page[f"preset.{name}"], key=f"preset_{name}", on_click=partial(use, name))
    x, beta, shift, cell = settings.scores_of(n), settings.BETA.value(), settings.SHIFT.value(), settings.cell_of(n)
    bars(x, beta, shift, cell, page)
    st.markdown(page["differences"])
    derivative(x, beta, shift, cell, page)
    residual = three_ways(x, beta, page)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(residual=residual, oracle="torch.autograd", dtype="float64", device="cpu")
        take_away(
            "softmax",
            arrays=lambda: numbers.arrays(x, beta, shift),
            snippet=filled(Path(__file__).with_name("script.py"), scores=list(x), beta=beta, c=shift),
        )


def bars(x: Scores, beta: float, shift: float, cell: Cell, page: Words) -> None:
    """The laboratory of the reader's row."""

    def moved(at: Positions) -> None:
        settings.BETA.put(numbers.BETAS[at["beta"]])
        settings.SHIFT.put(numbers.SHIFTS[at["shift"]])

    def edited(panel: str, values: list[float]) -> None:
        settings.SCORES.put(tuple(map(numbers.stepped, values)))

    def picked(pick: Pick) -> None:
        if pick.panel == "jacobian":
            settings.CELL.put((pick.row, pick.col))
        elif pick.panel == "p":
            settings.CELL.put((pick.row, cell[1]))

    measured = numbers.row_measures(x)
    lab(
        row.plots(measured, len(x), cell[0], page),
        key="softmax_row",
        sliders=row.sliders(beta, shift, page),
        films=row.films(x, measured),
        computed=row.computed(len(x)),
        words=words("canvas"),
        summary=page["summary_row"],
        on_move=moved,
        on_edit=edited,
        on_pick=picked,
    )


def derivative(x: Scores, beta: float, shift: float, cell: Cell, page: Words) -> None:
    """Two cases, each line with the reader's numbers."""
    st.subheader(page["derivative.title"], anchor=False)
    st.markdown(page["derivative.intro"])
    i, j = cell
    j = j if i != j else (i + 1) % len(x)  # a cell on the diagonal was chosen: beside it stands its neighbour
    both = zip(("same", "other"), st.container(key="derivative").columns(2), cases(x, beta, shift, (i, j)), strict=True)
    for name, column, case in both:
        with column:
            st.markdown(page.format(f"derivative.{name}", i=i + 1, j=j + 1))
            st.latex(case.general)
            st.latex(case.numbers)
    st.markdown(page["derivative.together"])


def three_ways(x: Scores, beta: float, page: Words) -> float:
    """Formula, autograd, finite differences; returns how far the first two are apart, at most."""
    st.subheader(page["check.title"], anchor=False)
    st.markdown(page["check.intro"])
    three = numbers.jacobians(x, beta)
    lab(
        check.plots(len(x), page),
        key="softmax_check",
        sliders=check.sliders(settings.H.value(), page),
        films=check.films(three),
        words=words("canvas"),
        summary=page["summary_check"],
        on_move=lambda at: settings.H.put(numbers.H_STOPS[at["h"]]),
    )
    return three.residual
