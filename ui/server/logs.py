"""One line of JSON for each request, and one for each error. No visitor's sentence is in them.

Sentences travel in the query string and in the widgets' values; the text of an exception may repeat them. So a request
is named by its route, and an error by its type and the places it passed. Other packages' messages are given as the
template they were written as, and not with what was filled in.
"""

import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import streamlit.logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

OURS = "headlight"
ROOT = str(Path(__file__).parents[2])
INSTALLED = re.compile(r".*/(?:site-packages|lib/python[\d.]+)/")

# What a path may be called in the log. Everything else was typed by somebody: "other".
ROUTES = (
    (re.compile(r"/_stcore/upload_file/.*"), "/_stcore/upload_file/{session}/{file}"),
    (re.compile(r"/media/.*"), "/media/{file}"),
    (re.compile(r"/static/(js|css|media)/.*"), r"/static/\1/{file}"),
    (re.compile(r"/_stcore/bidi-components/.*"), "/_stcore/bidi-components/{file}"),
    (re.compile(r"/_stcore/agent/.*"), "/_stcore/agent/{path}"),
)
PLAIN = ("/", "/favicon.png", "/manifest.json", "/livez", "/readyz", "/metrics", "/_stcore/stream", "/_stcore/health",
         "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check")  # fmt: skip

_access = logging.getLogger(f"{OURS}.access")


def route_of(path: str, pages: frozenset[str]) -> str:
    """The route that answers `path`; `pages` are the addresses of the app's pages, "/heads"."""
    if path in PLAIN or path in pages:
        return path
    return next((matched.expand(name) for shape, name in ROUTES if (matched := shape.fullmatch(path))), "other")


PROBES = ("/livez", "/readyz")  # asked every few seconds by machines: a log of them would be of nothing else


class AccessLog:
    """A line for each request when it is answered, and for each WebSocket when it is opened and when it has closed."""

    def __init__(self, app: ASGIApp, pages: frozenset[str]) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, count what goes back."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in PROBES:
            return await self._app(scope, receive, send)
        answer = Answer(scope.get("method", "WEBSOCKET"), route_of(scope["path"], self._pages))

        async def counted(message: Message) -> None:
            answer.count(message)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            answer.write()


class Answer:
    """What is known of one answer so far."""

    def __init__(self, method: str, route: str) -> None:
        self._named = {"method": method, "path": route}
        self._start = time.perf_counter()
        self._status = self._bytes = 0

    def count(self, message: Message) -> None:
        """One message on its way out."""
        match message["type"]:
            case "http.response.start":
                self._status = message["status"]
            case "http.response.body":
                self._bytes += len(message.get("body", b""))
            case "websocket.accept":
                self._status = 101
                self.write()
            case "websocket.send":
                self._bytes += len(message.get("bytes") or message.get("text") or "")
            case "websocket.close":
                self._status = self._status or 403  # before it was opened: refused

    def write(self) -> None:
        """The line."""
        milliseconds = round((time.perf_counter() - self._start) * 1000, 1)
        fields = self._named | {"status": self._status, "ms": milliseconds, "bytes": self._bytes}
        _access.info("", extra={"fields": fields})


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, then the fields of a request, or what went wrong and where."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = getattr(record, "fields", None)
        return json.dumps({"time": moment} | (fields if fields is not None else event(record)), ensure_ascii=False)


def event(record: logging.LogRecord) -> dict[str, object]:
    """A message that is no request. Ours is given in full; of others only what stands in their source."""
    ours = record.name.partition(".")[0] == OURS
    fields: dict[str, object] = {
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage() if ours else record.msg if record.args else "",
        "at": f"{short(record.pathname)}:{record.lineno}",
    }
    error = record.exc_info[1] if record.exc_info else None
    return fields | ({"error": [described(link) for link in chain(error)]} if error else {})


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, then what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def described(error: BaseException) -> dict[str, object]:
    """Its type and the places it passed, the innermost last; not its text, which may repeat what somebody typed."""
    return {"type": type(error).__name__, "traceback": list(places(error.__traceback__))}


def places(trace: TracebackType | None) -> Iterator[str]:
    """file:line function, outermost first."""
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{short(code.co_filename)}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next


def short(path: str) -> str:
    """A source file without where this machine keeps it."""
    return INSTALLED.sub("", path.removeprefix(f"{ROOT}/"))


def configure() -> None:
    """Requests to standard output, everything else to standard error; also what Python itself would print."""
    errors, requests = logging.StreamHandler(sys.stderr), logging.StreamHandler(sys.stdout)
    for handler in (errors, requests):
        handler.setFormatter(JsonLines())
    errors.addFilter(lambda record: record.levelno >= logging.WARNING or record.name == OURS)
    logging.basicConfig(handlers=[errors], level=logging.WARNING, force=True)
    logging.getLogger(OURS).setLevel(logging.INFO)
    _access.handlers, _access.propagate = [requests], False
    logging.captureWarnings(True)
    _streamlit()
    sys.excepthook = _uncaught(logging.getLogger(OURS))
    threading.excepthook = lambda failed: sys.excepthook(failed.exc_type, failed.exc_value, failed.exc_traceback)  # type: ignore[arg-type]


def _streamlit() -> None:
    """Streamlit gives each of its loggers a handler of its own: they take ours instead."""

    def hand_over(logger: logging.Logger) -> None:
        logger.handlers, logger.propagate = [], True

    config.set_option("logger.enableRich", False)  # it prints what nobody caught beside any logger, text and all
    streamlit.logger.setup_formatter = hand_over
    streamlit.logger.update_formatter()


def _uncaught(log: logging.Logger) -> Callable[..., None]:
    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt | SystemExit):
            log.critical("Nobody caught this", exc_info=(kind, error, trace))

    return report
