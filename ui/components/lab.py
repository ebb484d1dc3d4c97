"""Sliders, and pictures that follow them in the browser: a laboratory.

Python sends every film once: an array whose first axes are sliders. A slider chooses a frame, so what is drawn while
it moves was computed by torch; only softmax and its Jacobian are computed in the browser. On release the positions come
back.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
import streamlit as st

from ui.components.assets import component
from ui.components.canvas import Pick, checked_pick
from ui.components.frame import encode
from ui.errors import callback
from ui.palette import RAMPS

WORDS = ("masked", "damaged", "underflow", "exactly", "share", "png", "svg", "too_large", "hint_walk", "hint_pull")
UNDERFLOW = math.log10(2**-150)  # half of the smallest float32: what is smaller rounds to 0

_LAB = component("lab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """Stops to choose from: how they are written, the few written along an axis, and where the slider stands."""

    name: str
    label: str
    readings: tuple[str, ...]
    at: int
    ticks: tuple[tuple[int, str], ...] = ()
    kind: Literal["slider", "switch"] = "slider"
    help: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Numbers at every stop: the first axes of `values` are the sliders `axes`, what remains is one frame.

    `at`: where the other sliders stood when it was made; it is out of date once one of them moves. With `codes` m,
    bytes c stand for the numbers (c/m)² from 0 to 1, and what is larger than m for NaN.
    """

    name: str
    values: np.ndarray
    axes: tuple[str, ...] = ()
    at: Mapping[str, int] | None = None
    codes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A film computed in the browser: (scores + shift) · factor, `size` numbers a frame."""

    name: str
    scores: str
    size: int
    shift: str | None = None
    factor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """A film computed in the browser: softmax(scores · factor) over rows of `cols`; `size` numbers a frame."""

    name: str
    scores: str
    cols: int
    size: int
    factor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Jacobian:
    """A film computed in the browser: diag(p) − ppᵀ of the n probabilities that start at `start` in a frame of `of`."""

    name: str
    of: str
    n: int
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """One of several films, each along a slider of its own: that of the slider moved last, if it is up to date.

    While none is (one slider was released, another already moves, and Python has yet to answer), the last frame stays.
    """

    name: str
    films: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """What all pictures have: columns of twelve (`narrow`: of four on a telephone), pixels of height.

    Pictures of one `stack` stand one under the other, in the columns of the first.
    """

    name: str
    stack: str = ""
    title: str = ""
    note: str = ""
    span: int = 4
    narrow: int = 4
    height: int = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls(_Plot):
    """The sliders of these names, one under the other."""

    sliders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of read-outs: the number at `start` of a frame; with `log`, the frame holds its log₁₀.

    `lost`: say so where a number is too small for float32. `whole`: the number is a share of so many, or of as many as
    the slider of that name reads.
    """

    label: str
    start: int
    log: bool = False
    lost: bool = True
    unit: str = ""
    help: str = ""
    digits: int = 4
    whole: int | str = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading(_Plot):
    """A title with a sentence, and what the colours of lines mean: (hue, name). `fold`: what follows is folded away."""

    legend: tuple[tuple[str, str], ...] = ()
    fold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Readouts(_Plot):
    """Numbers at the sliders' position."""

    film: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid(_Plot):
    """`count` matrices as thumbnails; a click picks one (`row` of the Pick)."""

    film: str
    count: int
    rows: int
    cols: int
    titles: tuple[str, ...]
    chosen: int = 0
    scale: str = "weights"
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Map(_Plot):
    """One matrix, named beside it and above (`col_names`: where columns have other names); `marked`: the row in focus.

    Among `col_names` the one in focus is `marked_col`. Maps that are `alike` have cells of one size.
    `root` colours by the square root. `hatched`: NaN is masked, and hatched. `ruled`: lines between the cells, and in a
    few large ones their numbers. `says`: how a cell is told of, with number, name, key_number, key_name and value.
    `order`: a film that says which of `names` stands at each place. `value`: what the film holds of the number that is
    told of a cell, itself or its logarithm; `missing`: what is told where it is NaN ("": that it is masked).
    """

    film: str
    rows: int
    cols: int
    start: int = 0
    names: tuple[str, ...] | None = None
    col_names: tuple[str, ...] | None = None
    marked: int = -1
    marked_col: int = -1
    alike: str = ""
    scale: str = "weights"
    low: float = 0.0
    high: float = 1.0
    root: bool = False
    order: str = ""
    hatched: bool = False
    ruled: bool = False
    says: str = ""
    value: Literal["plain", "log10", "log2"] = "plain"
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(_Plot):
    """One bar per number; `editable` bars are pulled by the reader, and `on_edit` gets the numbers.

    `fit`: the axis follows the numbers, 0 included. `digits`: at least as many significant digits of each, written on
    its bar; more where they differ later; where bars are narrow, of the chosen one. `ghost`: a film of as many
    numbers, drawn as outlines and called `ghost_name` on hover. `over`: a film of at least two numbers from 0 to 1, a
    line from the left edge to the right over the whole height. NaN is hatched.
    """

    film: str
    count: int
    start: int = 0
    names: tuple[str, ...] | None = None
    marked: int = -1
    hue: str = "k"
    low: float = 0.0
    high: float = 1.0
    editable: bool = False
    step: float = 0.01
    fit: bool = False
    digits: int = 0
    ghost: str = ""
    ghost_name: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: the number at `start` of each frame, some sliders held fixed; `band`: where its ends start."""

    start: int
    hue: str
    name: str = ""
    fixed: Mapping[str, int] | None = None
    band: tuple[int, int] | None = None
    dash: bool = False
    pale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(_Plot):
    """Lines over the stops of the slider `along`; with `logs` the numbers are log₁₀ and the axis says powers of ten.

    `places`: where each stop stands on the axis, if not at equal distances. `marks`: places with a name of their own.
    `ends`: the name of a line stands where it ends, beside the picture, and the line that is pointed at is lit.
    `below`: what a band under the axis is called, in which numbers that are exactly 0 are drawn. `legend`: the names of
    the lines stand above them. `fit`: the axis reaches as far as the numbers in sight, on both sides of 0.
    """

    film: str
    along: str
    lines: tuple[Line, ...]
    low: float
    high: float
    logs: bool = False
    places: tuple[float, ...] | None = None
    marks: tuple[tuple[float, str], ...] = ()
    ends: bool = False
    below: str = ""
    legend: bool = True
    fit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contour:
    """A line across a phase map: per stop of y the place (in stops of x, NaN for none); drawn when `fixed` holds."""

    film: str
    name: str = ""
    fixed: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(_Plot):
    """A number over two sliders, the reader's place on it; a click goes there."""

    film: str
    x: str
    y: str
    start: int
    low: float
    high: float
    logs: bool = False
    scale: str = "positive"
    lines: tuple[Contour, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(_Plot):
    """`count` bins from `low` to `high`; `ticks` and the name of the `axis` stand below, a line at `mark`."""

    film: str
    count: int
    low: float
    high: float
    start: int = 0
    ticks: tuple[tuple[float, str], ...] = ()
    axis: str = ""
    mark: float | None = None
    hue: str = "k"


Plot = Controls | Heading | Readouts | Grid | Map | Bars | Curves | Phase | Histogram
Positions = dict[str, int]


def lab(
    plots: Sequence[Plot],
    *,
    key: str,
    sliders: Sequence[Slider],
    films: Sequence[Film],
    words: Mapping[str, str],
    computed: Sequence[Scaled | Softmax | Jacobian | Fork] = (),
    summary: str = "",
    on_move: Callable[[Positions], None] | None = None,
    on_pick: Callable[[Pick], None] | None = None,
    on_edit: Callable[[str, list[float]], None] | None = None,
    seen: str = "",
    seen_for: object = None,
    on_seen: Callable[[], None] | None = None,
) -> None:
    """Draw the plots. The callbacks run before the page does, so they may change the state of widgets.

    `on_seen` is called once the plot called `seen` is in the window, and once more for every other `seen_for`, any
    value whose repr tells it from others. As long as these stay as they are nothing is sent again on their account.
    Raises ValueError where a film does not have one frame for every stop of its sliders, or no plot is called `seen`.
    """
    if seen and seen not in {plot.name for plot in plots}:
        raise ValueError(f"there is no plot called {seen!r} to be seen")
    stops = {slider.name: len(slider.readings) for slider in sliders}
    arrays: dict[str, np.ndarray] = {}
    meta = {
        "sliders": [asdict(slider) for slider in sliders],
        "films": [_film(film, stops, arrays) for film in films],
        "computed": [_computed(made) for made in computed],
        "panels": [_plot(plot) for plot in plots],
        "words": {name: words[name] for name in WORDS},
        "summary": summary,
        "underflow": UNDERFLOW,
        "seen": sought(seen, seen_for),
    }
    meta["stamp"] = _stamp(key, meta, arrays)
    shapes = {plot.name: _shape(plot) for plot in plots}
    lengths = {plot.name: plot.count for plot in plots if isinstance(plot, Bars) and plot.editable}
    _LAB(
        key=key,
        data=encode(meta, arrays),
        on_at_change=partial(_moved, key, stops, on_move),
        on_pick_change=partial(_picked, key, shapes, on_pick),
        on_edited_change=partial(_edited, key, lengths, on_edit),
        on_seen_change=partial(_saw, key, meta["seen"], on_seen),
    )


def _stamp(key: str, meta: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """What these bytes are, but for where the sliders stand; and `at` as it was when they were first sent.

    The browser knows where its own sliders stand: after a release nothing but `at` is new, and with the old `at` the
    bytes are the same as before, so Streamlit sends none. Only a position the browser has not sent itself is news.
    """
    wanted = {slider["name"]: slider["at"] for slider in meta["sliders"]}
    still = meta | {"sliders": [slider | {"at": 0} for slider in meta["sliders"]]}
    digest = blake2b(json.dumps(still, sort_keys=True).encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    state = st.session_state.get(key)
    told = state.get("at") if isinstance(state, Mapping) else None
    kept = st.session_state.get(f"{key}_sent")
    # Where the browser's sliders stand: where it last said, unless Python has put them elsewhere since.
    stands = kept and (kept["at"] if told == kept["told"] else _at(told))
    if kept and kept["digest"] == digest.hexdigest() and wanted == stands:
        for slider in meta["sliders"]:
            slider["at"] = kept["at"][slider["name"]]
    else:
        turn = kept["turn"] + 1 if kept else 0
        kept = {"digest": digest.hexdigest(), "at": wanted, "told": told, "turn": turn}
        st.session_state[f"{key}_sent"] = kept
    return f"{kept['digest']} {kept['turn']}"


def _film(film: Film, stops: Mapping[str, int], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    steps = tuple(stops[name] for name in film.axes)
    if film.values.shape[: len(steps)] != steps:
        raise ValueError(f"the film {film.name} needs frames {steps}, not {film.values.shape}")
    array = f"{len(arrays)}"
    arrays[array] = film.values if film.values.dtype == np.uint8 else film.values.astype(np.float32, copy=False)
    return {
        "name": film.name,
        "array": array,
        "axes": list(film.axes),
        "at": dict(film.at or {}),
        "codes": film.codes,
        "shape": list(film.values.shape[len(steps) :]),
    }


def _computed(made: Scaled | Softmax | Jacobian | Fork) -> dict[str, Any]:
    sent = asdict(made) | {"kind": type(made).__name__.lower()}
    return sent | {"size": made.n**2} if isinstance(made, Jacobian) else sent


def _plot(plot: Plot) -> dict[str, Any]:
    scale = getattr(plot, "scale", RAMPS[0])
    if scale not in RAMPS:
        raise ValueError(f"the scale must be one of {', '.join(RAMPS)}; not {scale!r}")
    return asdict(plot) | {"kind": type(plot).__name__.lower()}


def _shape(plot: Plot) -> tuple[int, int]:
    match plot:
        case Map():
            return plot.rows, plot.cols
        case Grid() | Bars():
            return plot.count, 1
        case _:
            return 0, 0


def _at(sent: Any) -> Any:  # noqa: ANN401 from a browser
    """The positions without `turn`, which counts releases: without it a second release at one place is no news."""
    return {name: at for name, at in sent.items() if name != "turn"} if isinstance(sent, Mapping) else sent


def checked_positions(sent: Any, stops: Mapping[str, int]) -> Positions | None:  # noqa: ANN401 from a browser
    """What a browser says the sliders stand at, if it can be true: every slider, at one of its stops."""
    if not isinstance(sent, Mapping) or set(sent) != set(stops):
        return None
    if not all(type(at) is int and 0 <= at < stops[name] for name, at in sent.items()):
        return None
    return dict(sent)


@callback
def _moved(key: str, stops: Mapping[str, int], on_move: Callable[[Positions], None] | None) -> None:
    positions = checked_positions(_at(st.session_state[key].get("at")), stops)
    if on_move is not None and positions is not None:
        on_move(positions)


@callback
def _picked(key: str, shapes: Mapping[str, tuple[int, ...]], on_pick: Callable[[Pick], None] | None) -> None:
    pick = checked_pick(st.session_state[key].get("pick"), shapes)
    if on_pick is not None and pick is not None:
        on_pick(pick)


def sought(seen: str, seen_for: object) -> dict[str, str] | None:
    """What the browser is asked to look out for. It learns a digest of what for, never a text."""
    ask = blake2b(repr((seen, seen_for)).encode(), digest_size=8).hexdigest()
    return {"panel": seen, "ask": ask} if seen else None


def checked_sight(sent: Any, wanted: Mapping[str, str] | None) -> bool:  # noqa: ANN401 from a browser
    """Whether a browser has seen what it was asked to look out for, and not what it was asked before or never."""
    return wanted is not None and isinstance(sent, Mapping) and dict(sent) == wanted


@callback
def _saw(key: str, wanted: Mapping[str, str] | None, on_seen: Callable[[], None] | None) -> None:
    if on_seen is not None and checked_sight(st.session_state[key].get("seen"), wanted):
        on_seen()


@callback
def _edited(key: str, lengths: Mapping[str, int], on_edit: Callable[[str, list[float]], None] | None) -> None:
    sent = st.session_state[key].get("edited")
    if on_edit is None or not isinstance(sent, Mapping):
        return
    panel, values = sent.get("panel"), sent.get("values")
    if not isinstance(panel, str) or not isinstance(values, list) or len(values) != lengths.get(panel):
        return
    if all(
        isinstance(value, int | float) and abs(value) <= sys.float_info.max for value in values
    ):  # no NaN, nor 10⁴⁰⁰
        on_edit(panel, [float(value) for value in values])
