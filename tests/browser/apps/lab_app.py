"""A page with every kind of plot of a laboratory, for the browser tests; its films are made of plain numbers."""

import numpy as np
import streamlit as st

from ui.components.assets import library, reader
from ui.components.canvas import Pick
from ui.components.lab import (
    Bars,
    Box,
    Contour,
    Controls,
    Curves,
    Film,
    Grid,
    Histogram,
    Item,
    Line,
    Map,
    Phase,
    Readouts,
    Slider,
    lab,
)
from ui.text import words

TOKENS = ("The", "<b>saw</b>", "king", "&", "山")
COLUMNS = ("a", "b > c", "مرحبا", "d", "e", "f", "g")
D_K, ALPHA = 11, 7
LEFT = Box(stack="left", span=3)

st.set_page_config(layout="wide")
reader()  # before the pictures: they sum themselves up in its words
picks = st.session_state.setdefault("picks", [])
moves = st.session_state.setdefault("moves", [])
sights = st.session_state.setdefault("sights", [])
at = st.session_state.setdefault("at", {"d_k": 2, "alpha": 3, "rule": 0})


def picked(pick: Pick) -> None:
    picks.append((pick.panel, pick.row, pick.col))


def moved(positions: dict[str, int]) -> None:
    at.update(positions)
    moves.append((positions["d_k"], positions["alpha"]))


def seen() -> None:
    sights.append(at["rule"])


def stops(name: str, label: str, count: int) -> Slider:
    readings = tuple(str(i) for i in range(count))
    return Slider(name=name, label=label, readings=readings, at=at[name], ticks=tuple(enumerate(readings))[::2])


rows, cols = len(TOKENS), len(COLUMNS)
weights = np.linspace(0, 1, rows * cols, dtype=np.float32).reshape(rows, cols)
weights[0, -1] = np.nan
film = weights * np.linspace(1, 0.5, D_K, dtype=np.float32)[:, None, None]
curve = np.stack([np.linspace(low, 1, D_K * ALPHA).reshape(D_K, ALPHA) for low in (-0.5, 0.0, 0.5)], axis=-1)
lab(
    (
        Controls(name="controls", box=LEFT, sliders=("d_k", "alpha", "rule")),
        Readouts(
            name="numbers",
            box=LEFT,
            title="Numbers of W_Q",
            film="curve",
            items=(Item(label="gain & W_K", column="gain"), Item(label="log", column="low", log=True)),
        ),
        Map(name="map", film="film", rows=rows, cols=cols, names=TOKENS, col_names=COLUMNS, marked=1, title="Map"),
        Map(name="log10", film="logs", rows=1, cols=3, low=-9.0, title="Log10", value="log10", missing="nothing there"),
        Map(name="log2", film="logs", rows=1, cols=3, low=-9.0, title="Log2", value="log2"),
        Grid(name="grid", film="grid", count=5, rows=3, cols=2, titles=tuple("vwxyz"), title="Grid", chosen=2),
        Bars(name="bars", film="bars", count=5, names=TOKENS, title="Bars", digits=3),
        Bars(name="pulled", film="bars", count=5, low=-1.0, editable=True, title="Pulled"),
        Curves(
            name="curves",
            film="curve",
            along="d_k",
            low=-1.0,
            high=1.0,
            title="Curves",
            note="dashed & pale",
            lines=(
                Line(column="gain", hue="q", name="gain", band=("low", "high")),
                Line(column="high", hue="k", name="α < 1", dash=True, fixed={"alpha": 0}),
            ),
            marks=((4.0, "here"),),
        ),
        Phase(
            name="phase",
            film="curve",
            x="d_k",
            y="alpha",
            column="gain",
            low=-1.0,
            high=1.0,
            title="Phase",
            lines=(Contour(film="contour"),),
        ),
        Histogram(name="histogram", film="bars", count=5, low=0.0, high=5.0, title="Histogram", mark=2.0),
    ),
    key="laboratory",
    sliders=(
        stops("d_k", "d_k", D_K),
        stops("alpha", "α", ALPHA),
        Slider(name="rule", label="Rule", readings=("none", "1/√d_k"), at=at["rule"], kind="switch"),
    ),
    films=(
        Film("film", film, ("d_k",)),
        Film("grid", np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 3, 2)),
        Film("logs", np.array([-60.25, 2.3333333, np.nan], np.float32)),
        Film("bars", np.linspace(0.1, 0.9, 5, dtype=np.float32)),
        Film("curve", curve.astype(np.float32), ("d_k", "alpha"), columns=("low", "gain", "high")),
        Film("contour", np.linspace(1, 8, ALPHA, dtype=np.float32)),
    ),
    words=words("canvas"),
    summary=f"A laboratory, {len(picks)} picked",  # new bytes after each
    on_move=moved,
    on_pick=picked,
    seen="histogram",
    seen_for=at["rule"],
    on_seen=seen,
)
st.text(f"picks {picks}")
st.text(f"moves {moves}")
st.text(f"sights {sights}")
library()
