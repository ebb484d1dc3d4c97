"""Heads as points, one attention row as bars."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ui.figures.theme import escaped, styled
from ui.palette import Mode, hue


def heads_by_layer(
    values: Sequence[Float[np.ndarray, " h"]],
    *,
    names: Sequence[str],
    chosen: tuple[int, int],
    label: str,
    mode: Mode,
) -> go.Figure:
    """One point per head: its layer across, a measure up; the chosen head marked."""
    layers = np.concatenate([np.full(len(row), index) for index, row in enumerate(values)])
    numbers = np.concatenate([np.arange(len(row)) for row in values])
    measured = np.concatenate([np.asarray(row, dtype=np.float32) for row in values])
    spread = (numbers - numbers.max() / 2) / max(numbers.max() + 1, 1) * 0.5
    is_chosen = (layers == chosen[0]) & (numbers == chosen[1])
    figure = go.Figure(
        go.Scatter(
            x=layers + spread,
            y=measured,
            mode="markers",
            marker={
                "size": np.where(is_chosen, 13, 8),
                "color": np.where(is_chosen, hue("focus", mode), hue("ink", mode)),
                "opacity": np.where(is_chosen, 1.0, 0.55),
                "line": {"width": np.where(is_chosen, 2, 0), "color": hue("ink", mode)},
            },
            customdata=np.stack([layers + 1, numbers + 1], axis=-1),
            hovertemplate="%{customdata[0]}.%{customdata[1]}: %{y:.4g}<extra></extra>",
        )
    )
    styled(figure, mode, height=260)
    figure.update_xaxes(tickvals=list(range(len(values))), ticktext=[escaped(name) for name in names], showgrid=False)
    figure.update_yaxes(title=escaped(label), rangemode="tozero")
    return figure


def row_bars(
    weights: Float[np.ndarray, " n"], *, tokens: Sequence[str], label: str, mode: Mode, at_most: int = 64
) -> go.Figure:
    """One attention row as bars in reading order, from 0 to 1; the first `at_most` keys of a long text."""
    shown = min(len(weights), at_most)
    figure = go.Figure(
        go.Bar(
            x=np.arange(shown),
            y=np.asarray(weights[:shown], dtype=np.float32),
            marker={"color": hue("k", mode)},
            customdata=[escaped(token) for token in tokens[:shown]],
            hovertemplate="%{customdata}: %{y:.4g}<extra></extra>",
        )
    )
    styled(figure, mode, height=230)
    figure.update_xaxes(
        tickvals=list(range(shown)), ticktext=[escaped(token[:14]) for token in tokens[:shown]], showgrid=False
    )
    figure.update_yaxes(title=escaped(label), range=[0, 1])
    return figure
