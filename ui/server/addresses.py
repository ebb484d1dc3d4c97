"""Addresses where there is no page: those that are nearly one lead to it, all others to a sentence with the way home.

Streamlit answers every address with its page, whose scripts a browser then looks for below that address: below
/heads/x it finds none, and stays blank.
"""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server import plain
from ui.server.gate import PROBES, SERVED
from ui.server.waiting import reader_language
from ui.text import words

PAGE = "missing"
Find = Callable[[str], str | None]


class Addresses:
    """Answers where there is no page; `find` gives the address of the page that a path means, if any."""

    def __init__(self, app: ASGIApp, find: Find) -> None:
        self._app = app
        self._find = find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass it on."""
        await (elsewhere(scope, self._find) or self._app)(scope, receive, send)


def elsewhere(scope: Scope, find: Find) -> Response | None:
    """The answer to who asks for a page at an address that is none; None where there is one, or a file is wanted."""
    if not asks_for_page(scope):
        return None
    root, path = scope.get("root_path", ""), scope["path"]
    path = path.removeprefix(root) or "/"
    meant = find(path)
    if meant is None:
        return _missing(scope, f"{root}/")
    if meant == path:
        return None
    query = scope.get("query_string", b"").decode("latin-1")
    return RedirectResponse(f"{root}{meant}" + (f"?{query}" if query else ""), headers={"cache-control": "no-store"})


def asks_for_page(scope: Scope) -> bool:
    """Whether a browser would show the answer; a file that a page loads is asked for otherwise."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path: str = scope["path"]
    nested = path.count("/") > 1
    if path in PROBES or path.startswith((*SERVED, "//")) or (not nested and "." in path):
        return False
    wanted = Headers(scope=scope).get("accept", "*/*")
    return "text/html" in wanted or (not nested and "*/*" in wanted)


def _missing(scope: Scope, home: str) -> Response:
    query = scope.get("query_string", b"")
    language = reader_language(Headers(scope=scope).get("accept-language", ""), query)
    texts, common = words("server", language), words("common", language)
    text = texts.data("missing.text", page=common["page.start.title"])
    values = {"title": texts["missing.title"], "text": text, "way": texts["missing.way"]}
    headers = {"cache-control": "no-store", "vary": "accept, accept-language", "content-language": language}
    return HTMLResponse(plain.filled(PAGE, language, values | {"home": f"{home}?lang={language}"}), 404, headers)
