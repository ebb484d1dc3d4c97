"""What theory says of saturation, drawn over what was measured."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots

from ui.figures.theme import escaped, styled
from ui.palette import Mode, hue


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Law:
    """Points, a curve over or through them, perhaps a vertical line; `log` axes hold positive numbers."""

    title: str
    x_title: str
    y_title: str
    points: tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]
    curve: tuple[Float[np.ndarray, " c"], Float[np.ndarray, " c"]]
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool = False
    line: float | None = None


def laws(three: tuple[Law, ...], mode: Mode) -> go.Figure:
    """One row of panels, x on a logarithmic axis: measured in the colour of K, theory in ink."""
    figure = make_subplots(rows=1, cols=len(three), subplot_titles=[escaped(law.title) for law in three])
    styled(figure, mode, height=320, x=(0.0, 1.0), y=(0.0, 1.0), y_title="")
    axis, upright = (_look(figure.layout[name].to_plotly_json()) for name in ("xaxis", "yaxis"))
    for col, law in enumerate(three, start=1):
        figure.add_scatter(
            x=law.points[0], y=law.points[1], mode="markers", row=1, col=col,
            marker={"size": 4, "color": hue("k", mode), "opacity": 0.35},
            hovertemplate="%{x:.4g}, %{y:.4g}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=law.curve[0], y=law.curve[1], mode="lines", row=1, col=col,
            line={"color": hue("ink", mode), "width": 2}, hovertemplate="%{x:.4g}, %{y:.4g}<extra></extra>",
        )  # fmt: skip
        if law.line is not None:
            figure.add_vline(x=law.line, line={"color": hue("focus", mode), "width": 1.5}, row=1, col=col)  # type: ignore[arg-type]
        ends = [float(np.log10(end)) for end in law.x]
        figure.update_xaxes(axis | {"showgrid": True, "type": "log", "range": ends, "dtick": 1}, row=1, col=col)
        figure.update_xaxes(title={"text": escaped(law.x_title), "font": {"size": 12}}, row=1, col=col)
        y_range = [float(np.log10(end)) for end in law.y] if law.log_y else list(law.y)
        kind = "log" if law.log_y else "linear"
        figure.update_yaxes(upright | {"type": kind, "range": y_range}, row=1, col=col)
        figure.update_yaxes(title={"text": escaped(law.y_title), "font": {"size": 12}}, row=1, col=col)
    figure.update_annotations(font={"size": 13, "color": hue("ink", mode)})
    figure.update_layout(margin={"t": 34})
    return figure


def _look(axis: dict[str, object]) -> dict[str, object]:
    """What an axis looks like, without where it stands."""
    return {name: value for name, value in axis.items() if name not in ("domain", "anchor", "matches", "title")}
