"""Heads as points, one number a token as bars."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ui.figures.theme import escaped, layout, span
from ui.palette import Mode, hue

TICKS = 48  # token labels at most; the others are a hover away


def heads_by_layer(
    values: Sequence[Float[np.ndarray, " _"]],
    *,
    names: Sequence[str],
    chosen: tuple[int, int],
    label: str,
    mode: Mode,
) -> go.Figure:
    """One point per head: its layer across, a measure up; the chosen head marked. NaN (undefined) is left out."""
    layers = np.concatenate([np.full(len(row), index) for index, row in enumerate(values)])
    numbers = np.concatenate([np.arange(len(row)) for row in values])
    measured = np.concatenate([np.asarray(row, dtype=np.float32) for row in values])
    spread = (numbers - numbers.max() / 2) / max(numbers.max(), 1) * 0.56
    is_chosen = (layers == chosen[0]) & (numbers == chosen[1])
    finite = measured[np.isfinite(measured)]
    points = {
        "type": "scatter",
        "x": (layers + spread).astype(np.float32),
        "y": measured,
        "mode": "markers",
        "marker": {
            "size": np.where(is_chosen, 14, 8),
            "color": np.where(is_chosen, hue("focus", mode), hue("quiet", mode)),
            "opacity": np.where(is_chosen, 1.0, 0.7),
            "line": {"width": np.where(is_chosen, 2, 0), "color": hue("ink", mode)},
        },
        "customdata": np.stack([layers + 1, numbers + 1], axis=-1),
        "hovertemplate": "%{customdata[0]}.%{customdata[1]}: %{y:.4g}<extra></extra>",
    }
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    base = layout(mode, height=260, x=(-0.6, len(values) - 0.4), y=span(low, high), y_title=label)
    ticks = {"tickvals": list(range(len(values))), "ticktext": [escaped(name) for name in names]}
    return go.Figure([points], base | {"xaxis": base["xaxis"] | ticks})


def token_bars(
    values: Float[np.ndarray, " n"],
    *,
    tokens: Sequence[str],
    label: str,
    mode: Mode,
    y: tuple[float, float] | None = None,
    marked: int | None = None,
) -> go.Figure:
    """One bar per token, in reading order; `marked` stands out. `y` is the range, from the data when None."""
    count = len(values)
    step = max(1, -(-count // TICKS))
    labelled = list(range(0, count, step))
    finite = values[np.isfinite(values)]
    bars = {
        "type": "bar",
        "x": np.arange(count),
        "y": np.asarray(values, dtype=np.float32),
        "marker": {
            "color": hue("k", mode),
            "opacity": np.where(np.arange(count) == marked, 1.0, 0.6) if marked is not None else 0.8,
        },
        "customdata": [f"{index + 1} {escaped(token)}" for index, token in enumerate(tokens)],
        "hovertemplate": "%{customdata}: %{y:.4g}<extra></extra>",
    }
    ends = y or span(float(finite.min(initial=0.0)), float(finite.max(initial=0.0)))
    base = layout(mode, height=210, x=(-0.6, count - 0.4), y=ends, y_title=label)
    ticks = {"tickvals": labelled, "ticktext": [escaped(_short(tokens[index])) for index in labelled]}
    return go.Figure([bars], base | {"xaxis": base["xaxis"] | ticks | {"tickangle": -45}})


def _short(token: str) -> str:
    return token if len(token) <= 12 else f"{token[:11]}…"
