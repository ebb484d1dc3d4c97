"""The cell that explains itself: a place in a panel. Its tokens are those in focus."""

import re
from dataclasses import dataclass

import streamlit as st

from attention_core.models import LayerTrace
from pages.explore.pipeline.stages import AXES, panel_shapes
from ui.components.canvas import Pick
from ui.errors import run_again
from ui.focus import focus, look
from ui.state import Setting

MARGIN, EVIDENCE = FOLLOW = ("pipeline_margin", "pipeline_evidence")  # the fragments that a click runs


@dataclass(frozen=True, slots=True)
class Cell:
    """A panel, a row and a column, from 0."""

    panel: str
    row: int
    col: int


def _cell(spelling: str) -> Cell:
    parts = re.fullmatch(r"(\w+),(\d{1,6}),(\d{1,6})", spelling, re.ASCII)
    if parts is None or parts[1] not in AXES:
        raise ValueError(f"{spelling!r} is no cell")
    return Cell(parts[1], int(parts[2]), int(parts[3]))


CELL = Setting(
    key="cell",
    default=Cell("weights", 0, 0),
    parse=_cell,
    spell=lambda cell: f"{cell.panel},{cell.row},{cell.col}",
)


READ = "pipeline_read"  # in the session: the panels of the stage that the reader has scrolled to, and the cell then


def read(panels: tuple[str, ...]) -> None:
    """The reader has scrolled to a stage: of these panels the first is explained, unless a cell of one is picked."""
    st.session_state[READ] = panels, CELL.peek()
    run_again(MARGIN)


def picked(pick: Pick) -> None:
    """A click sets the tokens in focus and, in a matrix, the cell to explain."""
    if pick.panel in ("query", "key"):  # a token of the sentence
        query, key = (pick.row, None) if pick.panel == "query" else (None, pick.row)
        look(query=query, key=key)
    else:
        tokens = dict(zip(AXES[pick.panel], (pick.row, pick.col), strict=True))
        look(query=tokens.get("query"), key=tokens.get("key"))
        CELL.put(Cell(pick.panel, pick.row, pick.col))
        st.session_state.pop(READ, None)
    run_again(*FOLLOW)  # the canvases have moved their focus already


def cell_of(layer: LayerTrace) -> Cell:
    """The cell to explain, inside the panel it names; in the weights where this layer has no such panel.

    The picked one, as long as its stage is read; else what the stage that is read comes to, at the tokens in focus.
    """
    query, key = focus(len(layer.queries), len(layer.keys))
    shapes, chosen = panel_shapes(layer), CELL.value()
    stage, before = st.session_state.get(READ, ((), None))
    if stage and chosen == before and chosen.panel not in stage:  # no link and no guide has chosen another since
        chosen = Cell(stage[0], 0, 0)
    if chosen.panel not in shapes:
        chosen = CELL.default
    tokens = {"query": query, "key": key}
    row, col = (
        tokens.get(axis, min(index, size - 1))
        for axis, index, size in zip(AXES[chosen.panel], (chosen.row, chosen.col), shapes[chosen.panel], strict=True)
    )
    return Cell(chosen.panel, row, col)
