"""One series and the models that forecast it: what can be chosen, and what is trained."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from attention_core.experiments.base import Experiment
from attention_core.experiments.series import NOISE, SHOWN, Series
from pages.training.time_series.reading import MOST
from ui.compute.runs import Run, Variant, agree

CORES = {  # model → what it does with the past; "+trend" takes the trend away first
    "linear": "linear",
    "linear+trend": "linear",
    "attention": "attention",
    "attention+trend": "attention",
    "frequency_attention+trend": "frequency_attention",
    "auto_correlation+trend": "auto_correlation",
    "frequency": "frequency",
    "frequency+trend": "frequency",
}
FAST = tuple(model for model, core in CORES.items() if core == "linear")
SLOW = tuple(model for model in CORES if model not in FAST)
NAIVE = "naive"
WORLDS = 5  # series on which the batch trains
WORLD = 1  # the made series the page begins with: one with a drift
SLOPES = (0.0, 0.5, 1.0, 2.0, 4.0)
SEASONS = (0.0, 0.5, 1.0, 2.0)
SEGMENTS = (0, 150, 500, 1500)
NOISES = (0.1, 0.3, 0.6, 1.0)
PASTS = (24, 48, 96)
SEEDS = (1, 2, 3, 5)
LIVE_SEEDS, LIVE_STEPS = 3, 400  # up to which the fast models are trained while the page is drawn
MOST_STEPS = 1200
STOPS = 16  # of the scrubber, besides step 0
FREE = ("model", "past", "horizon", "steps", "every", "seed", "world", "values")  # what may be chosen
PIECES = ("slope", "season", "segment", "noise")  # of a made series


@dataclass(frozen=True, slots=True)
class Seeded(Variant):
    """A model, and the seed that draws its initial weights and its batches."""

    seed: int = 0

    @property
    def stem(self) -> str:
        return f"{self.model} {self.seed}"


@dataclass(frozen=True, slots=True)
class OnWorld:
    """A model, and the made series on which the batch trains it."""

    model: str
    world: int


Forecasters = Run[Seeded, Series]


def base(
    *,
    slope: float = 1.0,
    season: float = 1.0,
    segment: int = 500,
    noise: float = NOISE,
    world: int = WORLD,
    past: int = 96,
    steps: int = 400,
    values: tuple[float, ...] = (),
) -> Series:
    """What all models on the page share: the series, how much of it they see, how long they train."""
    sized = Series(past=past, horizon=past // 2, steps=steps, every=max(1, math.ceil(steps / STOPS)))
    if values:
        return replace(sized, values=values, world=0)
    return replace(sized, slope=slope, season=season, segment=segment, noise=noise, world=world)


def shared(config: Series) -> Series:
    """The `base` of one of its variants."""
    return replace(config, model=Series().model, seed=0)


def variant(config: Series) -> Seeded:
    """What a configuration is called."""
    return Seeded(config.model, seed=config.seed)


def variants(of: Series, models: Sequence[str], seeds: int) -> dict[Seeded, Series]:
    """Every model with every seed, which draws its initial weights and its batches; the series stays."""
    configs = [replace(of, model=model, seed=seed) for seed in range(seeds) for model in _attention_last(models)]
    return {variant(config): config for config in configs}


def live(of: Series) -> bool:
    """Whether the fast models are trained while the page is drawn: with more steps they wait for their turn too."""
    return of.steps <= LIVE_STEPS


def on_demand(of: Series, models: Sequence[str], seeds: int) -> dict[Seeded, Series]:
    """What “Train” trains: the chosen models, and of the fast ones what is not trained anyway."""
    done = LIVE_SEEDS if live(of) else 0
    every = variants(of, [*FAST, *models], seeds)
    return {name: config for name, config in every.items() if name.model not in FAST or name.seed >= done}


def many(of: Series, models: Sequence[str]) -> dict[OnWorld, Series]:
    """Every model, and the linear ones, on WORLDS made series of the same settings: only the last record counts."""
    of = replace(of, seed=0, every=of.steps)
    names = [OnWorld(model, world) for model in (*FAST, *_attention_last(models)) for world in range(WORLDS)]
    return {name: replace(of, model=name.model, world=name.world) for name in names}


def on_world(config: Series) -> OnWorld:
    """What a configuration of the batch is called."""
    return OnWorld(config.model, config.world)


def _attention_last(models: Sequence[str]) -> list[str]:
    """It takes twenty times as long as the others."""
    return sorted(models, key=lambda model: CORES[model] == "attention")


def known(config: Experiment) -> TypeGuard[Series]:
    """Whether this page can show a run of this configuration."""
    return (
        isinstance(config, Series)
        and config.model in CORES
        and config.past in PASTS
        and config.horizon == config.past // 2
        and 1 <= config.steps <= MOST_STEPS
        and config.every >= 1
        and 0 <= config.seed < max(SEEDS)
        and 0 <= config.world <= 9999
        and (_own(config) if config.values else _made(config))
        and agree(config, Series(), but=(*FREE, *PIECES))
    )


def _own(config: Series) -> bool:
    """Whether a reader's series is long enough, and all numbers."""
    return least(config.past) <= len(config.values) <= MOST and all(map(math.isfinite, config.values))


def _made(config: Series) -> bool:
    """Whether a made series is one that can be chosen."""
    return config.slope in SLOPES and config.season in SEASONS and config.segment in SEGMENTS and config.noise in NOISES


def least(past: int) -> int:
    """How many numbers a series needs, so that its last 30 % hold SHOWN windows of look-back and horizon."""
    return math.ceil((past + past // 2 + SHOWN) / 0.3)


def enough(count: int) -> int:
    """The longest look-back for which so many numbers are enough; the shortest where there is none."""
    return max((past for past in PASTS if least(past) <= count), default=min(PASTS))
