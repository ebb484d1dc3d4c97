"""What a browser keeps of one page: its elements, the values of its widgets, the messages it need not be sent again."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from streamlit.proto.WidgetStates_pb2 import WidgetState

Path = tuple[int, ...]
Value = float | str | list[str]

UNFINISHED = ForwardMsg.FINISHED_EARLY_FOR_RERUN
FRAME_HEADER = 12  # bytes before the JSON of a frame: magic, version, length (ARCHITECTURE.md, "The wire format")


@dataclass(frozen=True, slots=True)
class Piece:
    """One element where it stands: its kind, its id, the fragment it belongs to; `element` unless it has no values.

    `frame`: the JSON in front of a picture's numbers.
    """

    kind: str
    id: str
    fragment: str
    element: Message
    frame: bytes = b""

    @property
    def key(self) -> str:
        """The key its page has given it; Streamlit's ids end with it."""
        return self.id.split("-", 2)[-1]

    def picture(self) -> dict[str, Any]:
        """What a canvas or a laboratory was told: panels, sliders, words."""
        return json.loads(self.frame)["meta"]


@dataclass
class _Placed:
    """A piece or a block, and the run that drew it last."""

    run: str
    fragment: str
    piece: Piece | None = None
    folded: bool = False


@dataclass
class Page:
    """One page as a browser knows it. `apply` takes what the server sends, `state` is what goes back with a rerun."""

    path: str = ""
    query: str = ""
    script: str = ""  # the server's name of the page, once it has answered
    ticking: dict[str, float] = field(default_factory=dict)  # fragments that run by themselves, and their seconds
    faults: list[str] = field(default_factory=list)  # exceptions that a reader would see
    _placed: dict[Path, _Placed] = field(default_factory=dict)
    _values: dict[str, WidgetState] = field(default_factory=dict)
    _cache: dict[str, tuple[Piece, int]] = field(default_factory=dict)  # by hash, with the run that used it last
    _runs: int = 0
    _run: str = ""
    _fragments: tuple[str, ...] = ()  # those that this run draws; none: the whole page
    _oldest: int = 2  # runs after which a message is forgotten

    def pieces(self, kind: str = "") -> list[Piece]:
        """What stands on the page, from top to bottom; not what is folded away in a menu."""
        drawn = [self._placed[path].piece for path in sorted(self._placed) if not self._placed[path].folded]
        return [piece for piece in drawn if piece is not None and kind in ("", piece.kind)]

    def find(self, key: str) -> Piece | None:
        """The widget or component of this key."""
        return next((piece for piece in self.pieces() if piece.id and piece.key == key), None)

    def texts(self) -> list[str]:
        """What its warnings and notices say."""
        return [piece.element.body for piece in self.pieces("alert")]  # type: ignore[attr-defined]

    def value(self, widget: str) -> WidgetState:
        """The value of a widget, to be changed."""
        return self._values.setdefault(widget, WidgetState(id=widget))

    def write(self, widget: str, value: Value) -> None:
        """Set the value of a widget. A number is a slider's, or that of the field it belongs to."""
        state = self.value(widget)
        match value:
            case str():
                state.string_value = value
            case list():
                state.string_array_value.data[:] = value
            case _ if state.HasField("double_value"):
                state.double_value = value
            case _:
                state.double_array_value.data[:] = [value]

    def forget(self, widget: str) -> None:
        """A trigger is sent once."""
        self._values.pop(widget, None)

    def state(self, fragment: str = "", *, auto: bool = False) -> ClientState:
        """Everything a browser sends with a rerun."""
        client = ClientState(
            query_string=self.query,
            page_name="" if self.script else self.path,
            page_script_hash=self.script,
            fragment_id=fragment,
            is_auto_rerun=auto,
            cached_message_hashes=self._cache,
        )
        client.widget_states.widgets.extend(self._values.values())
        client.context_info.locale = "en"
        client.context_info.timezone = "UTC"
        client.context_info.color_scheme = "light"
        return client

    def apply(self, message: ForwardMsg) -> bool:
        """Take in one message; whether it was the last one of what was asked for."""
        match message.WhichOneof("type"):
            case "delta":
                self._draw(message)
            case "ref_hash":
                piece, _ = self._cache[message.ref_hash]
                self._cache[message.ref_hash] = piece, self._runs
                self._place(message, piece)
            case "new_session":
                self._begin(message)
            case "navigation":
                self.script = message.navigation.page_script_hash
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "page_not_found":
                self.faults.append("Page not found")
            case "auto_rerun":
                self.ticking[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            case "stop_auto_rerun":
                for fragment in message.stop_auto_rerun.fragment_ids:
                    self.ticking.pop(fragment, None)
            case "script_finished" if message.script_finished != UNFINISHED:
                self._end(message)
                return True
        return False

    def _begin(self, message: ForwardMsg) -> None:
        run = message.metadata.run
        self._run, self._fragments = run.script_run_id, tuple(run.fragment_ids)
        self._oldest = message.new_session.config.max_cached_message_age
        if not self._fragments:
            self.ticking.clear()

    def _draw(self, message: ForwardMsg) -> None:
        delta, path = message.delta, tuple(message.metadata.delta_path)
        kind = delta.WhichOneof("type")
        if kind == "add_block":
            folded = delta.add_block.WhichOneof("type") == "popover"
            self._placed[path] = _Placed(self._run, delta.fragment_id, folded=folded)
        elif kind == "new_element":
            piece = _piece(delta)
            if message.metadata.cacheable:
                self._cache.setdefault(message.hash, (piece, self._runs))
            self._place(message, piece)

    def _place(self, message: ForwardMsg, piece: Piece) -> None:
        path = tuple(message.metadata.delta_path)
        folded = self._folded(path)
        self._placed[path] = _Placed(self._run, piece.fragment, piece, folded)
        if piece.kind == "exception":
            self.faults.append(piece.element.message)  # type: ignore[attr-defined]
        read = VALUES.get(piece.kind)
        asked = getattr(piece.element, "set_value", False)
        if read is not None and (asked or piece.id not in self._values) and not folded:
            state = WidgetState(id=piece.id)
            read(piece.element, state)
            self._values[piece.id] = state

    def _folded(self, path: Path) -> bool:
        """Whether it stands in a menu nobody has opened: a browser does not mount it, so it has no value to send."""
        outer = (self._placed.get(path[:n]) for n in range(1, len(path)))
        return any(block is not None and block.folded for block in outer)

    def _end(self, message: ForwardMsg) -> None:
        """What this run has not drawn again is gone, and so are the values of its widgets."""
        self._runs += 1
        redrawn = {path for path, placed in self._placed.items() if placed.run == self._run and placed.piece is None}
        self._placed = {path: placed for path, placed in self._placed.items() if self._stays(path, placed, redrawn)}
        alive = {placed.piece.id for placed in self._placed.values() if placed.piece is not None}
        self._values = {widget: state for widget, state in self._values.items() if widget in alive}
        self._cache = {
            name: (piece, used)
            for name, (piece, used) in self._cache.items()
            if self._runs - used <= self._oldest or (self._fragments and piece.fragment not in self._fragments)
        }
        if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.faults.append("The script does not compile")

    def _stays(self, path: Path, placed: _Placed, redrawn: set[Path]) -> bool:
        if placed.run == self._run or not self._fragments:
            return placed.run == self._run
        outside = not any(path[:n] in redrawn for n in range(1, len(path)))
        return placed.fragment not in self._fragments and outside


def _piece(delta: Delta) -> Piece:
    """What is worth keeping of an element: not the numbers and the scripts of a component."""
    kind = delta.new_element.WhichOneof("type") or ""
    element = getattr(delta.new_element, kind)
    name, frame = getattr(element, "id", ""), b""
    if kind == "bidi_component":
        length = int.from_bytes(element.bytes[FRAME_HEADER - 4 : FRAME_HEADER], "little")
        frame = element.bytes[FRAME_HEADER : FRAME_HEADER + length]
    elif kind not in VALUES and kind not in KEPT:
        element = Delta()
    return Piece(kind, name, delta.fragment_id, element, frame)


def _text(element: Any, state: WidgetState) -> None:
    state.string_value = element.value if element.set_value else element.default


def _number(element: Any, state: WidgetState) -> None:
    state.double_value = element.value if element.set_value else element.default


def _check(element: Any, state: WidgetState) -> None:
    state.bool_value = element.value if element.set_value else element.default


def _select(element: Any, state: WidgetState) -> None:
    if element.set_value:
        state.string_value = element.raw_value
    elif element.HasField("default"):
        state.string_value = element.options[element.default]


def _several(element: Any, state: WidgetState) -> None:
    options = [getattr(option, "content", option) for option in element.options]
    chosen = element.raw_values if element.set_value else [options[at] for at in element.default]
    state.string_array_value.data.extend(chosen)


def _slider(element: Any, state: WidgetState) -> None:
    if element.type == Slider.SELECT_SLIDER:
        chosen = element.raw_value if element.set_value else [element.options[int(at)] for at in element.default]
        state.string_array_value.data.extend(chosen)
    else:
        state.double_array_value.data.extend(element.value if element.set_value else element.default)


def _files(_: Any, state: WidgetState) -> None:
    state.file_uploader_state_value.SetInParent()


# How a browser reads the value of a widget that it meets for the first time, or that the page has set.
VALUES: dict[str, Callable[[Any, WidgetState], None]] = {
    "text_input": _text,
    "text_area": _text,
    "number_input": _number,
    "checkbox": _check,
    "selectbox": _select,
    "radio": _select,
    "multiselect": _several,
    "button_group": _several,
    "slider": _slider,
    "file_uploader": _files,
}
KEPT = ("alert", "exception", "button", "progress")
