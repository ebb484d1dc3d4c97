"""A browser without a window: Streamlit's protobuf over its WebSocket, and what a reader does on a page."""

import asyncio
import json
import math
import time
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from tests.harness.page import Page, Piece, Value
from tests.harness.serving import ROOT

PATIENCE = 60.0  # seconds after which a reader has given up
TRIGGER = "$$STREAMLIT_INTERNAL_KEY_{}__events"  # the widget through which a component tells of a click
UNEXPECTED = tuple(
    tomllib.loads(file.read_text(encoding="utf-8"))["error"]["unexpected"]
    for file in (ROOT / "assets" / "text").glob("*/common.toml")
)  # what a page says where it failed


class FaultError(RuntimeError):
    """A reader would see that something went wrong."""


class SilenceError(RuntimeError):
    """The server has not answered in time."""


@dataclass(frozen=True)
class Reply:
    """What one rerun brought back, how long that took, and how large it was."""

    messages: tuple[ForwardMsg, ...]
    seconds: float
    bytes: int


@dataclass
class Session:
    """One visitor: `rerun` sends widget values and waits until the script has finished.

    `page` is what the browser holds; its `path` (empty: the landing page) and `query` are the address.
    """

    socket: ClientConnection
    page: Page = field(default_factory=Page)
    patience: float = PATIENCE
    received: int = 0  # bytes so far
    complains: bool = True  # about what a reader would see as an error
    timers: dict[str, float] = field(default_factory=dict)  # when each fragment next wants to run by itself

    async def rerun(
        self, widgets: Mapping[str, Value] | None = None, fragment_id: str = "", *, auto: bool = False
    ) -> Reply:
        """Rerun the page, or one fragment of it, with the widgets of these ids at these values.

        Raises FaultError when a reader would see an error, SilenceError when nothing came for `patience` seconds.
        """
        for name, value in (widgets or {}).items():
            self.page.write(name, value)
        message = BackMsg()
        message.rerun_script.CopyFrom(self.page.state(fragment_id, auto=auto))
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        try:
            async with asyncio.timeout(self.patience):
                messages, size = await self._answer()
        except TimeoutError as error:
            raise SilenceError(f"/{self.page.path} gave no answer for {self.patience:g} s") from error
        if self.complains:
            self._complain()
        return Reply(tuple(messages), time.perf_counter() - start, size)

    async def change(self, key: str, value: Value) -> Reply:
        """Write into a field, choose from a list, press some of the buttons of a group, let a slider go.

        Of what is written only the last is sent: a reader who types faster than the field waits.
        """
        piece = self._find(key)
        return await self.rerun({piece.id: value}, piece.fragment)

    async def press(self, key: str) -> Reply:
        """Press a button."""
        piece = self._find(key)
        self.page.value(piece.id).trigger_value = True
        return await self._once(piece, piece.id)

    async def release(self, key: str, at: Mapping[str, int]) -> Reply:
        """Let the sliders of a laboratory go at these stops; the others stay where they are."""
        piece = self._find(key)
        value = self.page.value(piece.id)
        state = json.loads(value.json_value or "{}")
        picture = piece.picture()
        stands = state.get("at", {"puts": None})
        put = {slider["name"]: slider["at"] for slider in picture["sliders"]}
        before = stands["positions"] if stands["puts"] == picture["puts"] else put
        value.json_value = json.dumps(state | {"at": {"positions": before | dict(at), "puts": picture["puts"]}})
        return await self.rerun(fragment_id=piece.fragment)

    async def tell(self, key: str, event: str, value: object) -> Reply:
        """What a component tells of once: a "pick" (panel, row, col), a released "temperature"."""
        piece = self._find(key)
        trigger = TRIGGER.format(piece.id)
        self.page.value(trigger).json_trigger_value = json.dumps([{"event": event, "value": value}])
        return await self._once(piece, trigger)

    def due(self) -> float:
        """When a fragment next wants to run by itself, on the clock of time.perf_counter; infinite: never."""
        now, asked = time.perf_counter(), self.page.ticking
        self.timers = {fragment: self.timers.get(fragment, now + asked[fragment]) for fragment in asked}
        return min(self.timers.values(), default=math.inf)

    async def tick(self) -> Reply | None:
        """Wait until a fragment wants to run by itself, and let it; None: none wants to."""
        due = self.due()
        if due == math.inf:
            return None
        await asyncio.sleep(due - time.perf_counter())
        fragment = min(self.timers, key=self.timers.__getitem__)
        self.timers[fragment] = time.perf_counter() + self.page.ticking[fragment]
        return await self.rerun(fragment_id=fragment, auto=True)

    async def settle(self, seconds: float = PATIENCE) -> None:
        """Go on looking until the page's work is done. Raises SilenceError when that takes longer."""
        end = time.perf_counter() + seconds
        while await self.tick() is not None:
            if time.perf_counter() > end:
                raise SilenceError(f"/{self.page.path} was still at work after {seconds:g} s")

    async def _once(self, piece: Piece, trigger: str) -> Reply:
        try:
            return await self.rerun(fragment_id=piece.fragment)
        finally:
            self.page.forget(trigger)

    async def _answer(self) -> tuple[list[ForwardMsg], int]:
        messages, size, last = [], 0, False
        while not last:
            raw = await self.socket.recv(decode=False)
            size += len(raw)
            self.received += len(raw)
            message = ForwardMsg.FromString(raw)
            messages.append(message)
            last = self.page.apply(message)
        return messages, size

    def _find(self, key: str) -> Piece:
        piece = self.page.find(key)
        if piece is None:
            raise LookupError(f"/{self.page.path} has no {key}")
        return piece

    def _complain(self) -> None:
        faults = [*self.page.faults, *(text for text in self.page.texts() if text in UNEXPECTED)]
        if faults:
            raise FaultError(f"/{self.page.path}: {faults[0]}")


@asynccontextmanager
async def visit(url: str, page: str = "", query: str = "") -> AsyncIterator[Session]:
    """A new session with the server at `url`."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None, compression=None, proxy=None) as socket:  # type: ignore
        yield Session(socket, Page(page, query))


def elements(reply: Reply, kind: str) -> list[Message]:
    """The elements of one kind, e.g. every "slider"."""
    deltas = [message.delta for message in reply.messages if message.WhichOneof("type") == "delta"]
    return [getattr(delta.new_element, kind) for delta in deltas if delta.new_element.WhichOneof("type") == kind]


def fragment_of(reply: Reply) -> str:
    """The id of the page's fragment."""
    return next(
        message.delta.fragment_id
        for message in reply.messages
        if message.WhichOneof("type") == "delta" and message.delta.fragment_id
    )


def ticking(reply: Reply) -> list[str]:
    """The ids of the fragments that want to run again by themselves."""
    return [message.auto_rerun.fragment_id for message in reply.messages if message.WhichOneof("type") == "auto_rerun"]
