"""Encoders and decoders that learn to align: which train, what of their records is drawn, and what is taken away."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch

from attention_core.experiments.alignment import MODES, TASKS, Alignment
from attention_core.experiments.base import Experiment, Record
from ui.compute.runs import Run, Variant, agree
from ui.scripts import filled
from ui.training.alignment import LENGTH, centers, right, weights
from ui.training.history import History, Measure, history
from ui.training.taken import listed, measured, stem_of

ATTENTIONS = ("global", "additive", "local_m", "local_p", "none")
FEEDING = {"without": (False,), "with": (True,), "both": (False, True)}
RADII = (1, 2, 3, 4, 8)
RATES = (1e-3, 2e-3, 5e-3, 1e-2)
MOST_STEPS = 2000
STOPS = 40  # of the scrubber, besides step 0
MEASURES = (
    Measure(key="accuracy", high=1.0),
    Measure(key="right", high=1.0),
    Measure(key="loss"),
    Measure(key="entropy", high=math.log(LENGTH)),
    Measure(key="row_sum", high=1.05),
)
FREE = ("task", "mode", "feed", "D", "lr", "steps", "every", "seed", "batch", "evaluated")  # what may be chosen
WITHIN = (0, 1)  # places beside the right one, over which weight is summed


@dataclass(frozen=True, slots=True)
class Fed(Variant):
    """A kind of attention, and whether h̃ joins the next input."""

    feed: bool = False

    @property
    def stem(self) -> str:
        return f"{self.model}_feed" if self.feed else self.model


Aligners = Run[Fed, Alignment]


def variant(config: Alignment) -> Fed:
    """What a configuration is called."""
    return Fed(config.mode, feed=config.feed)


def race(
    attentions: Sequence[str], feeding: str, *, task: str, D: int, lr: float, steps: int, seed: int
) -> dict[Fed, Alignment]:
    """Each attention without input feeding, with it, or both: one seed, so the same sentences, and the same initial
    weights where `feed` is the same.
    """
    base = Alignment(task=task, D=D, lr=lr, steps=steps, every=max(1, math.ceil(steps / STOPS)), seed=seed)
    configs = [replace(base, mode=mode, feed=feed) for mode in attentions for feed in FEEDING[feeding]]
    return {variant(config): config for config in configs}


def known(config: Experiment) -> TypeGuard[Alignment]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Alignment)
        and config.task in TASKS
        and config.mode in MODES
        and 1 <= config.D <= LENGTH
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 1e-6 < config.lr < 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and agree(config, Alignment(), but=FREE)
    )


def task_of(run: Aligners) -> str:
    """The task of the first variant, which all have unless files of both were loaded."""
    return next(iter(run.experiments.values())).task


def evaluated(run: Aligners) -> int:
    """Sequences on which the accuracy is measured."""
    return max(config.evaluated for config in run.experiments.values())


def on_the_right(config: Alignment, record: Record, within: int = 0) -> float:
    """The weight on source positions at most so far `within` from the right one, mean over the probe; NaN without
    attention.
    """
    if config.mode == "none":
        return math.nan
    counted = torch.from_numpy(abs(np.arange(LENGTH) - right(config.task)[:, None]) <= within)
    return float((record.arrays["alignment"].double() * counted).sum(dim=-1).mean())


def aligned(run: Aligners) -> History[Fed]:
    """The records, with the weight on the right place where arrays were kept."""
    past = history(run)
    records = {
        name: {step: _with_right(run.experiments[name], record) for step, record in own.items()}
        for name, own in past.records.items()
    }
    return History(past.steps, records)


def arrays(run: Aligners) -> dict[str, np.ndarray]:
    """Every measure of every record; alignment and p_t of the probe at every kept step."""
    out: dict[str, np.ndarray] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        out |= measured(name, records) | _probe(stem_of(name), config, [record for record in records if record.arrays])
    return out


def script(run: Aligners) -> str:
    """A script that trains the same variants and prints accuracies, the last p_t and the fingerprints."""
    return filled(Path(__file__).with_name("script.py"), configs=listed(run.experiments.values()))


def _probe(stem: str, config: Alignment, records: Sequence[Record]) -> dict[str, np.ndarray]:
    if not records:
        return {}
    return {
        f"{stem}_kept_step": np.array([record.step for record in records]),
        f"{stem}_alignment": np.stack([weights(config, record) for record in records]),
        f"{stem}_center": np.stack([centers(config, record) for record in records]),
    }


def _with_right(config: Alignment, record: Record) -> Record:
    if not record.arrays:
        return record
    return replace(record, measures={**record.measures, "right": on_the_right(config, record)})
