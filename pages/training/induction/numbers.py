"""Two layers that learn to copy what followed last time: what races, what of its records is drawn and taken away."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.induction import SHOWN, Induction
from attention_core.experiments.layers import RULES
from attention_core.masks import causal
from ui.compute.runs import MOST_BYTES, Run, Variant, agree
from ui.scripts import filled
from ui.training.history import History, Measure
from ui.training.taken import listed, measured, stem_of

D_K = (8, 16, 32, 64, 128)
RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (1, 2, 3)  # how many race for every rule
MOST_STEPS = 1500
STOPS = 35  # of the scrubber, besides step 0
NEVER = 2.0  # an accuracy that no run reaches, so that none ends before the others and every line has one axis
HALF = 0.5  # of the tokens that can be known: whoever is right so often has gone through the phase change
FREE = ("rule", "d_k", "lr", "steps", "every", "seed", "batch", "evaluated")  # what may be chosen
LENGTH = Induction().length
HEADS = tuple((layer, head) for layer in range(Induction().n_layer) for head in range(Induction().n_head))
KINDS = ("previous", "induction")  # what a head is scored for
MEASURES = (
    Measure(key="accuracy", high=1.0),
    Measure(key="loss"),
    Measure(key="previous", high=1.0),
    Measure(key="induction", high=1.0),
)
PAST = causal(LENGTH, LENGTH)  # what a position may look at


@dataclass(frozen=True, slots=True)
class Seeded(Variant):
    """A scaling rule, and the seed with which it races."""

    seed: int = 0

    @property
    def stem(self) -> str:
        return f"{self.model}-{self.seed}"

    @property
    def column(self) -> Variant:
        """What stands in one column of the picture: all seeds of a rule."""
        return Variant(self.model, self.number)


Racers = Run[Seeded, Induction]
Past = History[Seeded]


def variant(config: Induction) -> Seeded:
    """What a configuration is called."""
    return Seeded(config.rule, seed=config.seed)


def race(rules: Sequence[str], *, d_k: int, lr: float, steps: int, seed: int, seeds: int) -> dict[Seeded, Induction]:
    """The variants by rule and seed: runs with one seed see the same sequences and start from the same weights."""
    every = max(1, math.ceil(steps / stops(len(rules) * seeds, d_k)))
    base = Induction(d_k=d_k, lr=lr, steps=steps, every=every, stop_at=NEVER)
    configs = [replace(base, rule=rule, seed=seed + more) for rule in rules for more in range(seeds)]
    return {variant(config): config for config in configs}


def stops(count: int, d_k: int) -> int:
    """Stops of the scrubber for so many variants: STOPS, or fewer where the records would take too much memory."""
    size = Induction()
    matrices = size.n_layer * 2 * size.d_model * (size.n_head * d_k + size.d_model)  # W_Q, W_K; W_V, W_O are square
    maps = size.n_layer * SHOWN * size.n_head * LENGTH**2
    record = (2 + 4) * matrices + 2 * maps  # a matrix in float16 with its gradient in float32, maps in float16
    return max(1, min(STOPS, int(0.9 * MOST_BYTES / (count * record)) - 1))


def known(config: Experiment) -> TypeGuard[Induction]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Induction)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and config.seed >= 0
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and agree(config, Induction(stop_at=NEVER), but=FREE)
    )


def guessing() -> float:
    """The accuracy of naming any token of the block at random: the mean of 1/period over what can be known."""
    low, high = Induction().periods
    known = [(LENGTH - period, period) for period in range(low, high + 1)]
    return sum(count / period for count, period in known) / sum(count for count, _ in known)


# --- of a history ---


def columns(past: Past) -> dict[Variant, dict[int, Seeded]]:
    """Column → seed → variant."""
    table: dict[Variant, dict[int, Seeded]] = {}
    for name in past.variants:
        table.setdefault(name.column, {})[name.seed] = name
    return table


def seeds_of(past: Past) -> tuple[int, ...]:
    """All seeds, in order."""
    return tuple(sorted({name.seed for name in past.variants}))


def best_heads(past: Past, name: Seeded) -> dict[str, tuple[int, int]]:
    """The (layer, head) with the largest score of each kind at the newest kept step; the first before there is one."""
    kept = past.kept(name)
    return {kind: HEADS[int(kept[-1].arrays[kind].argmax())] if kept else HEADS[0] for kind in KINDS}


def latest(past: Past, name: Seeded) -> int:
    """The newest step of which the arrays of a variant were kept; -1 before there is one."""
    return max((record.step for record in past.kept(name)), default=-1)


def scores(record: Record) -> np.ndarray:
    """Of every head, the kinds one after the other."""
    return torch.stack([record.arrays[kind].float().flatten() for kind in KINDS]).flatten().numpy()


def maps(record: Record, heads: Mapping[str, tuple[int, int]]) -> np.ndarray:
    """The weights of these heads on the probe (probe, heads x n²), NaN where nothing may be looked at."""
    weights = [record.arrays[f"weights.{layer}"][:, head].float() for layer, head in heads.values()]
    return torch.cat([one.masked_fill(~PAST, math.nan).flatten(1) for one in weights], dim=1).numpy()


def of_probe(past: Past, key: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array that belongs to the seed (seeds, …)."""
    by_seed: dict[int, np.ndarray] = {}
    for name, records in past.records.items():
        arrays = next((record.arrays for record in records.values() if key in record.arrays), {})
        if arrays:
            by_seed.setdefault(name.seed, arrays[key].numpy().astype(np.float32))
    return np.stack([by_seed.get(seed, np.zeros(shape, dtype=np.float32)) for seed in seeds_of(past)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How far the seeds of a rule have come: the newest step, who passed HALF and when, and the best of the newest."""

    step: int
    passed: tuple[int, ...]
    seeds: int
    accuracy: float
    induction: float


def passage(past: Past, column: Variant) -> Passage | None:
    """Of all seeds of a rule; None before there is a record."""
    rows = [[record for _, record in sorted(past.records[name].items())] for name in _by_seed(past, column)]
    newest = [records[-1] for records in rows if records]
    if not newest:
        return None
    first = [next((record.step for record in records if record.accuracy >= HALF), None) for records in rows]
    return Passage(
        step=max(record.step for record in newest),
        passed=tuple(step for step in first if step is not None),
        seeds=len(rows),
        accuracy=max(record.accuracy for record in newest),
        induction=max(record.measures["induction"] for record in newest),
    )


def _by_seed(past: Past, column: Variant) -> list[Seeded]:
    return [name for _, name in sorted(columns(past)[column].items())]


# --- what is taken away ---


def arrays(run: Racers) -> dict[str, np.ndarray]:
    """Every measure of every record; the scores of every head, and all maps of the probe."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records, stem = run.records(name), stem_of(name)
        out |= measured(name, records)
        kept = [record for record in records if record.arrays]
        if not kept:
            continue
        out[f"{stem}_tokens"] = kept[0].arrays["tokens"].numpy()
        out[f"{stem}_periods"] = kept[0].arrays["periods"].numpy()
        for key in (*KINDS, *(f"weights.{layer}" for layer in range(Induction().n_layer))):
            values = torch.stack([record.arrays[key].float() for record in kept])
            out[f"{stem}_{key.replace('.', '_')}"] = values.numpy()
    return out


def script(run: Racers) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    return filled(Path(__file__).with_name("script.py"), configs=listed(run.experiments.values()), kinds=KINDS)
