"""The table of the Remedies page: the read-outs of every remedy where the sliders stand. Pure."""

import numpy as np
from jaxtyping import Float

from attention_core.remedy_curves import COLUMNS
from pages.saturation.remedies.numbers import KEYS
from ui.numbers import significant
from ui.text import Words


def rows(columns: Float[np.ndarray, "remedy column"], n: int, page: Words) -> dict[str, list[str] | list[float]]:
    """Gains and gradients rather than their logarithms, dead rows counted, each under its name."""
    numbers = zip(COLUMNS, columns.T.astype(np.float64), strict=True)
    return {
        page["remedy_label"]: [page[f"remedy.{key}.name"] for key in KEYS],
        **{page[f"column.{name}"]: _column(name, values, n) for name, values in numbers},
    }


def _column(name: str, values: np.ndarray, n: int) -> list[str] | list[float]:
    """What spans decades is written as everywhere: 7.6·10⁻⁵, which no format of a table knows."""
    if name.startswith("log_"):
        return [significant(10.0**value) for value in values.tolist()]
    return ((n * values).round() if name == "dead" else values).tolist()


def form(name: str, n: int, page: Words) -> str:
    """How a column of numbers is written: as many decimals in every row, so that they stand below each other."""
    return page["of"].replace("{whole}", str(n)) if name == "dead" else "%.4f"
