"""Soft against hard attention, trained side by side while the reader looks on."""

import streamlit as st

from pages.mechanisms.hard_soft.race.pictures import arrays, experiments, films, plots, script, sliders
from ui.components.lab import lab
from ui.compute.runs import Run
from ui.layout import take_away, trust_line
from ui.text import Words, words
from ui.training.history import history
from ui.training.live import live


def race(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    live("race", page, experiments, lambda mode: page[f"race.{mode}"], _curves)


def _curves(run: Run, page: Words) -> None:
    recorded = history(run)
    lab(
        plots(page),
        key="race_lab",
        sliders=sliders(recorded, page),
        films=films(recorded),
        words=words("canvas"),
        summary=page["race.summary"],
    )
    seed = run.experiments["soft"].seed
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=seed, dtype="float32", device="cpu")
        take_away("race", arrays=lambda: arrays(recorded), snippet=script(seed))
