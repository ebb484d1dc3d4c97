"""What theory says of saturation, drawn over what was measured."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from ui.figures.theme import layout, title, upright
from ui.palette import Mode, hue


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Law:
    """Points, a curve over or through them, perhaps a vertical line; x is on a logarithmic axis, y where it is `log_y`.

    A point beyond the ends `x` or `y` of an axis, 0 included, is drawn at its edge.
    """

    title: str
    x_title: str
    y_title: str
    points: tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]
    curve: tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool = False
    line: float | None = None


def law_figure(law: Law, mode: Mode) -> go.Figure:
    """x on a logarithmic axis; what was measured in the colour of K, theory in ink, the line in that of the focus."""
    points = {"size": 4, "color": hue("k", mode), "opacity": 0.35}
    x, y = (np.clip(values, *ends) for values, ends in zip(law.points, (law.x, law.y), strict=True))
    told = "%{customdata[0]:.4g}, %{customdata[1]:.4g}<extra></extra>"  # of a point at the edge, where it really is
    cloud = {"x": x, "y": y, "customdata": np.stack(law.points, axis=-1), "mode": "markers", "marker": points}
    curve = {"x": law.curve[0], "y": law.curve[1], "mode": "lines", "line": {"color": hue("ink", mode), "width": 2}}
    low, high = (float(np.log10(end)) for end in law.x)
    ends = (float(np.log10(law.y[0])), float(np.log10(law.y[1]))) if law.log_y else law.y
    base = layout(mode, height=300, x=(low, high), y=ends, y_title=law.y_title)
    power = {"exponentformat": "power"}
    focus = {"color": hue("focus", mode), "width": 1.5}
    return go.Figure(
        [
            cloud | {"type": "scatter", "hovertemplate": told},
            curve | {"type": "scatter", "hovertemplate": "%{x:.4g}, %{y:.4g}<extra></extra>"},
        ],
        base
        | {
            "xaxis": base["xaxis"] | power | {"type": "log", "dtick": 1, "showgrid": True, "title": title(law.x_title)},
            "yaxis": base["yaxis"] | power | {"type": "log" if law.log_y else "linear"},
            "shapes": [upright(law.line, focus)] if law.line is not None else [],
        },
    )
