"""One look for every Plotly figure, light and dark, from the palette the canvas uses."""

import math
from collections.abc import Mapping

import plotly.graph_objects as go

from ui.palette import Mode, hue

Figure = go.Figure  # for those who do not import plotly
FONT = '"Source Sans", sans-serif'  # what Streamlit calls the font of the page


def layout(mode: Mode, *, height: int, x: tuple[float, float], y: tuple[float, float], y_title: str) -> dict:
    """A layout in the colours of the page: these ranges, quiet axes, no title, room for tick labels.

    A dictionary to go on from: a figure made of dictionaries takes a tenth of the time of one that is updated.
    """
    ink, line, quiet = hue("ink", mode), hue("line", mode), hue("quiet", mode)
    axis = {
        "gridcolor": line,
        "zerolinecolor": line,
        "linecolor": line,
        "tickcolor": line,
        "tickfont": {"color": quiet, "size": 12},
        "automargin": True,
        "fixedrange": True,
    }
    return {
        "template": {},
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": hue("paper", mode),  # the saved picture is on paper, too
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": ink, "size": 13},
        "xaxis": axis | {"range": list(x), "showgrid": False, "zeroline": False},
        "yaxis": axis | {"range": list(y), "title": title(y_title) | {"standoff": 8}, "nticks": 6},
        "showlegend": False,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": quiet, "activecolor": ink},
        "hoverlabel": {"bgcolor": ink, "font": {"family": FONT, "color": hue("paper", mode)}},
    }


def title(text: str, size: int = 13) -> dict:
    """The name of an axis."""
    return {"text": escaped(text), "font": {"size": size}}


def upright(x: float, line: Mapping[str, object]) -> dict:
    """A vertical line over the whole height."""
    return {"type": "line", "xref": "x", "yref": "y domain", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": dict(line)}


def span(low: float, high: float) -> tuple[float, float]:
    """A range that holds 0 and both ends with some air; 0 … 1 when there is nothing to show."""
    low, high = min(low, 0.0), max(high, 0.0)
    if not math.isfinite(high - low) or high == low:
        return 0.0, 1.0
    air = 0.06 * (high - low)
    return (low - air if low < 0 else 0.0), (high + air if high > 0 else 0.0)


def escaped(text: str) -> str:
    """Plotly reads labels as HTML, and Streamlit reads colour codes in them: neither may see what a visitor typed."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("#", "&#35;")
