"""What the race has recorded → its film, its curves, what is taken away. Pure."""

from functools import partial
from pathlib import Path

import numpy as np

from attention_core.experiments.hard import MODES, Hard
from ui.components.lab import Box, Curves, Film, Line, Plot, Slider
from ui.scripts import filled
from ui.text import Words
from ui.training.history import History, Measure, step_slider

HUES = {"soft": "q", "hard": "k", "hard_baseline": "v"}
SIDES = ("bound", "log_likelihood")
MEASURES = tuple(Measure(key=key) for key in ("accuracy", *SIDES))
LOWEST = -6.0  # nats, of the axis of the bound
HALF = Box(span=6, height=280)


def experiments(seed: int) -> dict[str, Hard]:
    """The three runs: one seed, so the same data and the same initial weights."""
    return {mode: Hard(mode=mode, seed=seed) for mode in MODES}


def mode_of(config: Hard) -> str:
    """What a configuration is called."""
    return config.mode


def sliders(past: History[str], page: Words) -> list[Slider]:
    """The steps, at the newest."""
    return [step_slider(past, past.newest, page["race.step"])]


def films(past: History[str]) -> list[Film]:
    """Accuracy and both sides of the bound, of every mode; NaN where nothing is recorded yet."""
    return [Film("race", past.table(MEASURES), ("step",), columns=past.columns(MEASURES))]


def plots(page: Words) -> list[Plot]:
    """The accuracies of all three; both sides of the bound of the two that sample."""
    curves = partial(Curves, box=HALF, film="race", along="step")
    accuracies = tuple(Line(column=f"accuracy {mode}", hue=HUES[mode], name=page[f"race.{mode}"]) for mode in MODES)
    sides = tuple(
        Line(
            column=f"{side} {mode}",
            hue=HUES[mode],
            dash=side == "log_likelihood",
            name=page[f"race.{mode}"] if side == "bound" else "",
        )
        for mode in MODES[1:]
        for side in SIDES
    )
    return [
        curves(name="accuracy", low=0.0, high=1.0, lines=accuracies, title=page["race.accuracy"]),
        curves(name="sides", low=LOWEST, high=0.0, lines=sides, title=page["race.sides"]),
    ]


def arrays(past: History[str]) -> dict[str, np.ndarray]:
    """The steps, and every curve at them."""
    return {"step": np.asarray(past.steps), "curves": past.table(MEASURES)}


def script(seed: int) -> str:
    """The script that trains the three and prints what was recorded."""
    return filled(Path(__file__).with_name("script.py"), seed=seed)
