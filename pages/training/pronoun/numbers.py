"""The training that taught the layer: what races, what of its records is drawn and taken away."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.pronoun import EXAMPLE, Pronoun
from attention_core.models import Trained
from pages.training.pronoun.reading import HEADS
from ui.compute.runs import Run, Variant, agree
from ui.scripts import filled
from ui.training.history import SIDE, History, Measure, fitted
from ui.training.taken import listed, measured, stem_of

RULES = ("none", "inverse_sqrt", "inverse")  # QK-norm has no W_Q that gives q, so it could not read a sentence
D_K = (8, 16, 32, 64)
RATES = (1e-3, 3e-3, 1e-2)
MOST_STEPS = 2400
STOPS = 30  # of the scrubber, besides step 0
FREE = ("rule", "d_k", "lr", "steps", "every", "seed", "batch", "evaluated")  # what may be chosen
MATRICES = ("W_Q", "W_K")
MEASURES = (
    Measure(key="loss"),
    Measure(key="accuracy", high=1.0),
    Measure(key="unseen", high=1.0),
    Measure(key="far", high=1.0),
)
PROBE = tuple(EXAMPLE.split())
ASKS, LAW = PROBE.index("its"), PROBE.index("law")

Learners = Run[Variant, Pronoun]


def variant(config: Pronoun) -> Variant:
    """What a configuration is called."""
    return Variant(config.rule)


def race(rules: Sequence[str], *, d_k: int, lr: float, steps: int, seed: int) -> dict[Variant, Pronoun]:
    """The variants by their rule: one seed, so the same sentences and the same other initial weights."""
    base = Pronoun(d_k=d_k, lr=lr, steps=steps, every=max(1, math.ceil(steps / STOPS)), seed=seed)
    return {Variant(rule): replace(base, rule=rule) for rule in rules}


def known(config: Experiment) -> TypeGuard[Pronoun]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Pronoun)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and config.seed >= 0
        and 0 < config.batch <= 256
        and 64 <= config.evaluated <= 2000
        and agree(config, Pronoun(), but=FREE)
    )


def finished(run: Learners | None) -> dict[Variant, Trained]:
    """The layers of a run that came to their end, by variant."""
    layers: dict[Variant, Trained] = {}
    for name, config in run.experiments.items() if run else ():
        records = run.records(name) if run else ()
        if records and records[-1].state:
            network = config.build()
            network.load_state_dict(dict(records[-1].state))
            layers[name] = Trained(config, network)
    return layers


def distance(run: Learners, shipped: Trained) -> float | None:
    """How far the weights of the variant that has the recipe of the shipped layer are from it; None without one."""
    recipe = shipped.config
    for name, model in finished(run).items():
        if replace(run.experiments[name], every=recipe.every) == recipe:
            tokens = model.tokenize(EXAMPLE)
            (ours, out), (theirs, other) = (
                (one.run(tokens).layers[0].projections, one.run(tokens).output) for one in (model, shipped)
            )
            pairs = [(getattr(ours, matrix), getattr(theirs, matrix)) for matrix in (*MATRICES, "W_V", "W_O")]
            return max(float((one - two).abs().max()) for one, two in [*pairs, (out, other)])
    return None


# --- what of a record is drawn ---


def weights(record: Record) -> np.ndarray:
    """On the probe (heads, n²)."""
    return record.arrays["weights"].float().flatten(1).numpy()


def on_law(record: Record) -> np.ndarray:
    """From its to law, of every head."""
    return record.arrays["weights"][:, ASKS, LAW].float().numpy()


def matrices(record: Record, matrix: str, before: Tensor, wide: int) -> np.ndarray:
    """(views, heads, cells): the matrix, turned, and what has been added to it since `before`."""
    now = record.arrays[f"{matrix}.0"].float()
    views = [values.mT.numpy() for values in (now, now - before.float())]
    return np.stack([[fitted(view[head], wide, SIDE).reshape(-1) for head in range(HEADS)] for view in views])


def width(past: History[Variant]) -> int:
    """Columns of W_Q and W_K in the widest variant: they are drawn as rows, so a matrix lies and fills its place."""
    kept = [record for name in past.variants for record in past.kept(name)]
    shapes = [record.arrays[f"{matrix}.0"].shape[-1] for record in kept for matrix in MATRICES]
    return min(SIDE, max(shapes, default=Pronoun().d_k))


def largest(films: Sequence[np.ndarray]) -> float:
    """The largest number; 1 where there is none."""
    return max((float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) for values in films), default=0.0) or 1.0


# --- what is taken away ---


def arrays(run: Learners) -> dict[str, np.ndarray]:
    """Every measure of every record, and the weights on the probe."""
    out: dict[str, np.ndarray] = {"words": np.array(PROBE)}
    for name in run.experiments:
        records = run.records(name)
        out |= measured(name, records)
        kept = [record.arrays["weights"].float() for record in records if record.arrays]
        if kept:
            out[f"{stem_of(name)}_weights"] = torch.stack(kept).numpy()
    return out


def script(run: Learners) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    return filled(Path(__file__).with_name("script.py"), configs=listed(run.experiments.values()))
