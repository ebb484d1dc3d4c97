"""Admission: who asks for a page is let in while there is a seat, and otherwise told to wait; the socket is held to it.

A browser shows who it is with a random ticket in a cookie that no script can read. Scripts, styles and health routes
are served to everybody.
"""

import re
import secrets
from collections import Counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server.admission import House
from ui.server.conversation import Conversation
from ui.server.waiting import answer

COOKIE = "headlight_ticket"
TICKET = re.compile(r"[A-Za-z0-9_-]{22}")
SERVED = ("/static/", "/_stcore/", "/media/", "/component/", "/app/static/")
PROBES = ("/livez", "/readyz", "/metrics")
STREAM = "/_stcore/stream"
RELOADS = ("no-cache", "max-age=0")  # what a browser's reload sends as Cache-Control
TRY_AGAIN = 1013  # how a WebSocket says so; before it is open the browser sees 403


class Gate:
    """The house's door. `framed`: pages of other sites show it, so its cookie must be one for that."""

    def __init__(self, app: ASGIApp, house: House, figures: Counter[str], *, framed: bool = False) -> None:
        self._app = app
        self._house = house
        self._figures = figures
        self._framed = framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or ask to wait."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and asks_for_page(scope):
            await self._page(scope, receive, send)
        else:
            if scope["type"] == "http":
                self._house.loads(ticket_of(Headers(scope=scope)))
            await self._app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        shown = ticket_of(headers)
        ticket = shown or secrets.token_urlsafe(16)
        reloads = headers.get("cache-control", "") in RELOADS and not asks_again(headers)
        waiting = self._house.ask(ticket, shown=bool(shown), reloads=reloads)
        ticketed = send if shown else self._handing_out(ticket, headers, send)
        if waiting is not None or asks_again(headers):
            await answer(waiting, self._house, scope)(scope, receive, ticketed)
        else:
            await self._app(scope, receive, ticketed)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        seat = self._house.sit(ticket_of(headers), session_of(headers)) if scope["path"] == STREAM else None
        if seat is None:
            return await send({"type": "websocket.close", "code": TRY_AGAIN})
        holder = seat.holder

        def named(session: str) -> None:
            seat.session = session

        heard = Conversation(self._figures, named)
        try:
            await self._app(scope, heard.listening(receive), heard.speaking(send))
        finally:
            self._house.leave(seat, holder, lost=heard.lost)

    def _handing_out(self, ticket: str, headers: Headers, send: Send) -> Send:
        cookie = f"{COOKIE}={ticket}; Path=/; HttpOnly; {self._crossing(headers)}"

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).append("set-cookie", cookie)
            await send(message)

        return sent

    def _crossing(self, headers: Headers) -> str:
        """In a frame of another site only a cookie marked for it is kept, one jar per site."""
        if self._framed:
            return "SameSite=None; Secure; Partitioned"
        return "SameSite=Lax; Secure" if headers.get("x-forwarded-proto") == "https" else "SameSite=Lax"


def ticket_of(headers: Headers) -> str:
    """The ticket a browser shows, or "" where it shows none that can be one."""
    ticket = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    return ticket if TICKET.fullmatch(ticket) else ""


def session_of(headers: Headers) -> str:
    """The session a browser says it comes back to: Streamlit sends it as the third WebSocket protocol."""
    protocols = [protocol.strip() for protocol in headers.get("sec-websocket-protocol", "").split(",")]
    return protocols[2] if len(protocols) > 2 else ""


def asks_for_page(scope: Scope) -> bool:
    """Whether Streamlit would answer with its page: every address that is none of a file, and wanted as a page."""
    path: str = scope["path"]
    if scope["method"] != "GET" or path in PROBES or path.startswith(SERVED) or "." in path.rpartition("/")[2]:
        return False
    wanted = Headers(scope=scope).get("accept", "*/*")
    return any(kind in wanted for kind in ("text/html", "application/json", "*/*"))


def asks_again(headers: Headers) -> bool:
    """Whether the page that waits asks for itself."""
    return headers.get("accept") == "application/json"
