"""A layer that learns to sort under several scaling rules: what races, what of its records is drawn and taken away."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import SHOWN, Sort, dissected
from ui.compute.runs import Run, Variant, agree
from ui.scripts import filled
from ui.training.history import SIDE, History, Measure, fitted
from ui.training.taken import listed, measured, stem_of

D_K = (4, 8, 16, 24, 32, 48, 64, 128, 256)
SCALES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
RATES = (1e-3, 3e-3, 1e-2)
MOST_STEPS = 1000
STOPS = 30  # of the scrubber, besides step 0
MATRICES = ("W_Q", "W_K", "W_V")
FREE = ("rule", "d_k", "input_scale", "softcap", "lr", "steps", "every", "seed", "batch", "evaluated", "g0")
LOSS, ACCURACY, ENTROPY, GAIN, DEAD, SNR = MEASURES = (
    Measure(key="loss"),
    Measure(key="accuracy", high=1.0),
    Measure(key="entropy.0", high=1.0),
    Measure(key="gain_median.0", logs=True, low=None, high=0.0),
    Measure(key="dead.0", high=1.0),
    Measure(key="snr.0", logs=True, low=None),
)
NORM = Measure(key="norm", logs=True, low=None)
SWEEP_LR, SWEEP_EVERY = 1e-2, 100
SWEPT_D_K = (4, 8, 16, 24, 32, 64)
SWEPT_SCALES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
BREAK = 2 * math.sqrt(2 * math.log(Sort().length))  # 2σ_c: where theory puts the collapse of the softmax
ANATOMY = {  # key of its heading → measure
    "gain_mean": "gain_mean.0",
    "gain_median": "gain_median.0",
    "gain_low": "gain_low.0",
    "dead": "dead.0",
    "concentration": "concentration.0",
    "d_W_Q": "d_W_Q",
    "snr": "snr",
    "cosine": "cosine",
}

Sorters = Run[Variant, Sort]


def variant(config: Sort) -> Variant:
    """What a configuration is called."""
    return Variant(config.rule)


def race(rules: Sequence[str], *, d_k: int, scale: float, lr: float, steps: int, seed: int) -> dict[Variant, Sort]:
    """The variants by their rule: one seed, so the same data and the same initial weights."""
    every = max(1, math.ceil(steps / STOPS))
    base = Sort(d_k=d_k, input_scale=scale, lr=lr, steps=steps, every=every, seed=seed)
    return {Variant(rule): replace(base, rule=rule) for rule in rules}


def known(config: Experiment) -> TypeGuard[Sort]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Sort)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and agree(config, Sort(), but=FREE)
    )


# --- what of a record is drawn ---


def norms(past: History[Variant]) -> np.ndarray:
    """log₁₀ ‖∂L/∂W‖ (steps, matrices, variants)."""
    table = past.table([Measure(key=f"grad.{matrix}.0", logs=True) for matrix in MATRICES])
    return table.reshape(len(past.steps), len(MATRICES), len(past.variants))


def tokens(past: History[Variant]) -> np.ndarray:
    """Symbols of the probe's sequences (probe, n)."""
    for records in past.records.values():
        for record in records.values():
            if "tokens" in record.arrays:
                return record.arrays["tokens"].numpy().astype(np.float32)
    return np.zeros((SHOWN, Sort().length), dtype=np.float32)


def weights(record: Record) -> np.ndarray:
    """Of the probe (probe, n²)."""
    return record.arrays["weights"].float().flatten(1).numpy()


def matrices(record: Record, prefix: str = "") -> np.ndarray:
    """W_Q, W_K and W_V, or with the prefix `grad.` their gradients (matrices, cells)."""
    arrays = [record.arrays[f"{prefix}{matrix}.0"][0].float().numpy() for matrix in MATRICES]
    return np.stack([fitted(array, SIDE, SIDE).reshape(-1) for array in arrays])


def largest(films: Sequence[np.ndarray], share: float) -> float:
    """The size below which this share of the numbers lies; 1 where there are none."""
    sizes = np.concatenate([np.abs(values[np.isfinite(values)]).reshape(-1) for values in films])
    return float(np.quantile(sizes, share)) or 1.0 if sizes.size else 1.0


# --- the transition ---


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the axis of the transition: a rule, and what makes the scores large."""

    rule: str
    d_k: int
    scale: float


def sweep(rules: Sequence[str], *, steps: int, seed: int) -> dict[Place, Sort]:
    """One training for every place on the axis: unscaled at several d_k, the others at several input scales."""
    base = Sort(lr=SWEEP_LR, steps=steps, every=SWEEP_EVERY, seed=seed)
    places = [place for rule in rules for place in _places(rule)]
    return {place: replace(base, rule=place.rule, d_k=place.d_k, input_scale=place.scale) for place in places}


def place(config: Sort) -> Place:
    """Where on the axis a configuration stands."""
    return Place(config.rule, config.d_k, config.input_scale)


def _places(rule: str) -> list[Place]:
    if rule == "none":
        return [Place(rule, d_k, 1.0) for d_k in SWEPT_D_K]
    return [Place(rule, Sort().d_k, scale) for scale in SWEPT_SCALES]


Point = tuple[float, float]


def points(run: Run[Place, Sort]) -> dict[Sort, Point]:
    """Initial standard deviation of the scores and final accuracy of every training that is done."""
    return {
        run.experiments[place]: (records[0].measures["logit_std.0"], records[-1].accuracy)
        for place, records in run.complete().items()
    }


# --- the anatomy ---


@dataclass(frozen=True, kw_only=True, eq=False)
class Dissection:
    """The anatomy of a gradient as an experiment of two records, before and after training, which waits its turn."""

    config: Sort
    state: Mapping[str, Tensor]

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.config.seed

    @property
    def steps(self) -> int:
        """Of the run."""
        return self.config.steps

    @property
    def every(self) -> int:
        """It has a record before and one after."""
        return self.config.steps

    def build(self) -> nn.Module:
        """The untouched model."""
        return self.config.build()

    def records(self) -> Iterator[Record]:
        """What `dissected` gives; without weights these are trained again."""
        return dissected(self.config, self.state or None)


def dissections(run: Sorters) -> dict[Variant, Dissection]:
    """One for every variant that came to its end."""
    return {
        name: Dissection(config=run.experiments[name], state=records[-1].state)
        for name, records in run.complete().items()
    }


# --- what is taken away ---


def arrays(run: Sorters, transition: Mapping[Sort, Point]) -> dict[str, np.ndarray]:
    """Every measure of every record, the weights on the probe; and the points of the transition."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records = run.records(name)
        out |= measured(name, records)
        kept = [record.arrays["weights"][:, 0].float() for record in records if record.arrays]
        if kept:
            out[f"{stem_of(name)}_weights"] = torch.stack(kept).numpy()
    if transition:
        rows = [
            (RULES.index(config.rule), config.d_k, config.input_scale, config.lr, config.steps, config.seed, *point)
            for config, point in transition.items()
        ]
        out["transition"] = np.array(rows)
    return out


def script(run: Sorters) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    return filled(Path(__file__).with_name("script.py"), configs=listed(run.experiments.values()))
