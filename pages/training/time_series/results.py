"""The table of errors, what follows from it in sentences, and the table over several series."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from attention_core.experiments.base import Record
from attention_core.experiments.series import Series
from pages.training.time_series.numbers import FAST, NAIVE, OnWorld
from pages.training.time_series.scene import Scene
from pages.training.time_series.world import Lines, World
from ui.compute.runs import Run
from ui.numbers import significant
from ui.text import Words

CLEARLY = 1.1  # times as large: below that an error is called about the same
DRIFT = 0.05  # the share of test values beyond the training range from which on it is called a drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model's errors at its last record: means over seeds, and their standard deviation."""

    model: str
    parameters: int
    step: int
    seeds: int
    mse: float
    mse_sd: float = math.nan
    mae: float
    mae_sd: float = math.nan
    learned: float = math.nan


def rows(scene: Scene) -> list[Row]:
    """The table of errors, the smallest first; models that were not trained are left out."""
    squared, absolute = scene.world.naive_error
    table = [Row(model=NAIVE, parameters=0, step=0, seeds=0, mse=squared, mae=absolute)]
    for model, seeds in scene.records.items():
        last = [records[max(records)] for records in seeds.values() if records]
        last = [record for record in last if record.step > 0 and math.isfinite(record.accuracy)]
        if last:
            table.append(_row(replace(scene.world.config, model=model), last))
    return sorted(table, key=lambda row: row.mse)


def _row(config: Series, last: Sequence[Record]) -> Row:
    mse, mae = [record.accuracy for record in last], [record.measures["mae"] for record in last]
    return Row(
        model=config.model,
        parameters=sum(one.numel() for one in config.build().parameters()),
        step=min(record.step for record in last),
        seeds=len(last),
        mse=float(np.mean(mse)),
        mse_sd=_sd(mse),
        mae=float(np.mean(mae)),
        mae_sd=_sd(mae),
        learned=float(np.mean([record.measures["learned"] for record in last])),
    )


def _sd(values: Sequence[float]) -> float:
    """Standard deviation of a sample; NaN of a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def spread(mean: float, sd: float) -> str:
    """1.39 ± 0.07."""
    return significant(mean, 3) + (f" ± {significant(sd, 2)}" if math.isfinite(sd) else "")


def table(rows: Sequence[Row], page: Words) -> dict[str, list[str]]:
    """The rows as text."""
    columns: dict[str, Callable[[Row], str]] = {
        "model": lambda row: page[f"model.{row.model}"],
        "mse": lambda row: spread(row.mse, row.mse_sd),
        "mae": lambda row: spread(row.mae, row.mae_sd),
        "learned": lambda row: significant(row.learned, 3, undefined="–"),
        "seeds": lambda row: str(row.seeds or "–"),
        "parameters": lambda row: str(row.parameters),
        "step": lambda row: str(row.step or "–"),
    }
    return {page[f"table.{name}"]: [write(row) for row in rows] for name, write in columns.items()}


def conclusions(rows: Sequence[Row], world: World, page: Words) -> list[str]:
    """What the numbers say, Markdown: only of what was trained to its end."""
    error = {row.model: row.mse for row in rows if row.model == NAIVE or row.step >= world.config.steps}
    learned = {row.model: row.learned for row in rows}
    pairs = [("attention+trend", "attention", "trend"), ("frequency", "attention", "frequency")]
    straight = min((model for model in FAST if model in error), key=error.__getitem__, default=None)
    if straight:
        pairs.append((straight, "attention+trend", "linear"))
        if "attention" not in error:
            pairs.append((straight, NAIVE, "straight"))
    lines = [_compared(error, "attention", NAIVE, "naive", page)]
    if "attention" in error:
        lines.append(_drift(error["attention"], learned["attention"], world, page))
    lines += [_compared(error, one, other, key, page) for one, other, key in pairs]
    return [line for line in lines if line]


def _compared(error: Mapping[str, float], one: str, other: str, key: str, page: Words) -> str:
    """Which of two errors is larger, and how many times; nothing where one is not known."""
    if one not in error or other not in error:
        return ""
    ratio = error[one] / error[other] if error[other] else math.inf
    sign = "same" if 0.9 < ratio < 1 / 0.9 else "worse" if ratio > 1 else "better"
    times = float(f"{max(ratio, 1 / ratio if ratio else math.inf):.2g}")
    ours, theirs = (float(f"{error[model]:.3g}") for model in (one, other))
    return page.format(f"says.{key}_{sign}", one=ours, other=theirs, times=times)


def _drift(test: float, learned: float, world: World, page: Words) -> str:
    """Whether values it has never seen explain that attention is worse on the test part."""
    away, worse = world.outside >= DRIFT, test > CLEARLY * learned
    key = "drift" if away and worse else "drift_held" if away else "no_drift"
    numbers = {"learned": f"{learned:.3g}", "test": f"{test:.3g}", "share": f"{100 * world.outside:.2g}"}
    return page.format(f"says.{key}", **{name: float(number) for name, number in numbers.items()})


def says_lines(lines: Lines) -> str:
    """The key of the sentence that compares a line through everything with one since the last change point."""
    if lines.whole > CLEARLY * lines.since:
        return "lines.says_better"
    return "lines.says_worse" if lines.since > CLEARLY * lines.whole else "lines.says_same"


def over_series(run: Run[OnWorld, Series], naive: Mapping[int, float], page: Words) -> dict[str, list[str]]:
    """Errors by model and series, their mean and standard deviation, the smallest first; what is not done is left out.

    `naive`: the error of repeating the season, by series.
    """
    errors: dict[str, dict[int, float]] = {NAIVE: dict(naive)}
    for name, records in run.complete().items():
        errors.setdefault(name.model, {})[name.world] = records[-1].accuracy
    means = {model: float(np.mean(list(own.values()))) for model, own in errors.items()}
    order = sorted(errors, key=means.__getitem__)
    table = {
        page["table.model"]: [page[f"model.{model}"] for model in order],
        page["many.mean"]: [spread(means[model], _sd(list(errors[model].values()))) for model in order],
    }
    for world in naive:
        cells = [significant(errors[model].get(world, math.nan), 3, undefined="–") for model in order]
        table[page.data("many.series", world=world)] = cells
    return table
