"""Attention as lines between two columns of tokens: queries left, keys right, opacity = weight."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from ui.components.assets import component
from ui.components.canvas import WORDS, Pick, checked_pick, picked
from ui.components.frame import encode

_LINES = component("lines")


def lines(
    weights: np.ndarray,
    *,
    key: str,
    queries: Sequence[str],
    keys: Sequence[str],
    words: Mapping[str, str],
    group: str = "main",
    threshold: float = 0.05,
    summary: str = "",
    on_pick: Callable[[Pick], None] | None = None,
) -> Pick | None:
    """Draw weights (n_q, n_k), NaN where masked; return the token that was clicked, on the run the click caused.

    Pairs below the threshold are left out; its slider stands in the component and costs no traffic.
    """
    meta = {
        "queries": list(queries),
        "keys": list(keys),
        "words": {name: words[name] for name in WORDS},
        "group": group,
        "threshold": threshold,
        "summary": summary,
    }
    shapes = {"query": (len(queries), 1), "key": (len(keys), 1)}
    data = encode(meta, {"weights": weights.astype(np.float32, copy=False)})
    state = _LINES(key=key, data=data, on_pick_change=partial(picked, key, shapes, on_pick))
    return checked_pick(state.pick, shapes)
