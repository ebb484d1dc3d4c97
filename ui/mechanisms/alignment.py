"""Monotonic against predictive local attention, learning to copy and to reverse, while the reader looks on."""

import numpy as np
import streamlit as st

from attention_core.experiments.alignment import TASKS, Alignment
from attention_core.experiments.base import Experiment, recorded_steps
from ui.components.lab import Bars, Controls, Curves, Film, Line, Map, Plot, Slider, lab
from ui.layout import take_away, trust_line
from ui.link import recall, remember
from ui.mechanisms.live import controls, live
from ui.mechanisms.training import Training
from ui.text import Words, words

MODES = ("local_m", "local_p")
RUNS = tuple((task, mode) for task in TASKS for mode in MODES)
HUES = {("copy", "local_m"): "v", ("copy", "local_p"): "ink", ("reverse", "local_m"): "k", ("reverse", "local_p"): "q"}
STEPS, EVERY = 500, 25
LENGTH = Alignment().length


def training_panel(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    live("align", page, _panel)


def experiments(seed: int) -> dict[str, Experiment]:
    """Two tasks, two kinds of p_t; one seed, so the same initial weights and the same sentences."""
    return {
        f"{task} {mode}": Alignment(task=task, mode=mode, steps=STEPS, every=EVERY, seed=seed) for task, mode in RUNS
    }


def films(training: Training) -> list[Film]:
    """At every recorded step: accuracies, an alignment of each (NaN: exactly 0), its p_t and the right one."""
    steps = recorded_steps(STEPS, EVERY)
    accuracy = np.full((len(steps), len(RUNS)), np.nan)
    maps = np.full((len(steps), len(RUNS), LENGTH * LENGTH), np.nan)
    centers = np.full((len(steps), len(RUNS), LENGTH), np.nan)
    for column, name in enumerate(training.experiments):
        for record in training.records(name):
            row = steps.index(record.step)
            accuracy[row, column] = record.accuracy
            if record.arrays:
                weights = record.arrays["alignment"][0].double()
                maps[row, column] = weights.masked_fill(weights == 0, np.nan).flatten().numpy()
                centers[row, column] = record.arrays["center"][0].numpy()
    right = np.stack([np.arange(LENGTH) if task == "copy" else np.arange(LENGTH)[::-1] for task, _ in RUNS])
    return [
        Film("accuracy", accuracy, ("step",)),
        Film("maps", maps.reshape(len(steps), -1), ("step",)),
        Film("centers", centers.reshape(len(steps), -1), ("step",)),
        Film("right", right.flatten().astype(np.float32)),
    ]


def _panel(training: Training | None, page: Words) -> None:
    controls("align", training, page, experiments)
    if training is None:
        return
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
            snippet=snippet(seed),
        )


def plots(page: Words) -> list[Plot]:
    """The step and the accuracies, then a column for each run: its alignment, and its p_t beside the right one."""
    names = tuple(map(str, range(LENGTH)))
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
            Map(
                name=f"map_{stack}", stack=stack, span=2, narrow=2, height=206, film="maps", rows=LENGTH, cols=LENGTH,
                start=index * LENGTH * LENGTH, names=names, hatched=True, title=_name(run, page),
            ),
            Bars(
                name=f"center_{stack}", stack=stack, height=150, film="centers", count=LENGTH, start=index * LENGTH,
                hue="k", high=float(LENGTH), ghost="right", ghost_name=page["align.right"],
                title=page["align.center"],
            ),
        ]  # fmt: skip
    return made


def _name(run: tuple[str, str], page: Words) -> str:
    task, mode = run
    return f"{page[f'align.{task}']}, {page[f'align.{mode}']}"


def snippet(seed: int) -> str:
    """A script that trains the four and prints accuracies and the last p_t."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.alignment import Alignment

torch.set_num_threads(1)
for task, mode in {RUNS!r}:
    for record in Alignment(task=task, mode=mode, steps={STEPS}, every={EVERY}, seed={seed}).records():
        print(task, mode, record.step, f"{{record.accuracy:.6f}}")
    print("p_t", [round(p, 3) for p in record.arrays["center"][0].tolist()])
"""
