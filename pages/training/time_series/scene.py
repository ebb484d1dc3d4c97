"""Everything that was trained on one series: the fast models, those of a run, and of others what is known untrained."""

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from attention_core.experiments.base import Record, recorded_steps
from attention_core.experiments.series import Series
from pages.training.time_series.numbers import (
    CORES,
    FAST,
    LIVE_SEEDS,
    SLOW,
    Forecasters,
    Seeded,
    live,
    shared,
    variants,
)
from pages.training.time_series.world import World
from ui.scripts import Code, filled
from ui.training.taken import stem_of

Records = Mapping[int, Record]  # by step


def train_fast(of: Series, seeds: int = LIVE_SEEDS) -> Generator[float, None, dict[Seeded, tuple[Record, ...]]]:
    """The records of the linear models; one record a piece."""
    configs = variants(of, FAST, seeds)
    records: dict[Seeded, list[Record]] = {name: [] for name in configs}
    for number, (name, config) in enumerate(configs.items()):
        for record in config.records():
            records[name].append(record)
            yield (number + record.step / config.steps) / len(configs)
    return {name: tuple(own) for name, own in records.items()}


def untouched(of: Series, model: str) -> Record:
    """Step 0 of a model, as far as it is known without measuring it on all windows."""
    config = replace(of, model=model)
    return Record(step=0, loss=math.nan, accuracy=math.nan, arrays=config.shown(config.build()))


@dataclass(frozen=True, eq=False)
class Scene:
    """All records that are drawn, by model and seed."""

    world: World
    records: Mapping[str, Mapping[int, Records]]
    others: int  # variants on other series, which are not drawn

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Recorded by any of them."""
        of = self.world.config
        seen = {step for seeds in self.records.values() for records in seeds.values() for step in records}
        return tuple(sorted(seen | set(recorded_steps(of.steps, of.every))))

    @property
    def models(self) -> tuple[str, ...]:
        """In the order of the page."""
        return tuple(self.records)

    @property
    def attentions(self) -> tuple[str, ...]:
        """Those with weights over the past."""
        return self.with_core("attention")

    def with_core(self, core: str) -> tuple[str, ...]:
        """Those that do this with the past."""
        return tuple(model for model in self.models if CORES[model] == core)

    def untrained(self, model: str) -> bool:
        """Whether only `untouched` is known of it."""
        return all(math.isnan(record.accuracy) for own in self.records[model].values() for record in own.values())

    def newest(self, slow: bool) -> int:
        """Index of the last step that has a record: of the models trained on demand if there are some."""
        asked = (*SLOW, *(() if live(self.world.config) else FAST))
        models = [model for model in self.models if not slow or model in asked]
        last = [max(own) for model in models for own in self.records[model].values() if own]
        return self.steps.index(max(last, default=0))

    def at(self, model: str, seed: int, index: int, *, live: bool = False) -> Record | None:
        """The record at a step or the last before it; None after the last of a run that was stopped. A model that was
        never trained stays at step 0.
        """
        records = self.records[model][seed]
        live = live or self.untrained(model)
        kept = [step for step in records if records[step].arrays and (live or step <= self.steps[index])]
        ended = max(records, default=-1)
        return records[max(kept)] if kept and (live or self.steps[index] <= ended) else None


def scene(
    world: World, run: Forecasters | None, fast: Mapping[Seeded, Sequence[Record]], models: Sequence[str]
) -> Scene:
    """The fast models, and those of a run on the same series; of further `models` step 0."""
    drawn: dict[str, dict[int, Records]] = {}
    for name, records in fast.items():
        drawn.setdefault(name.model, {})[name.seed] = _by_step(records)
    others = 0
    for name, config in run.experiments.items() if run else ():
        if shared(config) != world.config:
            others += 1
            continue
        records = _by_step(run.records(name) if run else ())
        seeds = drawn.setdefault(config.model, {})
        if max(records, default=-1) >= max(seeds.get(config.seed, ()), default=-1):  # the same, as far as they go
            seeds[config.seed] = records
    for model in models:
        if not any(drawn.get(model, {}).values()):
            drawn[model] = {0: {0: untouched(world.config, model)}}
    return Scene(world, {model: drawn[model] for model in CORES if model in drawn}, others)


def _by_step(records: Sequence[Record]) -> Records:
    return {record.step: record for record in records}


# --- what is taken away ---


def arrays(scene: Scene) -> dict[str, np.ndarray]:
    """The series and its parts, the errors of every record, the forecasts at the last."""
    world = scene.world
    out = {
        "series": world.values,
        "trend": world.parts.trend.numpy(),
        "season": world.parts.season.numpy(),
        "rest": world.parts.rest.numpy(),
        "change_points": np.array(world.changes),
        "steps": np.array(scene.steps),
        "past": world.past,
        "future": world.future,
        "naive": world.naive,
    }
    for model, seeds in scene.records.items():
        stem = stem_of(model)
        errors = [[own[step].accuracy if step in own else math.nan for step in scene.steps] for own in seeds.values()]
        out[f"{stem}_error"] = np.array(errors)
        last = [scene.at(model, seed, len(scene.steps) - 1, live=True) for seed in seeds]
        forecasts = [record.arrays["forecast"].numpy() for record in last if record]
        if forecasts:
            out[f"{stem}_forecast"] = np.stack(forecasts)
    return out


def script(scene: Scene) -> str:
    """A script that trains the same models and prints the errors of which the table shows the mean."""
    of = scene.world.config
    last = {(model, seed): max(own, default=0) for model, seeds in scene.records.items() for seed, own in seeds.items()}
    return filled(
        Path(__file__).with_name("script.py"),
        base=Code(repr(replace(of, values=()))),
        saved="time_series.npz" if of.values else None,
        period=scene.world.naive_period,
        trained=[(model, seed, step) for (model, seed), step in last.items() if step > 0],
    )
