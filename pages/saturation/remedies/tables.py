"""The table of the Remedies page: the read-outs of every remedy where the sliders stand. Pure."""

import numpy as np
from jaxtyping import Float

from attention_core.remedy_curves import COLUMNS
from pages.saturation.remedies.numbers import KEYS
from ui.text import Words


def rows(columns: Float[np.ndarray, "remedy column"], n: int, page: Words) -> dict[str, list[str] | list[float]]:
    """Gains and gradients rather than their logarithms, dead rows counted, each under its name."""
    numbers = zip(COLUMNS, columns.T.astype(np.float64), strict=True)
    return {
        page["remedy_label"]: [page[f"remedy.{key}.name"] for key in KEYS],
        **{page[f"column.{name}"]: _plain(name, values, n).tolist() for name, values in numbers},
    }


def _plain(name: str, values: np.ndarray, n: int) -> np.ndarray:
    if name.startswith("log_"):
        return 10.0**values
    return (n * values).round() if name == "dead" else values


def form(name: str, n: int, page: Words) -> str:
    """How a column is written: as many decimals in every row, so that they stand below each other."""
    if name == "dead":
        return page["of"].replace("{whole}", str(n))
    return "%.3e" if name.startswith("log_") else "%.4f"
