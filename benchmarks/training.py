"""The tables of the experiments, trained again with their seeds: ours beside the values to expect.

`python -m benchmarks.training sort induction --seeds 1` trains some of the tables on fewer seeds; without arguments
all of them on all seeds, which takes about half an hour on two cores. One process per core, each with one thread.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import torch

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.induction import Induction
from attention_core.experiments.needle import Needle
from attention_core.experiments.series import NAIVE_PERIOD, NOISE, Series, made_series, seasonal_naive
from attention_core.experiments.sort import Sort
from benchmarks.report import report

RATES = (1e-3, 3e-3, 1e-2)  # every variant of the sort has the best of them
BUDGET_S = 45.0  # of training per run of the needle


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: what is trained, on which seeds, and the mean and spread to expect.

    Of several `variants` the one that ends best counts; less is better where `errors`.
    """

    table: str
    what: str
    variants: tuple[Experiment, ...]
    seeds: int
    expected: float
    spread: float | None = None
    errors: bool = False


def sort_rows() -> Iterator[Row]:
    """Final accuracy after 600 steps."""
    lines = {
        16: ((0.972, 0.001), (0.971, 0.007), (0.975, 0.006), (0.974, 0.006)),
        64: ((0.442, 0.043), (0.977, 0.005), (0.974, 0.006), (0.970, 0.008)),
        256: ((0.386, 0.019), (0.974, 0.002), (0.973, 0.008), (0.968, 0.011)),
    }
    for d_k, line in lines.items():
        for rule, (expected, spread) in zip(("none", "inverse_sqrt", "inverse", "qk_norm"), line, strict=True):
            variants = tuple(Sort(rule=rule, d_k=d_k, lr=lr, steps=600, every=600) for lr in RATES)
            yield Row(table="sort", what=f"sort, d_k {d_k}, {rule}", variants=variants, seeds=5,
                      expected=expected, spread=spread)  # fmt: skip


def induction_rows() -> Iterator[Row]:
    """Final accuracy within 500 steps."""
    lines = (
        (1, "inverse_sqrt", 32, 3, 0.161, 0.005), (2, "inverse_sqrt", 8, 5, 0.993, 0.002),
        (2, "none", 8, 5, 0.992, 0.003), (2, "inverse_sqrt", 32, 5, 0.995, 0.001), (2, "none", 32, 5, 0.111, 0.064),
        (2, "inverse_sqrt", 128, 5, 0.994, 0.002), (2, "inverse", 32, 3, 0.994, 0.002),
        (2, "qk_norm", 32, 3, 0.998, 0.002),
    )  # fmt: skip
    for layers, rule, d_k, seeds, expected, spread in lines:
        config = Induction(n_layer=layers, rule=rule, d_k=d_k, every=500)
        yield Row(table="induction", what=f"induction, {layers} layers, d_k {d_k}, {rule}", variants=(config,),
                  seeds=seeds, expected=expected, spread=spread)  # fmt: skip


def needle_rows() -> Iterator[Row]:
    """Final accuracy of an equal time of training at 128 positions; the expected is the mean of the runs given."""
    lines = {
        "attention": (1.0, 1.0, 1.0),
        "lstm": (0.12, 0.12, 0.14),
        "lstm_forget": (0.12, 0.13, 0.13),
        "bilstm": (0.12, 0.12, 0.12),
        "gru": (0.12, 1.0, 1.0),
        "bigru": (0.12, 0.88, 0.16),
    }
    for kind, runs in lines.items():
        config = Needle(kind=kind, length=128, seconds=BUDGET_S, steps=10**6)
        yield Row(table="needle", what=f"needle, {kind}", variants=(config,), seeds=len(runs),
                  expected=statistics.mean(runs), spread=statistics.stdev(runs))  # fmt: skip


def series_rows() -> Iterator[Row]:
    """Test error over the noise variance."""
    lines = (
        ("linear", 5, 2.06, 0.90), ("linear+trend", 5, 1.58, 0.55), ("frequency", 5, 1.39, 0.07),
        ("frequency+trend", 5, 1.53, 0.53), ("auto_correlation+trend", 5, 1.60, 0.51),
        ("frequency_attention+trend", 5, 2.43, 0.92), ("attention+trend", 3, 2.50, 0.79), ("attention", 3, 9.07, 3.60),
    )  # fmt: skip
    for model, seeds, expected, spread in lines:
        yield Row(table="series", what=f"series, {model}", variants=(Series(model=model, every=400),), seeds=seeds,
                  expected=expected, spread=spread, errors=True)  # fmt: skip


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    "sort": sort_rows,
    "induction": induction_rows,
    "needle": needle_rows,
    "series": series_rows,
}


def trained(config: Experiment) -> tuple[float, float]:
    """Final accuracy, and the seconds the run took."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    last: Record | None = None
    for record in config.records():
        last = record
    assert last is not None
    return last.accuracy, time.perf_counter() - start


def measure(row: Row, seeds: int, pool: ProcessPoolExecutor) -> dict[str, object]:
    """Ours beside the expected: of several variants the one whose mean over the seeds is best."""
    count = min(seeds, row.seeds)
    runs = [replace(variant, seed=seed) for variant in row.variants for seed in range(count)]  # type: ignore[type-var]
    results = list(pool.map(trained, runs))
    ends = [value for value, _ in results]
    best = min if row.errors else max
    by_variant = [statistics.mean(ends[start : start + count]) for start in range(0, len(ends), count)]
    chosen = by_variant.index(best(by_variant)) * count
    ours = ends[chosen : chosen + count]
    return {
        "table": row.table,
        "what": row.what,
        "ours": statistics.mean(ours),
        "sd": statistics.stdev(ours) if count > 1 else "",
        "expected": row.expected,
        "expected sd": "" if row.spread is None else row.spread,
        "seeds": count,
        "s/run": statistics.mean(seconds for _, seconds in results),
    }


def naive(seeds: int) -> dict[str, object]:
    """The line without training: the values one period before."""
    config = Series()
    errors = []
    for seed in range(min(seeds, 5)):
        values = made_series(seed, config.points)
        test = values[round(0.7 * len(values)) :].unfold(0, config.past + config.horizon, 1)
        forecast = seasonal_naive(test[:, : config.past], config.horizon, NAIVE_PERIOD)
        errors.append(float((forecast - test[:, config.past :]).square().mean()) / NOISE**2)
    return {
        "table": "series", "what": f"series, seasonal naive ({NAIVE_PERIOD})", "ours": statistics.mean(errors),
        "sd": statistics.stdev(errors) if len(errors) > 1 else "", "expected": 3.99, "expected sd": 0.93,
        "seeds": len(errors), "s/run": 0.0,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the tables that are named, print them, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="all of them where none is named")
    parser.add_argument("--seeds", type=int, default=5, help="of each row, at most")
    chosen = parser.parse_args(arguments)
    rows: list[dict[str, object]] = []
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in chosen.tables or TABLES:
            rows += map(partial(measure, seeds=chosen.seeds, pool=pool), TABLES[name]())
            if name == "series":
                rows.append(naive(chosen.seeds))
    report("Training: the tables of the experiments, ours beside the expected", rows,
           minutes=(time.perf_counter() - start) / 60)  # fmt: skip


if __name__ == "__main__":
    main()
