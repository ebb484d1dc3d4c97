"""Soft against hard attention, trained side by side while the reader looks on."""

import numpy as np
import streamlit as st

from attention_core.experiments.base import Experiment, recorded_steps
from attention_core.experiments.hard import MODES, Hard
from ui.components.lab import Curves, Film, Line, Plot, Slider, lab
from ui.compute.runs import Run
from ui.layout import take_away, trust_line
from ui.text import Words, words
from ui.training.live import live

HUES = {"soft": "q", "hard": "k", "hard_baseline": "v"}
STEPS, EVERY = 400, 20
MEASURED = ("bound", "log_likelihood")
LOWEST = -6.0  # nats, of the axis of the bound


def race(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    live("race", page, experiments, lambda mode: page[f"race.{mode}"], _panel)


def experiments(seed: int) -> dict[str, Experiment]:
    """The three runs of E5: one seed, so the same data and the same initial weights."""
    return {mode: Hard(mode=mode, steps=STEPS, every=EVERY, seed=seed) for mode in MODES}


def curves(training: Run) -> np.ndarray:
    """(steps, accuracy of every mode, then MEASURED of every mode); NaN where nothing is recorded yet."""
    steps = recorded_steps(STEPS, EVERY)
    found = np.full((len(steps), len(MODES) * (1 + len(MEASURED))), np.nan)
    for column, mode in enumerate(MODES):
        for record in training.records(mode):
            row = steps.index(record.step)
            found[row, column] = record.accuracy
            for place, name in enumerate(MEASURED, start=1):
                found[row, place * len(MODES) + column] = record.measures[name]
    return found


def _panel(training: Run, page: Words) -> None:
    table = curves(training)
    seen = int((~np.isnan(table[:, : len(MODES)]).all(axis=1)).sum())
    steps = recorded_steps(STEPS, EVERY)
    lab(
        _plots(page),
        key="race_lab",
        sliders=[
            Slider(
                name="step",
                label=page["race.step"],
                readings=tuple(map(str, steps)),
                at=max(0, seen - 1),
                ticks=tuple((index, str(step)) for index, step in enumerate(steps) if step % 100 == 0),
            )
        ],
        films=[Film("race", table, ("step",))],
        words=words("canvas"),
        summary=page["race.summary"],
    )
    made = training.experiments["soft"]
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=made.seed, dtype="float32", device="cpu")
        take_away("race", arrays=lambda: {"step": np.asarray(steps), "curves": table}, snippet=snippet(made.seed))


def _plots(page: Words) -> list[Plot]:
    accuracy = tuple(Line(start=index, hue=HUES[mode], name=page[f"race.{mode}"]) for index, mode in enumerate(MODES))
    sides = tuple(
        Line(
            start=place * len(MODES) + MODES.index(mode), hue=HUES[mode], dash=name == "log_likelihood",
            name=page[f"race.{mode}"] if name == "bound" else "",
        )
        for mode in MODES[1:]
        for place, name in enumerate(MEASURED, start=1)
    )  # fmt: skip
    return [
        Curves(name="accuracy", span=6, height=280, film="race", along="step", low=0.0, high=1.0, lines=accuracy,
               title=page["race.accuracy"]),
        Curves(name="sides", span=6, height=280, film="race", along="step", low=LOWEST, high=0.0, lines=sides,
               title=page["race.sides"]),
    ]  # fmt: skip


def snippet(seed: int) -> str:
    """A script that trains the three and prints what was recorded."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.hard import Hard

torch.set_num_threads(1)
for mode in {MODES!r}:
    for record in Hard(mode=mode, steps={STEPS}, every={EVERY}, seed={seed}).records():
        sides = record.measures["bound"], record.measures["log_likelihood"]
        print(mode, record.step, f"{{record.accuracy:.6f}} {{sides[0]:.6f}} {{sides[1]:.6f}}")
"""
