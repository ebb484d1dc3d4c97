"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from collections.abc import Callable

import numpy as np

from attention_core.saturation import D_K_STOPS, INPUT_SCALES
from ui.guide import Guide, Number, Prediction
from ui.numbers import nearest_ratio

GUIDE = Guide(
    tries=(
        "focus=2,2",
        "shown=1.3",
        "soft_dk=1024&soft_scale=1",
    ),
    pages=("why_sqrt", "heads"),
)


D_K = 1024


def prediction(count: int, lives: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Prediction:
    """How many of `count` rows can still learn at a large head size; `lives`: d_k × input scale × 1, unscaled first."""
    at = D_K_STOPS.index(D_K), nearest_ratio(INPUT_SCALES, 1.0)
    return Prediction(
        kind=Number(tuple(map(float, range(count + 1)))),
        state=f"soft_dk={D_K}&soft_scale=1",
        truth=lambda: lives()[0][at].tolist(),
        values={"count": count, "d_k": D_K},
    )
