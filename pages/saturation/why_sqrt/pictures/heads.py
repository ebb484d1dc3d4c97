"""The trained head: where the variance of its q·k comes from, and how far it spreads in every head of the model."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from pages.saturation.why_sqrt.pictures.traces import DASHED, axis_title, decades, layout_with_legend, positive
from ui.figures.heads import heads_by_layer
from ui.figures.theme import Figure, escaped, span
from ui.palette import Mode, hue

TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000)


def spreads_by_layer(
    values: Sequence[Float[np.ndarray, " heads"]],
    *,
    names: Sequence[str],
    chosen: tuple[int, int],
    label: str,
    mode: Mode,
) -> Figure:
    """One point per head on a log axis, a dashed line at the claim, 1. Heads that do not vary are left out."""
    shown = [positive(np.asarray(row, dtype=np.float64)) for row in values]
    figure = heads_by_layer(shown, names=names, chosen=chosen, label=label, mode=mode)
    ends = decades([*shown, np.ones(1)])
    figure.update_yaxes(type="log", range=ends, tickvals=TICKS, ticktext=[f"{value:g}" for value in TICKS])
    figure.add_hline(y=1, line={"color": hue("ink", mode), "width": 1.4, "dash": DASHED}, layer="below")
    return figure


def parts_of_variance(
    values: Float[np.ndarray, " parts"], *, names: Sequence[str], claim: float, label: str, mode: Mode
) -> Figure:
    """Horizontal bars: the parts of a variance, the last bar being their sum; a dashed line at `claim`."""
    count, texts = len(values), [escaped(name) for name in names]
    bars = {
        "type": "bar",
        "x": values.astype(np.float32),
        "y": np.arange(count),
        "orientation": "h",
        "width": 0.6,
        "marker": {
            "color": [hue("quiet", mode)] * (count - 1) + [hue("focus", mode)],
            "opacity": [0.6] * (count - 1) + [1.0],
        },
        "customdata": texts,
        "hovertemplate": "%{customdata}: %{x:.4g}<extra></extra>",
    }
    finite = [*values[np.isfinite(values)].tolist(), claim]
    base = layout_with_legend(mode, 30 + 40 * count, span(min(finite), max(finite)), (count - 0.4, -0.6), "")
    ticks = {"tickvals": list(range(count)), "ticktext": texts, "tickfont": {"color": hue("ink", mode), "size": 13}}
    dashed = {"color": hue("ink", mode), "width": 1.5, "dash": DASHED}
    line = {"type": "line", "xref": "x", "yref": "paper", "x0": claim, "x1": claim, "y0": 0, "y1": 1, "line": dashed}
    return Figure(
        [bars],
        base
        | {
            "xaxis": base["xaxis"] | {"showgrid": True, "nticks": 7, "title": axis_title(label)},
            "yaxis": base["yaxis"] | {"showgrid": False} | ticks,
            "showlegend": False,
            "shapes": [line],
        },
    )
