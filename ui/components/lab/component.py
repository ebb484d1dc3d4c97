"""Sliders, and pictures that follow them in the browser: a laboratory.

Python sends every film once: an array whose first axes are sliders. A slider chooses a frame, so what is drawn while
it moves was computed by torch; only softmax and its Jacobian are computed in the browser. On release the positions come
back.
"""

import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import streamlit as st

from ui.components.assets import component
from ui.components.canvas import Pick, picked
from ui.components.frame import encode
from ui.components.lab.films import Computed, Film, Frame, Jacobian, Slider, frames
from ui.components.lab.plots import Bars, Contour, Grid, Map, Plot
from ui.errors import callback, refuse
from ui.palette import RAMPS

WORDS = (
    "masked",
    "damaged",
    "underflow",
    "exactly",
    "share",
    "rooted",
    "rooted_value",
    "save",
    "figure",
    "transparent",
    "too_large",
    "hint_walk",
    "hint_pull",
)
UNDERFLOW = math.log10(2**-150)  # half of the smallest float32: what is smaller rounds to 0

_LAB = component("lab")

Positions = dict[str, int]


@dataclass(frozen=True, slots=True)
class Put:
    """Where Python has put the sliders (with a link, a step back, a preset), and how often it has put them."""

    at: Positions
    count: int


NOWHERE = Put({}, 0)


def lab(
    plots: Sequence[Plot],
    *,
    key: str,
    sliders: Sequence[Slider],
    films: Sequence[Film],
    words: Mapping[str, str],
    computed: Sequence[Computed] = (),
    summary: str = "",
    about: str = "",
    on_move: Callable[[Positions], None] | None = None,
    on_pick: Callable[[Pick], None] | None = None,
    on_edit: Callable[[str, list[float]], None] | None = None,
    seen: str = "",
    seen_for: object = None,
    on_seen: Callable[[], None] | None = None,
) -> None:
    """Draw the plots. The callbacks run before the page does, so they may change the state of widgets.

    `about`: what saved figures say they are of, where that is not what the page's bar says.

    `on_seen` is called once the plot called `seen` is in the window, and once more for every other `seen_for`, any
    value whose repr tells it from others. As long as these stay as they are nothing is sent again on their account.
    Raises ValueError where a film does not have one frame for every stop of its sliders, where a plot asks for a film,
    a column or a slider that is not there, or where no plot is called `seen`.
    """
    if seen and seen not in {plot.name for plot in plots}:
        raise ValueError(f"there is no plot called {seen!r} to be seen")
    stops = {slider.name: len(slider.readings) for slider in sliders}
    arrays: dict[str, np.ndarray] = {}
    laid = frames(films, computed)
    _check_names(plots, laid, stops)
    put = _put(key, {slider.name: slider.at for slider in sliders})
    meta = {
        "sliders": [asdict(slider) | {"at": put.at[slider.name]} for slider in sliders],
        "puts": put.count,
        "films": [_film(film, stops, arrays) for film in films],
        "computed": [_computed(film, laid) for film in computed],
        "panels": [_plot(plot, laid) for plot in plots],
        "words": {name: words[name] for name in WORDS},
        "summary": summary,
        "about": about,
        "underflow": UNDERFLOW,
        "seen": sought(seen, seen_for),
    }
    shapes = {plot.name: _shape(plot) for plot in plots}
    lengths = {plot.name: plot.count for plot in plots if isinstance(plot, Bars) and plot.editable}
    _LAB(
        key=key,
        data=encode(meta, arrays),
        on_at_change=partial(_moved, key, stops, on_move),
        on_pick_change=partial(picked, key, shapes, on_pick),
        on_edited_change=partial(_edited, key, lengths, on_edit),
        on_seen_change=partial(_saw, key, meta["seen"], on_seen),
    )


def _put(key: str, wanted: Positions) -> Put:
    """Where Python itself has last put the sliders: anew where they are wanted elsewhere than the browser has them.

    The browser keeps its sliders where the reader has them, and takes a position only with a put it has not seen. So
    after a release the bytes are the same as before, and Streamlit sends none.
    """
    put = st.session_state.get(f"{key}_put", NOWHERE)
    state = st.session_state.get(key)
    released, puts = _release(state.get("at") if isinstance(state, Mapping) else None)
    # A release counts if it had seen the last put; if not, the sliders have gone to that put since.
    if put is NOWHERE or (released if puts == put.count else put.at) != wanted:
        put = Put(wanted, max(put.count, puts) + 1)  # a browser may know more puts than a session that begins anew
        st.session_state[f"{key}_put"] = put
    return put


def _release(sent: Any) -> tuple[Any, int]:  # noqa: ANN401 from a browser
    """What a browser has sent when a slider was let go: the positions, and how many puts it had seen."""
    positions, puts = (sent.get("positions"), sent.get("puts")) if isinstance(sent, Mapping) else (None, 0)
    return positions, puts if type(puts) is int else 0


def _check_names(plots: Sequence[Plot], films: Collection[str], sliders: Collection[str]) -> None:
    """Raises ValueError, naming the plot, where one asks for a film or a slider that is not there."""
    for plot in plots:
        contours = (line.film for line in getattr(plot, "lines", ()) if isinstance(line, Contour))
        drawn = [*(getattr(plot, part, "") for part in ("film", "ghost", "over", "order")), *contours]
        followed = [*getattr(plot, "sliders", ()), *(getattr(plot, part, "") for part in ("along", "x", "y"))]
        for kind, names, known in (("film", drawn, films), ("slider", followed, sliders)):
            if missing := [name for name in names if name and name not in known]:
                raise ValueError(
                    f"the plot {plot.name} asks for the {kind} {missing[0]!r}; there are {', '.join(known)}"
                )


def _film(film: Film, stops: Mapping[str, int], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if unknown := [name for name in film.axes if name not in stops]:
        raise ValueError(f"the film {film.name} follows the slider {unknown[0]!r}; there are {', '.join(stops)}")
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


def _computed(film: Computed, laid: Mapping[str, Frame]) -> dict[str, Any]:
    sent = asdict(film) | {"kind": type(film).__name__.lower()}
    if isinstance(film, Jacobian):
        sent |= {"size": film.n**2, "start": laid[film.of].start(film.column) + film.row * film.n}
    return sent


def _plot(plot: Plot, laid: Mapping[str, Frame]) -> dict[str, Any]:
    """A picture as the browser gets it: its room beside what it shows, places in frames instead of names of columns."""
    scale = getattr(plot, "scale", RAMPS[0])
    if scale not in RAMPS:
        raise ValueError(f"the scale must be one of {', '.join(RAMPS)}; not {scale!r}")
    sent: dict[str, Any] = asdict(plot) | {"kind": type(plot).__name__.lower()}
    sent |= sent.pop("box")
    frame = laid.get(getattr(plot, "film", ""))
    if frame is not None:
        _place(sent, frame)
        for part in (*sent.get("items", ()), *sent.get("lines", ())):
            _place(part, frame)
    return sent


def _place(part: dict[str, Any], frame: Frame) -> None:
    """Where in a frame a picture, a line or a read-out finds its numbers."""
    if "column" in part:
        part["start"] = frame.start(part.pop("column")) + part.pop("row", 0) * part.get("count", 0)
    if part.get("band"):
        part["band"] = [frame.start(end) for end in part["band"]]


def _shape(plot: Plot) -> tuple[int, int]:
    match plot:
        case Map():
            return plot.rows, plot.cols
        case Grid() | Bars():
            return plot.count, 1
        case _:
            return 0, 0


def checked_positions(sent: Any, stops: Mapping[str, int]) -> Positions | None:  # noqa: ANN401 from a browser
    """What a browser says the sliders stand at, if it can be true: every slider, at one of its stops."""
    if not isinstance(sent, Mapping) or set(sent) != set(stops):
        return None
    if not all(type(at) is int and 0 <= at < stops[name] for name, at in sent.items()):
        return None
    return dict(sent)


@callback
def _moved(key: str, stops: Mapping[str, int], on_move: Callable[[Positions], None] | None) -> None:
    sent = st.session_state[key].get("at")
    positions = checked_positions(_release(sent)[0], stops)
    if positions is None:
        refuse(key, "position", sent)
    elif on_move is not None:
        on_move(positions)


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
    edit = checked_edit(sent, lengths)
    if edit is None:
        refuse(key, "row of numbers", sent)
    elif on_edit is not None:
        on_edit(*edit)


def checked_edit(sent: Any, lengths: Mapping[str, int]) -> tuple[str, list[float]] | None:  # noqa: ANN401 from a browser
    """What a browser says a reader has pulled the bars of a plot to, if it can be true: as many finite numbers."""
    if not isinstance(sent, Mapping):
        return None
    panel, values = sent.get("panel"), sent.get("values")
    if not isinstance(panel, str) or not isinstance(values, list) or len(values) != lengths.get(panel):
        return None
    # Neither NaN nor 10⁴⁰⁰, which no float holds.
    if not all(type(value) in (int, float) and abs(value) <= sys.float_info.max for value in values):
        return None
    return panel, [float(value) for value in values]
