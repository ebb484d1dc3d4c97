"""Headers on every answer: what a page of ours may load, who may frame it, and nothing about the server."""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
TELLING = ("server", "x-powered-by", "via")


def hashes(html: str) -> list[str]:
    """The inline scripts of a page as sources of a Content-Security-Policy."""
    digests = (sha256(script.encode("utf-8")).digest() for script in INLINE.findall(html))
    return [f"'sha256-{b64encode(digest).decode('ascii')}'" for digest in digests]


def content_security_policy(pages: tuple[str, ...], frame_ancestors: str) -> str:
    """What the browser may load and run. Nothing comes from elsewhere and no text is evaluated.

    Streamlit needs: its inline scripts, by their hashes; `blob:` scripts, as which it imports the JavaScript of
    components; styles written at run time (emotion, Plotly, KaTeX); `data:` and `blob:` for pictures and fonts (Plotly
    draws heat maps into `data:` images, downloads of pictures are `blob:`); its WebSocket, which is 'self'. It does not
    need WebAssembly: its protobuf library tries it for 64-bit integers and goes on in JavaScript where it may not.
    """
    inline = " ".join(source for page in pages for source in hashes(page))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob: {inline}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "object-src 'none'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def security_headers(pages: tuple[str, ...], frame_ancestors: str) -> dict[str, str]:
    """Header → value. X-Frame-Options says the same as frame-ancestors where it can; it has no list of sites."""
    framing = {"'self'": "SAMEORIGIN", "'none'": "DENY"}.get(frame_ancestors)
    return {
        "content-security-policy": content_security_policy(pages, frame_ancestors),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
    } | ({"x-frame-options": framing} if framing else {})


class Headers:
    """Adds them to every answer, also to those of what failed."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, with more headers on the way back."""

        async def added(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name in TELLING:
                    if name in headers:
                        del headers[name]
                headers.update(self._headers)
            await send(message)

        await self._app(scope, receive, added)
