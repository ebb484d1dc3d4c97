"""A browser without a window: Streamlit's protobuf over its WebSocket."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass(frozen=True)
class Reply:
    """What one rerun brought back, how long that took, and how large it was."""

    messages: tuple[ForwardMsg, ...]
    seconds: float
    bytes: int


@dataclass
class Session:
    """One visitor: `rerun` sends widget values and waits until the script has finished.

    `page` and `query` are the address: the path of a page (empty: the landing page) and what stands behind its ?.
    """

    socket: ClientConnection
    page: str = ""
    query: str = ""
    script: str = ""  # the server's name of the page, once it has answered

    async def rerun(self, widgets: Mapping[str, float] | None = None, fragment_id: str = "") -> Reply:
        """Rerun the page, or one fragment of it, with sliders at these values."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.page_script_hash = self.script
        message.rerun_script.fragment_id = fragment_id
        for name, value in (widgets or {}).items():
            message.rerun_script.widget_states.widgets.add(id=name).double_array_value.data.append(value)
        start = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        messages, size = [], 0
        while not (messages and _finished(messages[-1])):
            raw = await self.socket.recv(decode=False)
            size += len(raw)
            messages.append(ForwardMsg.FromString(raw))
        seconds = time.perf_counter() - start
        opened = [each.navigation.page_script_hash for each in messages if each.WhichOneof("type") == "navigation"]
        self.script = opened[-1] if opened else self.script
        if messages[-1].script_finished not in FINISHED or any(_failed(message) for message in messages):
            raise RuntimeError("The script failed")
        return Reply(tuple(messages), seconds, size)


@asynccontextmanager
async def visit(url: str, page: str = "", query: str = "") -> AsyncIterator[Session]:
    """A new session with the server at `url`."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None, compression=None, proxy=None) as socket:  # type: ignore
        yield Session(socket, page, query)


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
    return [each.auto_rerun.fragment_id for each in reply.messages if each.WhichOneof("type") == "auto_rerun"]


def _finished(message: ForwardMsg) -> bool:
    """Whether nothing follows: after a script that asked for another run, that run does."""
    kind = message.WhichOneof("type")
    return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _failed(message: ForwardMsg) -> bool:
    return message.WhichOneof("type") == "delta" and message.delta.new_element.WhichOneof("type") == "exception"
