"""The race for the needle in the middle: who races, on which clock, and what is taken away."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
from torch import Tensor

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.gradient_reach import ATTENTION, LAYER_KINDS
from attention_core.experiments.needle import SHOWN, Needle
from ui.compute.runs import Run, Variant, agree
from ui.scripts import filled
from ui.training.history import History, Measure
from ui.training.taken import listed, stem_of

MODELS = (ATTENTION, "gru", "lstm", "lstm_forget", "bilstm", "bigru", "rnn")
LENGTHS = (64, 128, 256)
BUDGETS = (2, 5, 10, 20, 45)
RATES = (1e-3, 3e-3, 1e-2)
# Attention needs few steps, and each is recorded; the others take many.
PACE = {ATTENTION: (240, 1)}
PATIENT = (8000, 10)
MOST_WEIGHT = 0.5  # of the weight, on the needle: who gives so much looks at it
PARTS, SHORTEST = 60, 0.01  # stops of the clock, and the first after 0 as a share of the budget
FREE = ("kind", "length", "seconds", "lr", "steps", "every", "seed", "batch", "evaluated")  # what may be chosen
MEASURES = (Measure(key="accuracy", high=1.0), Measure(key="loss"), Measure(key="steps", logs=True, low=0.0))

Racers = Run[Variant, Needle]


def variant(config: Needle) -> Variant:
    """What a configuration is called."""
    return Variant(config.kind)


def race(kinds: Sequence[str], *, length: int, seconds: int, lr: float, seed: int) -> dict[Variant, Needle]:
    """The models by their kind: one seed, so the same data; each may train for so many seconds."""
    base = Needle(length=length, seconds=float(seconds), lr=lr, seed=seed)
    paces = {kind: PACE.get(kind, PATIENT) for kind in kinds}
    return {Variant(kind): replace(base, kind=kind, steps=steps, every=every) for kind, (steps, every) in paces.items()}


def known(config: Experiment) -> TypeGuard[Needle]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Needle)
        and config.kind in LAYER_KINDS
        and config.length in LENGTHS
        and config.seconds is not None
        and 1 <= config.seconds <= BUDGETS[-1]
        and 1 <= config.steps <= PATIENT[0]
        and config.every >= 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and 1e-6 < config.lr < 1
        and agree(config, Needle(), but=FREE)
    )


def evaluated(run: Racers) -> int:
    """Sequences on which the accuracy is measured."""
    return max(config.evaluated for config in run.experiments.values())


def attending(run: Racers) -> list[Variant]:
    """Those that have weights to show."""
    return [name for name in run.experiments if name.model == ATTENTION]


# --- the clock ---


def budget(run: Racers) -> float:
    """Seconds that each may train."""
    return max(config.seconds or 0.0 for config in run.experiments.values())


def clock(seconds: float) -> tuple[float, ...]:
    """The stops of the clock: 0, then by a constant factor up to the budget, so that a quick success has room."""
    first = SHORTEST * seconds
    return 0.0, *(first * (seconds / first) ** (part / (PARTS - 1)) for part in range(PARTS))


def trained(record: Record) -> float:
    """Seconds spent training until this record."""
    return record.measures.get("seconds", 0.0)


def timeline(run: Racers, *, held: bool = False) -> History[Variant]:
    """The records along the clock instead of the steps: at every stop the newest record, until the last.

    `held`: what has ended stays as it was until the end of the clock, and what keeps no arrays has those before it.
    """
    stops = clock(budget(run))
    records = {name: _on_the_clock(run.records(name), stops, held=held) for name in run.experiments}
    return History(tuple(range(PARTS + 1)), records)


def _on_the_clock(records: Sequence[Record], stops: Sequence[float], *, held: bool) -> dict[int, Record]:
    at: dict[int, Record] = {}
    arrays: Mapping[str, Tensor] = {}
    for record in records:
        arrays = record.arrays or (arrays if held else {})
        late = next((part for part, stop in enumerate(stops) if stop >= trained(record)), PARTS)
        measures = {**record.measures, "steps": float(record.step)}
        at[late if record.step else 0] = replace(record, measures=measures, arrays=arrays)
    last = PARTS if held and at else max(at, default=-1)
    for part in range(last + 1):
        at.setdefault(part, at.get(part - 1) or at[min(at)])
    return at


def share(run: Racers) -> float:
    """How much of all budgets is spent; a model that has ended counts as a whole one."""
    whole, spent = budget(run), []
    for name, config in run.experiments.items():
        records = run.records(name)
        over = bool(records) and (bool(records[-1].state) or records[-1].step >= config.steps)
        spent.append(1.0 if over or name in run.diverged else trained(records[-1]) / whole if records else 0.0)
    return min(1.0, sum(spent) / len(spent))


# --- what of a record is drawn ---


def weights(record: Record) -> np.ndarray:
    """Of the token that asks, first on itself: a row sums to 1, and the records keep the n symbols only."""
    symbols = record.arrays["weights"].float().numpy()
    return np.concatenate([np.clip(1 - symbols.sum(axis=-1, keepdims=True), 0, 1), symbols], axis=-1)


def needle(run: Racers, name: Variant) -> np.ndarray:
    """1 where the flag is, NaN elsewhere (probe, [the token that asks, n symbols])."""
    flags = next((record.arrays["tokens"][..., 1] for record in run.records(name) if "tokens" in record.arrays), None)
    if flags is None:
        return np.full((SHOWN, run.experiments[name].length + 1), np.nan, dtype=np.float32)
    outline = np.where(flags.numpy() > 0, np.float32(1.0), np.float32(np.nan))
    return np.pad(outline, ((0, 0), (1, 0)), constant_values=math.nan)


def telling(run: Racers) -> int:
    """Of the probe's sequences the first whose needle attention looks at in the end; the very first without one."""
    lasts = [record for name in attending(run) for record in run.records(name) if "weights" in record.arrays][-1:]
    for record in lasts:
        looked = (record.arrays["weights"].float() * record.arrays["tokens"][..., 1]).sum(dim=-1)
        return int((looked > MOST_WEIGHT).int().argmax())
    return 0


# --- what is taken away ---


def arrays(run: Racers) -> dict[str, np.ndarray]:
    """Step, seconds, loss and accuracy of every record, and attention's weights where they were kept."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records, stem = run.records(name), stem_of(name)
        out[f"{stem}_step"] = np.array([record.step for record in records])
        out[f"{stem}_seconds"] = np.array([trained(record) for record in records])
        out[f"{stem}_loss"] = np.array([record.loss for record in records])
        out[f"{stem}_accuracy"] = np.array([record.accuracy for record in records])
        kept = [record for record in records if "weights" in record.arrays]
        if kept:
            out[f"{stem}_weights"] = np.stack([record.arrays["weights"].float().numpy() for record in kept])
            out[f"{stem}_weights_step"] = np.array([record.step for record in kept])
    return out


def script(run: Racers) -> str:
    """A script that trains the same models for as long and prints what was recorded."""
    return filled(Path(__file__).with_name("script.py"), configs=listed(run.experiments.values()))
