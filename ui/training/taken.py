"""What is taken away of a run: its records as arrays, its configurations in a script."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from attention_core.experiments.base import Experiment, Record
from ui.scripts import Code


def measured(variant: object, records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Step, loss, accuracy and every measure of the records of one variant, to take away: `none`_step, …"""
    stem = stem_of(variant)
    columns = {key: [getattr(record, key) for record in records] for key in ("step", "loss", "accuracy")}
    for key in sorted({key for record in records for key in record.measures}):
        columns[key] = [record.measures.get(key, math.nan) for record in records]
    return {f"{stem}_{key.replace('.', '_')}": np.array(numbers) for key, numbers in columns.items()}


def stem_of(variant: object) -> str:
    """What the arrays of a variant begin with."""
    return str(variant).replace(" ", "_").replace("-", "_seed_").replace("+", "_")


def listed(configs: Iterable[Experiment]) -> Code:
    """Configurations, one a line, as a script makes them again."""
    return Code("[\n" + "".join(f"    {config!r},\n" for config in configs) + "]")
