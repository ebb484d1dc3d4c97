"""Monotonic against predictive local attention, learning to copy and to reverse, while the reader looks on."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from attention_core.experiments.alignment import TASKS, Alignment
from attention_core.experiments.base import Experiment, recorded_steps
from ui.components.lab import Controls, Curves, Film, Line, Plot, Slider, lab
from ui.compute.runs import Run
from ui.layout import take_away, trust_line
from ui.link import recall, remember
from ui.text import Words, words
from ui.training.alignment import LENGTH, alignment_map, center_bars, centers, right, snippet, weights
from ui.training.live import live

MODES = ("local_m", "local_p")
RUNS = tuple((task, mode) for task in TASKS for mode in MODES)
HUES = {("copy", "local_m"): "v", ("copy", "local_p"): "ink", ("reverse", "local_m"): "k", ("reverse", "local_p"): "q"}
STEPS, EVERY = 500, 25


def training_panel(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    live("align", page, experiments, lambda name: _name(name.split(" "), page), _panel)


def experiments(seed: int) -> dict[str, Experiment]:
    """Two tasks, two kinds of p_t; one seed, so the same initial weights and the same sentences."""
    return {
        f"{task} {mode}": Alignment(task=task, mode=mode, steps=STEPS, every=EVERY, seed=seed) for task, mode in RUNS
    }


def films(training: Run) -> list[Film]:
    """At every recorded step: accuracies, an alignment of each (NaN: outside its window), its p_t and the right one."""
    steps = recorded_steps(STEPS, EVERY)
    accuracy = np.full((len(steps), len(RUNS)), np.nan)
    maps = np.full((len(steps), len(RUNS), LENGTH * LENGTH), np.nan)
    places = np.full((len(steps), len(RUNS), LENGTH), np.nan)
    for column, (name, config) in enumerate(training.experiments.items()):
        assert isinstance(config, Alignment)
        for record in training.records(name):
            row = steps.index(record.step)
            accuracy[row, column] = record.accuracy
            if record.arrays:
                maps[row, column] = weights(config, record)[0].reshape(-1)
                places[row, column] = centers(config, record)[0]
    return [
        Film("accuracy", accuracy, ("step",)),
        Film("maps", maps.reshape(len(steps), -1), ("step",)),
        Film("centers", places.reshape(len(steps), -1), ("step",)),
        Film("right", np.concatenate([right(task) for task, _ in RUNS]).astype(np.float32)),
    ]


def _panel(training: Run, page: Words) -> None:
    made = films(training)
    steps = recorded_steps(STEPS, EVERY)
    seen = int((~np.isnan(made[0].values).all(axis=1)).sum())
    kept = recall("lo_step", "")
    # While it trains the picture shows the newest step; then whichever the reader has chosen.
    chosen = steps.index(int(kept)) if kept in map(str, steps) and not training.running else max(0, seen - 1)
    lab(
        plots(page),
        key="align_lab",
        sliders=[
            Slider(
                name="step",
                label=page["align.step"],
                readings=tuple(map(str, steps)),
                at=chosen,
                ticks=tuple((index, str(step)) for index, step in enumerate(steps) if step % 100 == 0),
            )
        ],
        films=made,
        words=words("canvas"),
        summary=page["align.summary"],
        on_move=lambda at: remember("lo_step", str(steps[at["step"]])),
    )
    seed = next(iter(training.experiments.values())).seed
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=seed, dtype="float32", device="cpu")
        take_away(
            "alignment",
            arrays=lambda: {"step": np.asarray(steps), **{film.name: film.values for film in made}},
            snippet=snippet(list(training.experiments.values())),
        )


def plots(page: Words) -> list[Plot]:
    """The step and the accuracies, then a column for each run: its alignment, and its p_t beside the right one."""
    made: list[Plot] = [
        Controls(name="controls_step", stack="left", span=4, sliders=("step",)),
        Curves(
            name="accuracy", stack="left", height=300, film="accuracy", along="step", low=0.0, high=1.0, ends=True,
            title=page["align.accuracy"],
            lines=tuple(Line(start=index, hue=HUES[run], name=_name(run, page)) for index, run in enumerate(RUNS)),
        ),
    ]  # fmt: skip
    for index, run in enumerate(RUNS):
        stack = "_".join(run)
        made += [
            alignment_map(
                f"map_{stack}", "maps", stack=stack, start=index * LENGTH * LENGTH, title=_name(run, page)
            ),
            center_bars(
                f"center_{stack}", "centers", stack=stack, start=index * LENGTH, right_film="right",
                right_name=page["align.right"], title=page["align.center"],
            ),
        ]  # fmt: skip
    return made


def _name(run: Sequence[str], page: Words) -> str:
    task, mode = run
    return f"{page[f'align.{task}']}, {page[f'align.{mode}']}"
