"""What is refused before Streamlit sees it: unknown names, foreign origins, routes nobody needs, many files."""

import asyncio
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.hosts import host_allowed, origin_allowed

PROBES = ("/livez", "/readyz", "/metrics")  # whoever watches the server asks by its number
# Streamlit's own figures, its health check that runs the whole app, its interface for programs, its sign-in.
CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent", "/auth", "/oauth2callback")
UPLOADS = "/_stcore/upload_file/"
AT_ONCE = 2  # files that are read at the same time; the others wait
PATIENCE = 60.0  # seconds for one file: who sends it byte by byte does not keep the others waiting
UNKNOWN = "This server is not known by that name. Its operator can add names in HEADLIGHT_HOSTS."


class Doors:
    """Lets in who asks under a known name, from a page of ours, for something a reader needs."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = hosts
        self._uploads = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused, pass the rest on."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        refused = self._refusal(scope)
        if refused is not None:
            return await refuse(scope, receive, send, refused)
        if scope["path"].startswith(UPLOADS):
            return await self._upload(scope, receive, send)
        await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._uploads:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._app(scope, receive, send)
            except TimeoutError:
                await refuse(scope, receive, send, HTTPStatus.REQUEST_TIMEOUT)

    def _refusal(self, scope: Scope) -> HTTPStatus | None:
        path, headers = scope["path"], Headers(scope=scope)
        if any(path == closed or path.startswith(f"{closed}/") for closed in CLOSED):
            return HTTPStatus.NOT_FOUND
        named = headers.getlist("host")
        host = named[0] if len(named) == 1 else None
        if path not in PROBES and not host_allowed(host, self._hosts):
            return HTTPStatus.MISDIRECTED_REQUEST
        if scope["type"] == "websocket" and not origin_allowed(headers.get("origin"), host, self._hosts):
            return HTTPStatus.FORBIDDEN
        return None


async def refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus) -> None:
    """An answer of one line; a WebSocket is refused before it opens, which a browser sees as 403."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        text = UNKNOWN if status == HTTPStatus.MISDIRECTED_REQUEST else status.phrase
        await PlainTextResponse(text, status, {"cache-control": "no-store"})(scope, receive, send)
