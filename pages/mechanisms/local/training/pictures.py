"""What four aligners have recorded → films along the step, their pictures, what is taken away. Pure."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from attention_core.experiments.alignment import TASKS, Alignment
from attention_core.experiments.base import Record
from ui.components.lab import Bars, Box, Controls, Curves, Film, Line, Map, Plot
from ui.compute.runs import Run
from ui.scripts import filled
from ui.text import Words
from ui.training.alignment import LENGTH, alignment_map, center_bars, centers, right, weights
from ui.training.history import Measure, history

MODES = ("local_m", "local_p")
VARIANTS = {f"{task} {mode}": (task, mode) for task in TASKS for mode in MODES}  # by the name of the experiment
NAMES = tuple(VARIANTS)
HUES = {("copy", "local_m"): "v", ("copy", "local_p"): "ink", ("reverse", "local_m"): "k", ("reverse", "local_p"): "q"}
ACCURACY = (Measure(key="accuracy"),)
LEFT = partial(Box, stack="left", span=4)


def experiments(seed: int) -> dict[str, Alignment]:
    """Two tasks, two kinds of p_t; one seed, so the same initial weights and the same sentences."""
    return {
        name: Alignment(task=task, mode=mode, steps=500, every=25, seed=seed) for name, (task, mode) in VARIANTS.items()
    }


def variant(config: Alignment) -> str:
    """The name of a configuration."""
    return f"{config.task} {config.mode}"


def label(name: str, page: Words) -> str:
    """What a variant is called: its task and its mode."""
    task, mode = VARIANTS[name]
    return f"{page[f'align.{task}']}, {page[f'align.{mode}']}"


def films(run: Run) -> list[Film]:
    """At every recorded step: accuracies, an alignment of each (NaN: outside its window), its p_t and the right one."""
    targets = np.concatenate([right(task) for task, _ in VARIANTS.values()])
    return [
        Film("accuracy", history(run).table(ACCURACY), ("step",), columns=NAMES),
        Film("maps", _along_steps(run, weights, (LENGTH, LENGTH)), ("step",), columns=NAMES),
        Film("centers", _along_steps(run, centers, (LENGTH,)), ("step",), columns=NAMES),
        Film("right", targets.astype(np.float32)),
    ]


def _along_steps(run: Run, read: Callable[[Alignment, Record], np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """(steps, numbers of all variants): what `read` makes of the first sequence of the probe; NaN until then."""
    recorded = history(run)

    def first(record: Record, config: Alignment) -> np.ndarray:
        return read(config, record)[0]

    frames = []
    for name, config in run.experiments.items():
        assert isinstance(config, Alignment)
        along, _ = recorded.frames(name, partial(first, config=config), shape, all_steps=True)
        frames.append(along.reshape(len(along), -1))
    return np.concatenate(frames, axis=1)


def plots(page: Words) -> list[Plot]:
    """The step and the accuracies, then a column for each variant: its alignment, and its p_t beside the right one."""
    lines = tuple(Line(column=name, hue=HUES[variant], name=label(name, page)) for name, variant in VARIANTS.items())
    columns = [plot for name in NAMES for plot in (_alignment(name, page), _centers(name, page))]
    return [
        Controls(name="controls_step", box=LEFT(), sliders=("step",)),
        Curves(
            name="accuracy",
            box=LEFT(height=300),
            film="accuracy",
            along="step",
            low=0.0,
            high=1.0,
            ends=True,
            title=page["align.accuracy"],
            lines=lines,
        ),
        *columns,
    ]


def _alignment(name: str, page: Words) -> Map:
    """Target positions down, source positions across; hatched where nothing can be seen."""
    return alignment_map(f"map_{_stack(name)}", "maps", stack=_stack(name), column=name, title=label(name, page))


def _centers(name: str, page: Words) -> Bars:
    """p_t against t, the right place as an outline."""
    return center_bars(
        f"center_{_stack(name)}",
        "centers",
        stack=_stack(name),
        column=name,
        right_film="right",
        right_name=page["align.right"],
        title=page["align.center"],
    )


def _stack(name: str) -> str:
    return "_".join(VARIANTS[name])


def arrays(run: Run) -> dict[str, np.ndarray]:
    """The steps, and every film at them."""
    return {"step": np.asarray(history(run).steps), **{film.name: film.values for film in films(run)}}


def script(seed: int) -> str:
    """The script that trains the same four and prints accuracies, the last p_t and fingerprints."""
    return filled(Path(__file__).with_name("script.py"), seed=seed)
