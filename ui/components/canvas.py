"""Matrices drawn live in the browser: one head large, many heads as thumbnails, or a product as a paper writes it.

A Plotly heat map is rebuilt on every change and does not say which cell was clicked; a canvas keeps its DOM node,
repaints within a frame, and does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Required, TypedDict, Unpack

import numpy as np
import streamlit as st

from ui.components.assets import component
from ui.components.frame import encode
from ui.errors import callback, refuse
from ui.palette import RAMPS
from ui.state import steps

WORDS = (
    "query",
    "key",
    "axis_query",
    "axis_key",
    "axis_token",
    "axis_d_model",
    "axis_d_k",
    "axis_d_v",
    "axis_concat",
    "axis_sum",
    "axis_head",
    "axis_layer",
    "masked",
    "rooted",
    "matrix",
    "summary",
    "hint_keys",
    "hint_lines",
    "hint_zoom",
    "lock",
    "reset",
    "save",
    "figure",
    "transparent",
    "too_large",
    "preview",
    "from_bytes",
    "from_blocks",
    "threshold",
    "nothing",
    "damaged",
    "underflow",
)

MASKED = 255  # the code of a masked cell in an overview; a weight w has the code round(254·√w)

_CANVAS = component("heatmap")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Panel:
    """One matrix. `rows` and `cols` say what its axes count: panels of a group light up together where these agree.

    `values` are float32 (NaN, in a live panel also −∞: masked, hatched) or uint8 codes of an overview; `limit` is the
    end of the colour range, ±limit for a signed scale, from the data when None. With `live`, the browser shows the
    softmax of the values over T, capped and biased as the model does it. `head`: (layer, head) of these weights.
    On a thumbnail, `tag` stands in a circle and `corner` in its upper left corner.
    `called`: what its rows are called, where they are not called after what they count.
    `about`: what a saved figure says it is of, where that is not the chosen head of the study.
    """

    name: str
    values: np.ndarray
    rows: str
    cols: str
    called: str = ""
    scale: str = "signed"
    limit: float | None = None
    title: str = ""
    note: str = ""
    operator: str = ""
    labels: bool = True
    live: bool = False
    bias: np.ndarray | None = None
    softcap: float | None = None
    head: tuple[int, int] | None = None
    tag: str = ""
    corner: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """The temperature slider of a canvas: where it stands, where it may stand, what it is called."""

    value: float
    stops: tuple[float, ...]
    label: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The head in focus, as (layer, head) of a run, and the `layers` whose thumbnails a canvas of it may paint.

    Where a reader chooses another head, the browser paints its thumbnail at once, until a canvas says that it shows it.
    """

    run: str
    head: tuple[int, int]
    layers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A canvas as its bytes for the browser, and the shapes its clicks are checked against."""

    data: bytes
    shapes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Pick:
    """What the reader clicked: a cell, a token of the strip (`panel` "query" or "key"), or a thumbnail."""

    panel: str
    row: int
    col: int


class Drawing(TypedDict, total=False):
    """What `canvas` hands on to `drawn`."""

    queries: Required[Sequence[str]]
    keys: Required[Sequence[str]]
    words: Required[Mapping[str, str]]
    focus: tuple[int, int] | None
    group: str
    strip: bool
    layout: str
    row_titles: Sequence[str]
    col_titles: Sequence[str]
    offers: str
    shown: Shown | None
    summary: str


def canvas(
    panels: Sequence[Sequence[Panel]],
    *,
    key: str,
    live: Live | None = None,
    on_pick: Callable[[Pick], None] | None = None,
    on_temperature: Callable[[float], None] | None = None,
    on_read: Callable[[], None] | None = None,
    **drawing: Unpack[Drawing],
) -> Pick | None:
    """Draw rows of panels; return what was clicked, on the run the click caused. The rest is that of `drawn`.

    `on_pick`, `on_temperature` and `on_read` are called before that run, so they may change the state of widgets.
    `on_read`: once the reader has scrolled to this canvas and stays.
    """
    history = steps() if drawing.get("focus") is not None else 0
    picture = drawn(panels, live=live, steps=history, read=on_read is not None, **drawing)
    return mount(picture, key, on_pick, partial(_released, key, live, on_temperature), on_read)


def drawn(
    panels: Sequence[Sequence[Panel]],
    *,
    queries: Sequence[str],
    keys: Sequence[str],
    words: Mapping[str, str],
    focus: tuple[int, int] | None = None,
    group: str = "main",
    strip: bool = False,
    live: Live | None = None,
    layout: str = "equation",
    row_titles: Sequence[str] = (),
    col_titles: Sequence[str] = (),
    offers: str = "",
    shown: Shown | None = None,
    summary: str = "",
    steps: int = 0,
    read: bool = False,
) -> Drawn:
    """Rows of panels for the browser.

    Canvases of one `group` share hover, focus and the chosen head in the browser; give `focus` only to the one with the
    strip, and `shown` to it and to the one that draws this head, so that the bytes of the others stay the same when
    they change. `layout` is "equation" or "grid" (thumbnails, one button each; `row_titles` and `col_titles` name its
    lines). `offers`: the run whose heads the panels of a grid are, one byte a weight, for the others to paint.
    `steps` of history make bytes new that would else be those from before the browser itself moved the focus. `read`:
    the browser tells once the reader has scrolled here.
    """
    shapes: dict[str, tuple[int, ...]] = {panel.name: panel.values.shape for row in panels for panel in row}
    shapes |= {"query": (len(queries), 1), "key": (len(keys), 1)} if strip else {}
    arrays: dict[str, np.ndarray] = {}
    meta = {
        "panels": [[_spec(panel, arrays) for panel in row] for row in panels],
        "queries": list(queries),
        "keys": list(keys),
        "words": {name: words[name] for name in WORDS},
        "focus": None if focus is None else {"query": focus[0], "key": focus[1]},
        "group": group,
        "strip": strip,
        "live": None if live is None else {"value": live.value, "stops": list(live.stops), "label": live.label},
        "layout": layout,
        "row_titles": list(row_titles),
        "col_titles": list(col_titles),
        "offers": offers,
        "shown": None if shown is None else asdict(shown),
        "summary": summary,
        "steps": steps,
        "read": read,
    }
    return Drawn(encode(meta, arrays), shapes)


def mount(
    drawing: Drawn,
    key: str,
    on_pick: Callable[[Pick], None] | None = None,
    on_temperature: Callable[[], None] = lambda: None,
    on_read: Callable[[], None] | None = None,
) -> Pick | None:
    """Put the canvas on the page; return what was clicked, on the run the click caused."""
    state = _CANVAS(
        key=key,
        data=drawing.data,
        on_pick_change=partial(picked, key, drawing.shapes, on_pick),
        on_temperature_change=on_temperature,
        on_read_change=partial(_read, on_read),
    )
    return checked_pick(state.pick, drawing.shapes)


def checked_pick(sent: Any, shapes: Mapping[str, tuple[int, ...]]) -> Pick | None:  # noqa: ANN401 from a browser
    """What a browser says was clicked, if it can be true: a known panel and a cell inside it."""
    if not isinstance(sent, Mapping):
        return None
    panel, row, col = sent.get("panel"), sent.get("row"), sent.get("col")
    if not isinstance(panel, str) or type(row) is not int or type(col) is not int or panel not in shapes:
        return None
    n_rows, n_cols = shapes[panel]
    return Pick(panel, row, col) if 0 <= row < n_rows and 0 <= col < n_cols else None


def overview_codes(weights: np.ndarray, side: int) -> np.ndarray:
    """Weights (…, n_q, n_k), NaN where masked → uint8 thumbnails, at most side × side: round(254·√w), w the
    largest of its block, or MASKED where all of the block is.

    The root keeps small weights apart; the maximum keeps a single strong link visible where a mean would wash it out.
    """
    pooled = np.where(np.isnan(weights), np.float32(-1), weights)
    for axis in (-2, -1):
        n = pooled.shape[axis]
        starts = np.unique(np.linspace(0, n, min(n, side), endpoint=False).astype(int))
        pooled = np.maximum.reduceat(pooled, starts, axis=axis) if 0 < side < n else pooled
    codes = np.rint(254 * np.sqrt(pooled.clip(0, 1))).astype(np.uint8)
    return np.where(pooled < 0, np.uint8(MASKED), codes)


def _spec(panel: Panel, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if panel.scale not in RAMPS:
        raise ValueError(f"the scale must be one of {', '.join(RAMPS)}; not {panel.scale!r}")
    if panel.values.ndim != 2:
        raise ValueError(f"a panel shows a matrix; {panel.name} has {panel.values.ndim} axes")
    array = f"{len(arrays)}"
    values = panel.values if panel.values.dtype == np.uint8 else panel.values.astype(np.float32, copy=False)
    arrays[array] = np.where(np.isneginf(values), np.float32(np.nan), values) if panel.live else values
    if panel.bias is not None:
        arrays[f"{array}b"] = panel.bias.astype(np.float32, copy=False)
    return {
        "name": panel.name,
        "array": array,
        "bias": None if panel.bias is None else f"{array}b",
        "softcap": panel.softcap,
        "shape": list(panel.values.shape),
        "rows": panel.rows,
        "cols": panel.cols,
        "called": panel.called,
        "scale": panel.scale,
        "limit": _limit(panel),
        "title": panel.title,
        "note": panel.note,
        "operator": panel.operator,
        "labels": panel.labels,
        "live": panel.live,
        "head": panel.head,
        "tag": panel.tag,
        "corner": panel.corner,
        "about": panel.about,
    }


def _limit(panel: Panel) -> float:
    if panel.limit is not None:
        return float(panel.limit)
    if panel.scale == "weights" or panel.values.dtype == np.uint8:
        return 1.0
    finite = np.abs(panel.values[np.isfinite(panel.values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


@callback
def picked(key: str, shapes: Mapping[str, tuple[int, ...]], on_pick: Callable[[Pick], None] | None) -> None:
    """Hand what was clicked in the component `key` to the page, if it can be true."""
    sent = st.session_state[key].get("pick")
    pick = checked_pick(sent, shapes)
    if pick is None:
        refuse(key, "pick", sent)
    elif on_pick is not None:
        on_pick(pick)


@callback
def _read(on_read: Callable[[], None] | None) -> None:
    if on_read is not None:
        on_read()


@callback
def _released(key: str, live: Live | None, on_temperature: Callable[[float], None] | None) -> None:
    value = st.session_state[key].get("temperature")
    if live is None or type(value) not in (int, float) or value not in live.stops:
        refuse(key, "temperature", value)
    elif on_temperature is not None:
        on_temperature(float(value))
