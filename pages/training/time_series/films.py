"""A scene → films: forecasts, weights, errors by step."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from attention_core.experiments.series import SHOWN, Series
from pages.training.time_series.numbers import CORES
from pages.training.time_series.scene import Scene
from ui.components.lab import Film
from ui.training.history import LOWEST

CODES = 254  # bytes of weights: (c/254)² is the weight, 255 says that there is none
TRUTH, REPEATED = "truth", "naive"  # columns beside those of the models
ENDS = ("mean", "least", "most")  # of the seeds


def seeds_columns(model: str) -> tuple[str, str, str]:
    """The columns of a model: mean, least and most of its seeds."""
    mean, least, most = (f"{model}.{end}" for end in ENDS)
    return mean, least, most


def films(scene: Scene, *, all_steps: bool) -> list[Film]:
    """Forecasts, weights and errors; maps at every step, or the newest while it trains."""
    steps = range(len(scene.steps)) if all_steps else [len(scene.steps) - 1]
    columns = forecast_columns(scene)
    forecast, past = _forecasts(scene, steps, live=not all_steps)
    low, high = axis(scene)
    for model in filter(scene.untrained, scene.models):  # a line along the edge would be mistaken for a forecast
        at = [columns.index(name) for name in seeds_columns(model)]
        drawn = forecast[..., at]
        forecast[..., at] = np.where((drawn < low) | (drawn > high), np.nan, drawn)
    along = partial(_film, all_steps=all_steps)
    out = [
        along("forecast", forecast, ("window", "ahead"), columns=columns),
        Film("past", np.clip((past - low) / (high - low), 0, 1), ("window",)),
        Film("errors", errors(scene), ("step",), columns=error_columns(scene)),
    ]
    if scene.attentions:
        weights = [_weights(scene, model, steps, live=not all_steps) for model in scene.attentions]
        own = [forecast[..., [columns.index(name) for name in own_columns(model)]] for model in scene.attentions]
        out.append(along("weights", np.stack(weights, axis=1), ("which", "window", "head", "ahead"), codes=CODES))
        out.append(along("own", np.stack(own, axis=1), ("which", "window", "ahead"), columns=(TRUTH, REPEATED, *ENDS)))
    for core in ("frequency_attention", "auto_correlation"):
        for model in scene.with_core(core):
            values = _stack(scene, model, steps, live=not all_steps)
            out.append(along(core, values.reshape(*values.shape[:2], -1), ("window",)))
    return out


def _film(
    name: str,
    values: np.ndarray,
    axes: tuple[str, ...],
    *,
    all_steps: bool,
    columns: tuple[str, ...] = (),
    codes: int = 0,
) -> Film:
    """Along the steps, or without this axis where there is one step."""
    if all_steps:
        return Film(name, values, ("step", *axes), columns=columns, codes=codes)
    return Film(name, values[0], axes, columns=columns, codes=codes)


def forecast_columns(scene: Scene) -> tuple[str, ...]:
    """The truth, the naive forecast, and mean, least and most of the seeds of each model."""
    return TRUTH, REPEATED, *(name for model in scene.models for name in seeds_columns(model))


def own_columns(model: str) -> tuple[str, ...]:
    """Of the forecasts, those of one model and what it is compared with."""
    return TRUTH, REPEATED, *seeds_columns(model)


def error_columns(scene: Scene) -> tuple[str, ...]:
    """Mean, least and most of the seeds of each model; the naive forecast comes last, alone."""
    return *(name for model in scene.models for name in seeds_columns(model)), REPEATED


def axis(scene: Scene) -> tuple[float, float]:
    """What the forecasts are drawn between: the truth, and what the models say in the end."""
    forecast, past = _forecasts(scene, [len(scene.steps) - 1], live=True)
    means = [forecast_columns(scene).index(name) for name, *_ in map(seeds_columns, scene.models)]
    seen = np.concatenate([past.ravel(), forecast[..., :2].ravel(), forecast[..., means].ravel()])
    seen = seen[np.isfinite(seen)]
    known = np.concatenate([past.ravel(), forecast[..., 0].ravel()])
    wide = float(known.max() - known.min()) or 1.0
    # A bad forecast may be anywhere: three times the room of the truth is enough to see that it is bad.
    low, high = max(float(seen.min()), float(known.min()) - wide), min(float(seen.max()), float(known.max()) + wide)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def errors(scene: Scene) -> np.ndarray:
    """log₁₀ of the test error (steps, `error_columns`)."""
    table = np.full((len(scene.steps), len(error_columns(scene))), np.nan)
    for model, seeds in scene.records.items():
        start = error_columns(scene).index(seeds_columns(model)[0])
        for row, step in enumerate(scene.steps):
            recorded = [records[step].accuracy for records in seeds.values() if step in records]
            finite = [error for error in recorded if math.isfinite(error)]
            if finite:
                values = np.array([np.mean(finite), min(finite), max(finite)])
                table[row, start : start + 3] = np.log10(np.maximum(values, 10**LOWEST))
    table[:, -1] = math.log10(max(scene.world.naive_error[0], 10**LOWEST))
    return table


def _forecasts(scene: Scene, steps: Sequence[int], *, live: bool) -> tuple[np.ndarray, np.ndarray]:
    """(steps, windows, horizon, `forecast_columns`), and the past (windows, n): in units of the series, relative to the
    mean of the look-back.
    """
    world = scene.world
    scale = world.config.scale()[1]
    level = world.past.mean(axis=-1, keepdims=True)
    columns = forecast_columns(scene)
    out = np.full((len(steps), *world.future.shape, len(columns)), np.nan)
    out[..., 0], out[..., 1] = (world.future - level) * scale, (world.naive - level) * scale
    for model in scene.models:
        start = columns.index(seeds_columns(model)[0])
        for place, index in enumerate(steps):
            records = [scene.at(model, seed, index, live=live) for seed in scene.records[model]]
            seeds = [(record.arrays["forecast"].numpy() - level) * scale for record in records if record]
            if seeds:
                many = np.stack(seeds)
                ends = many.mean(axis=0), many.min(axis=0), many.max(axis=0)
                out[place, ..., start : start + 3] = np.stack(ends, axis=-1)
    return out, (world.past - level) * scale


def _weights(scene: Scene, model: str, steps: Sequence[int], *, live: bool) -> np.ndarray:
    """Bytes (steps, windows, heads, horizon, past) of the first seed."""
    values = _stack(scene, model, steps, live=live)
    # Never exactly 0, which no weight is: an axis that follows shares would then reach up to 1.
    coded = np.clip(np.round(CODES * np.sqrt(np.nan_to_num(values))), 1, CODES).astype(np.uint8)
    return np.where(np.isnan(values), np.uint8(CODES + 1), coded)


def _stack(scene: Scene, model: str, steps: Sequence[int], *, live: bool) -> np.ndarray:
    """The weights of the first seed at every step, NaN where there are none."""
    empty = np.full(SHAPES[CORES[model]](scene.world.config), np.nan, dtype=np.float32)
    first = next(iter(scene.records[model]))
    records = [scene.at(model, first, index, live=live) for index in steps]
    return np.stack([record.arrays["weights"].float().numpy() if record else empty for record in records])


def modes(of: Series) -> int:
    """Frequencies of a look-back."""
    return of.past // 2 + 1


SHAPES: dict[str, Callable[[Series], tuple[int, ...]]] = {  # core → shape of its weights
    "attention": lambda of: (SHOWN, of.n_head, of.horizon, of.past),
    "auto_correlation": lambda of: (SHOWN, of.past),
    "frequency_attention": lambda of: (SHOWN, modes(of), modes(of)),
}
