"""The runs that pages begin with, so that nobody has to train before there is something to see.

`python -m attention_core.experiments.recorded OUT [NAME …]` trains them from their seeds and writes, for every
experiment, NPZ with its records, and `recorded.json`, which says what each file is worth: SHA-256 of the file, the
fingerprint of all its records, how long it has trained, on what and when. Curves keep every record; of the arrays a
file has those that are drawn, at all steps or at a few.
"""

import argparse
import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any

import torch
from torch import Tensor

from attention_core.experiments.alignment import TASKS, Alignment
from attention_core.experiments.base import KEPT, Experiment, Record, kept_steps
from attention_core.experiments.hard import MODES, Hard
from attention_core.experiments.induction import Induction
from attention_core.experiments.needle import Needle
from attention_core.experiments.pronoun import Pronoun
from attention_core.experiments.series import Series
from attention_core.experiments.sort import Sort, dissected
from attention_core.experiments.store import fingerprint, save_records, save_weights

FACTS = "recorded.json"
RULES = ("none", "inverse_sqrt")
LOCAL = ("local_m", "local_p")
WORLDS = range(5)
MATRICES = ("W_Q.0", "W_K.0", "W_V.0")


def _trained(config: Experiment) -> Iterator[Record]:
    return config.records()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Experiments by the name of their file, and what of their records is kept.

    `arrays`: which, at `kept` steps at most; `weights`: the names whose last weights are a file too; `record`: what
    makes the records, where that is not training alone.
    """

    experiments: Mapping[str, Experiment]
    arrays: tuple[str, ...] = ()
    kept: int = KEPT
    weights: tuple[str, ...] = ()
    record: Callable[[Any], Iterator[Record]] = _trained


def _sorting(**settings: Any) -> dict[str, Sort]:  # noqa: ANN401 whatever fields Sort has
    return {rule: Sort(rule=rule, **settings) for rule in RULES}


def _forecasts(models: Iterable[str], seeds: Iterable[int] = (0,), **settings: Any) -> dict[str, Series]:  # noqa: ANN401
    """Of a series with a drift, a season and noise."""
    base = Series(slope=1.0, season=1.0, segment=500, noise=0.3, **settings)
    return {f"{model}_{seed}": replace(base, model=model, seed=seed) for seed in seeds for model in models}


def _many_series() -> dict[str, Series]:
    models = ("linear", "linear+trend", "auto_correlation+trend", "frequency")
    return {
        f"{name}_{world}": config
        for world in WORLDS
        for name, config in _forecasts(models, every=400, world=world).items()
    }


def _transition() -> dict[str, Sort]:
    base = Sort(lr=1e-2, every=100)
    unscaled = {f"none_{d_k}": replace(base, rule="none", d_k=d_k) for d_k in (4, 8, 16, 24, 32, 64)}
    return unscaled | {
        f"inverse_sqrt_{scale:g}": replace(base, input_scale=scale) for scale in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    }


RECIPES = {
    "scaling_race": Recipe(
        experiments=_sorting(every=10),
        arrays=("tokens", "weights", *MATRICES, *(f"grad.{name}" for name in MATRICES)),
        kept=11,
    ),
    "scaling_race_anatomy": Recipe(experiments=_sorting(every=10), record=dissected),
    "scaling_race_transition": Recipe(experiments=_transition()),
    "induction": Recipe(
        experiments={rule: Induction(rule=rule, steps=350, every=10, stop_at=2.0) for rule in RULES},
        arrays=("tokens", "periods", "previous", "induction", "weights.0", "weights.1"),
    ),
    "pronoun": Recipe(experiments={"inverse_sqrt": Pronoun(every=40)}, arrays=("weights", *MATRICES[:2]), kept=16),
    "long_range": Recipe(
        experiments={
            "attention": Needle(seconds=20.0, steps=240, every=1),
            **{kind: Needle(kind=kind, seconds=20.0, steps=8000, every=10) for kind in ("gru", "lstm")},
        },
        arrays=("tokens", "weights"),
        weights=("attention",),
    ),
    "alignment": Recipe(
        experiments={
            mode: Alignment(task="reverse", mode=mode, D=2, lr=5e-3, steps=500, every=13) for mode in ("global", *LOCAL)
        },
        arrays=("alignment", "center"),
    ),
    "time_series": Recipe(
        experiments={
            **_forecasts(("linear", "linear+trend"), range(3), every=25, world=1),
            **_forecasts(("auto_correlation+trend", "frequency", "attention", "attention+trend"), every=25, world=1),
        },
        arrays=("forecast", "weights"),
        kept=9,
    ),
    "time_series_many": Recipe(experiments=_many_series()),
    "hard_soft": Recipe(experiments={mode: Hard(mode=mode) for mode in MODES}),
    "local": Recipe(
        experiments={
            f"{task}_{mode}": Alignment(task=task, mode=mode, steps=500, every=25) for task in TASKS for mode in LOCAL
        },
        arrays=("alignment", "center"),
    ),
}


def thinned(recipe: Recipe, config: Experiment, records: Sequence[Record]) -> list[Record]:
    """Every record with its numbers, and the arrays that are kept at the steps that keep some; the last always does."""
    kept = kept_steps(config.steps, config.every, recipe.kept) | {records[-1].step}
    return [
        replace(record, arrays=_drawn(record, recipe) if record.step in kept else {}, state={}) for record in records
    ]


def _drawn(record: Record, recipe: Recipe) -> dict[str, Tensor]:
    return {name: record.arrays[name] for name in recipe.arrays if name in record.arrays}


def record(name: str, out: Path) -> dict[str, Any]:
    """Train what goes by this name, write its files into `out/name`, and say what they are worth."""
    recipe, folder = RECIPES[name], out / name
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for stem, config in recipe.experiments.items():
        began = process_time()
        records = list(recipe.record(config))
        seconds = process_time() - began
        data = {"npz": save_records(config, thinned(recipe, config, records))}
        if stem in recipe.weights:
            data["safetensors"] = save_weights(config, records[-1].state)
        for ending, content in data.items():
            (folder / f"{stem}.{ending}").write_bytes(content)
        files[stem] = {
            "seconds": round(seconds, 1),
            "fingerprint": fingerprint(records),
            **{ending: sha256(content).hexdigest() for ending, content in data.items()},
        }
        print(name, stem, f"{seconds:.1f} s", f"{records[-1].accuracy:.4f}", flush=True)
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "files": files,
    }


def processor() -> str:
    """What it was trained on, as the system calls it."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def main() -> None:
    """Train those that are named, or all, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    torch.set_num_threads(1)
    facts = args.out / FACTS
    for name in args.names or RECIPES:
        own = record(name, args.out)
        known = json.loads(facts.read_text(encoding="utf-8")) if facts.exists() else {}
        known[name] = own
        facts.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
