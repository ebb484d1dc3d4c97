"""What one WebSocket tells in passing: the name of its session, how it ended, how often and how long its page ran."""

import time
from collections import Counter
from collections.abc import Callable

from starlette.types import Message, Receive, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

SMALL = 256  # bytes; the message that ends a rerun has about 60
OPENING = 5  # the session's name stands in one of the first messages
GOODBYE = (1000, 1001)  # the page was closed, or another one opened in its place


class Conversation:
    """Listens to a socket without changing anything. `named` is called once, with the session's name."""

    def __init__(self, figures: Counter[str], named: Callable[[str], None]) -> None:
        self._figures = figures
        self._named: Callable[[str], None] | None = named
        self._heard = 0
        self._asked: float | None = None  # when the browser last sent something
        self.lost = False  # whether the socket ended without a goodbye

    def listening(self, receive: Receive) -> Receive:
        """`receive`, overheard."""

        async def received() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self._asked = time.perf_counter()
            elif message["type"] == "websocket.disconnect":
                self.lost = message.get("code") not in GOODBYE
            return message

        return received

    def speaking(self, send: Send) -> Send:
        """`send`, overheard."""

        async def sent(message: Message) -> None:
            data = message.get("bytes") if message["type"] == "websocket.send" else None
            if data and (self._named or len(data) <= SMALL):
                self._note(ForwardMsg.FromString(data))
            await send(message)

        return sent

    def _note(self, message: ForwardMsg) -> None:
        self._heard += 1
        kind = message.WhichOneof("type")
        if kind == "new_session" and self._named:
            self._named(message.new_session.initialize.session_id)
            self._named = None
        elif kind == "script_finished":
            self._figures["reruns"] += 1
            if self._asked is not None:
                self._figures["rerun_seconds"] += time.perf_counter() - self._asked  # type: ignore[assignment]
        if self._heard == OPENING:
            self._named = None
