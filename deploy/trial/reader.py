"""A light reader of a replicated Headlight: it keeps cookies, and comes back when its connection is lost."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookies import SimpleCookie
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.harness.client import Reply, Session, elements
from tests.harness.page import Page

COOKIE = "headlight_replica"
PAUSES = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0)  # seconds between tries to come back; a browser waits up to four


@dataclass
class Reader:
    """One open page behind the proxy at `url`, with the cookies of its browser."""

    url: str
    number: int
    cookies: dict[str, str] = field(default_factory=dict)
    wire: ClientConnection | None = None
    last: Reply | None = None

    @property
    def sentence(self) -> str:
        """What the link asks for; a digit more or less, so that no two readers share an answer."""
        return f"Reader {self.number} counts to {self.number + 1}"

    @property
    def query(self) -> str:
        """What stands behind the question mark of the link."""
        return urlencode({"text": self.sentence})

    @property
    def replica(self) -> int:
        """The port of the replica that the cookie names."""
        return int(self.cookies[COOKIE])

    async def open(self) -> None:
        """Fetch the page, connect, and see the sentence of the link."""
        await self.get(f"/?{self.query}")
        await self.get("/_stcore/health")
        await self._connect()

    async def come_back(self) -> None:
        """As soon as the connection is lost: ask whether anybody is there, connect, see the sentence again."""
        assert self.wire is not None
        await self.wire.wait_closed()
        for seconds in PAUSES:
            try:
                await self.get("/_stcore/health")
                return await self._connect()
            except (OSError, HTTPException, InvalidHandshake, ConnectionClosed):
                await asyncio.sleep(seconds)
        raise ConnectionError(f"reader {self.number} is lost")

    async def close(self) -> None:
        """Close the tab."""
        if self.wire is not None:
            await self.wire.close()

    async def act(self) -> None:
        """Run the page again on the connection there is: OSError if it is gone."""
        assert self.wire is not None
        self.last = await Session(self.wire, Page("", self.query)).rerun()

    async def upload(self, content: bytes) -> int:
        """Send a file to the session that is connected, as the browser does: the status, an HTTPError from 400 on."""
        assert self.last is not None
        opened = next(m.new_session for m in self.last.messages if m.WhichOneof("type") == "new_session")
        body = b"--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + content + b"\r\n--x--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": self.cookies["_streamlit_xsrf"]}
        return await self.get(f"/_stcore/upload_file/{opened.initialize.session_id}/f", "PUT", body, kind)

    async def get(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> int:
        """Ask over HTTP: the status, an HTTPError from 400 on."""
        own = {"Cookie": self._cookie()} | dict(headers or {})
        return await asyncio.to_thread(self._ask, Request(self.url + path, body, own, method=method))

    def _ask(self, request: Request) -> int:
        with urlopen(request, timeout=15) as answer:
            answer.read()
            self._keep(answer.headers.get_all("Set-Cookie") or [])
            return answer.status

    async def _connect(self) -> None:
        self.wire = await connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            additional_headers={"Cookie": self._cookie()},
            origin=self.url,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            compression=None,
            proxy=None,
            open_timeout=15,
        )
        assert self.wire.response is not None
        self._keep(self.wire.response.headers.get_all("Set-Cookie"))
        await self.act()
        if self.last is None or self.sentence not in sentences(self.last):
            raise ValueError(f"reader {self.number} sees another page")

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}


def sentences(reply: Reply) -> set[str]:
    """What stands in the text fields that the server filled."""
    return {element.value for element in elements(reply, "text_input")}  # type: ignore[attr-defined]
