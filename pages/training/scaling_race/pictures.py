"""The SORT race (E1) → films and pictures; the transition, the anatomy of the gradient, and what can be taken away."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import SHOWN, Sort, anatomy
from ui.components.lab import Controls, Film, Heading, Map, Plot, Slider
from ui.compute.runs import Run
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import SIDE, History, Measure, curves, film, fitted, measured, stem_of, step_slider

D_K = (4, 8, 16, 24, 32, 48, 64, 128, 256)
SCALES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
RATES = (1e-3, 3e-3, 1e-2)
MOST_STEPS = 1000
STOPS = 30  # of the scrubber, besides step 0
MATRICES = ("W_Q", "W_K", "W_V")
MEASURES = (
    Measure(key="loss"),
    Measure(key="accuracy", high=1.0),
    Measure(key="entropy.0", high=1.0),
    Measure(key="gain_median.0", logs=True, low=None, high=0.0),
    Measure(key="dead.0", high=1.0),
    Measure(key="snr.0", logs=True, low=None),
)
TITLES = ("loss", "accuracy", "entropy", "gain", "dead", "snr")
STACKS = ("left", "second", "second", "third", "third", "fourth")  # of twelve columns three each
NORM = Measure(key="norm", logs=True, low=None)
SWEEP_LR, SWEEP_EVERY = 1e-2, 100
SWEPT_D_K = (4, 8, 16, 24, 32, 64)
SWEPT_SCALES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
BREAK = 2 * math.sqrt(2 * math.log(Sort().length))  # 2σ_c: where theory puts the collapse (SCIENCE.md 3.1)
ANATOMY = (
    "gain_mean.0",
    "gain_median.0",
    "gain_low.0",
    "dead.0",
    "concentration.0",
    "d_W_Q",
    "snr",
    "cosine",
)


def race(rules: list[str], *, d_k: int, scale: float, lr: float, steps: int, drawn: int) -> dict[str, Experiment]:
    """The variants by their rule: one seed, so the same data and the same initial weights."""
    every = max(1, math.ceil(steps / STOPS))
    return {
        rule: Sort(rule=rule, d_k=d_k, input_scale=scale, lr=lr, steps=steps, every=every, seed=drawn) for rule in rules
    }


def known(config: Experiment) -> bool:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Sort)
        and config.rule in RULES
        and config.d_k in D_K
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 0 < config.batch <= 256
        and 0 < config.evaluated <= 2000
        and replace(
            config, rule="none", d_k=64, input_scale=1.0, softcap=None, lr=3e-3, steps=300, every=20, seed=0, batch=64,
            evaluated=1000, g0=10.0,
        ) == Sort(rule="none")
    )  # fmt: skip


def rule_of(config: Experiment) -> str:
    """The name of the variant."""
    assert isinstance(config, Sort)
    return config.rule


def hue(name: str) -> str:
    """The colour of a variant, also of a second one with the same rule."""
    return RULE_HUES[name.partition(" ")[0]]


def label(name: str, page: Words) -> str:
    """What a variant is called."""
    rule, _, number = name.partition(" ")
    return page[f"rule.{rule}"] + (f" ({number})" if number else "")


# --- pictures ---


def sliders(made: History, at: int, matrix: int, probe: int, page: Words) -> list[Slider]:
    """The scrubber, which matrix, which sequence of the probe."""
    return [
        step_slider(made, at, page["step"]),
        Slider(name="matrix", label=page["matrix"], readings=MATRICES, at=matrix, kind="switch"),
        Slider(
            name="probe", label=page["probe"], readings=tuple(str(index + 1) for index in range(SHOWN)), at=probe,
            kind="switch",
        ),
    ]  # fmt: skip


def films(made: History, *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps at every step, or at the newest while it trains."""
    names = made.names
    out = [
        Film("curves", made.table(MEASURES), ("step",)),
        Film("norms", norms(made), ("step", "matrix")),
        Film("tokens", tokens(made), ("probe",)),
    ]
    size = len(MATRICES), SIDE * SIDE
    for name in names:
        weights = made.frames(name, _weights, (SHOWN, Sort().length ** 2), all_steps=all_steps)
        values = made.frames(name, partial(_matrices, prefix=""), size, all_steps=all_steps)
        gradients = made.frames(name, partial(_matrices, prefix="grad."), size, all_steps=all_steps)
        out += [
            film(f"weights {name}", weights, ("probe",)),
            film(f"W {name}", values, ("matrix",)),
            film(f"dW {name}", gradients, ("matrix",)),
        ]
    return out


def norms(made: History) -> np.ndarray:
    """log₁₀ ‖∂L/∂W‖ (steps, matrices, variants)."""
    table = made.table([Measure(key=f"grad.{matrix}.0", logs=True) for matrix in MATRICES])
    return table.reshape(len(made.steps), len(MATRICES), len(made.names))


def tokens(made: History) -> np.ndarray:
    """Symbols of the probe's sequences (probe, n)."""
    for found in made.records.values():
        for record in found.values():
            if "tokens" in record.arrays:
                return record.arrays["tokens"].numpy().astype(np.float32)
    return np.zeros((SHOWN, Sort().length), dtype=np.float32)


def plots(made: History, sent: list[Film], page: Words) -> list[Plot]:
    """The scrubber and the curves; below them, for every variant, its weights on the probe, a matrix, its gradient."""
    names = made.names
    hues, labels = {name: hue(name) for name in names}, {name: label(name, page) for name in names}
    by_name = {film.name: film.values for film in sent}
    table, norm = by_name["curves"], by_name["norms"]
    out: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("step", "matrix", "probe")),
        Heading(name="legend", stack="left", legend=tuple((hues[name], labels[name]) for name in names)),
    ]
    drawn = {
        title: curves(
            made, table, MEASURES, index, hues=hues, labels=labels, title=page[f"curve.{title}"],
            note=page[f"curve.{title}_note"], stack=STACKS[index], below=page["exactly_0"],
            height=176 if title == "loss" else 188, narrow=4 if title == "loss" else 2,
        )
        for index, title in enumerate(TITLES)
    }  # fmt: skip
    gradient = curves(
        made, norm.reshape(len(made.steps), -1), [NORM], 0, hues=hues, labels=labels, title=page["curve.norm"],
        note=page["curve.norm_note"], stack="fourth", below=page["exactly_0"], height=188, film="norms",
    )  # fmt: skip
    out += [drawn["loss"], drawn["accuracy"], drawn["entropy"], drawn["gain"], drawn["dead"], drawn["snr"], gradient]
    symbols = tuple(map(str, range(Sort().symbols)))
    largest = _largest([by_name[f"W {name}"] for name in names], 1.0)
    steepest = _largest([by_name[f"dW {name}"] for name in names], 0.995)
    for name in names:
        out += [
            Map(
                name=f"map_weights_{name}", span=2, narrow=4, height=236, film=f"weights {name}", rows=len(symbols),
                cols=len(symbols), names=symbols, order="tokens", title=labels[name], note=page["map.weights"],
            ),
            Map(
                name=f"map_W_{name}", span=2, narrow=2, height=236, film=f"W {name}", rows=SIDE, cols=SIDE,
                scale="signed", low=-largest, high=largest, title=labels[name], note=page["map.W"],
                missing=page["map.no_column"], says=page["map.says"],
            ),
            Map(
                name=f"map_dW_{name}", span=2, narrow=2, height=236, film=f"dW {name}", rows=SIDE, cols=SIDE,
                scale="signed", low=-steepest, high=steepest, title=labels[name], note=page["map.dW"],
                missing=page["map.no_column"], says=page["map.says"],
            ),
        ]  # fmt: skip
    return out


def _weights(record: Record) -> np.ndarray:
    return record.arrays["weights"].float().flatten(1).numpy()


def _matrices(record: Record, prefix: str) -> np.ndarray:
    return np.stack([
        fitted(record.arrays[f"{prefix}{matrix}.0"][0].float().numpy(), SIDE, SIDE).reshape(-1) for matrix in MATRICES
    ])  # fmt: skip


def _largest(values: list[np.ndarray], share: float) -> float:
    sizes = np.concatenate([np.abs(each[np.isfinite(each)]).reshape(-1) for each in values])
    return float(np.quantile(sizes, share)) or 1.0 if sizes.size else 1.0


# --- the transition ---


def sweep(rules: list[str], *, steps: int, drawn: int) -> dict[str, Experiment]:
    """One training for every place on the axis: unscaled at several d_k, the others at several input scales."""
    made: dict[str, Experiment] = {}
    for rule in rules:
        places = (
            [(d_k, 1.0) for d_k in SWEPT_D_K] if rule == "none" else [(Sort().d_k, scale) for scale in SWEPT_SCALES]
        )
        for d_k, scale in places:
            config = Sort(
                rule=rule, d_k=d_k, input_scale=scale, lr=SWEEP_LR, steps=steps, every=SWEEP_EVERY, seed=drawn
            )
            made[f"{rule} {d_k} {scale:g}"] = config
    return made


Point = tuple[float, float]


def points(run: Run) -> dict[Sort, Point]:
    """Initial standard deviation of the scores and final accuracy of every training that is done."""
    found: dict[Sort, Point] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        if isinstance(config, Sort) and records and records[-1].step == config.steps:
            found[config] = records[0].measures["logit_std.0"], records[-1].accuracy
    return found


# --- the anatomy ---


@dataclass(frozen=True, kw_only=True, eq=False)
class Dissection:
    """E1c as an experiment of two records, before and after training: so that it waits its turn like any other."""

    config: Sort
    state: Mapping[str, Tensor]
    steps: int = 1
    every: int = 1

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.config.seed

    def build(self) -> nn.Module:
        """The untouched model."""
        return self.config.build()

    def records(self) -> Iterator[Record]:
        """What `anatomy` measures at step 0 and after the last; without weights these are trained again."""
        yield Record(step=0, loss=0.0, accuracy=0.0, measures=anatomy(replace(self.config, steps=0)))
        yield Record(step=1, loss=0.0, accuracy=0.0, measures=anatomy(self.config, state=self.state or None))


def dissections(run: Run) -> dict[str, Experiment]:
    """One for every variant that came to its end."""
    found: dict[str, Experiment] = {}
    for name, config in run.experiments.items():
        records = run.records(name)
        if isinstance(config, Sort) and records and records[-1].step == config.steps:
            found[name] = Dissection(config=config, state=records[-1].state)
    return found


# --- what is taken away ---


def arrays(run: Run, made: dict[Sort, Point]) -> dict[str, np.ndarray]:
    """Every measure of every record, the weights on the probe; and the points of the transition."""
    out: dict[str, np.ndarray] = {}
    for name in run.experiments:
        records = run.records(name)
        out |= measured(name, records)
        kept = [record.arrays["weights"][:, 0].float() for record in records if record.arrays]
        if kept:
            out[f"{stem_of(name)}_weights"] = torch.stack(kept).numpy()
    if made:
        rows = [
            (RULES.index(config.rule), config.d_k, config.input_scale, config.lr, config.steps, config.seed, *point)
            for config, point in made.items()
        ]
        out["transition"] = np.array(rows)
    return out


def snippet(run: Run) -> str:
    """A script that trains the same variants and prints what was recorded, and the fingerprints."""
    configs = ",\n    ".join(repr(config) for config in run.experiments.values())
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint

torch.set_num_threads(1)
for config in [
    {configs},
]:
    records = list(config.records())
    for record in records:
        measures = record.measures
        print(
            f"{{config.rule}} {{record.step}} loss {{record.loss:.6f}} accuracy {{record.accuracy:.6f}}",
            f"entropy {{measures['entropy.0']:.6f}} gain {{measures['gain_median.0']:.3e}}",
            f"SNR {{measures['snr.0']:.3e}}",
        )
    print(config.rule, "fingerprint", fingerprint(records))
"""
