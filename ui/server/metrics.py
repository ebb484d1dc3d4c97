"""/livez, /readyz and /metrics: whether the process lives, may be sent visitors, and what it does."""

from collections import Counter
from collections.abc import Callable, Mapping
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ui.server import memory
from ui.server.admission import House

Gauges = Callable[[], Mapping[str, float]]

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
FRESH = {"cache-control": "no-store"}
HELP = {
    "sessions": "Sessions whose browser is connected",
    "sessions_limit": "Sessions that are let in at most",
    "sessions_waiting": "Browsers that wait for a seat",
    "sessions_admitted_total": "Sessions that were let in",
    "sessions_refused_total": "Answers that told somebody to wait, and sockets that had no seat",
    "reruns_total": "Reruns of a page or a fragment that have ended",
    "rerun_seconds_total": "Seconds from what a browser sent to the end of the rerun",
    "resident_bytes": "Memory this process holds",
}


class Watch:
    """What an operator asks the server. `gauges`: what other parts have to report."""

    def __init__(self, house: House, figures: Counter[str], *, open_metrics: bool) -> None:
        self._house = house
        self._figures = figures
        self._open = open_metrics
        self.gauges: Gauges = dict

    def routes(self) -> list[Route]:
        """The three routes."""
        return [
            Route("/livez", self.livez, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def livez(self, request: Request) -> PlainTextResponse:
        """The event loop answers."""
        return PlainTextResponse("alive\n", headers=FRESH)

    async def readyz(self, request: Request) -> PlainTextResponse:
        """Whether a new visitor should be sent here, and if not, one word why."""
        reason = self.reason()
        return PlainTextResponse(f"{reason or 'ready'}\n", 503 if reason else 200, FRESH)

    async def metrics(self, request: Request) -> PlainTextResponse:
        """Prometheus' text, to this machine only unless the operator opens it."""
        if not (self._open or from_here(request)):
            return PlainTextResponse("Only for this machine, unless HEADLIGHT_METRICS=open.\n", 403, FRESH)
        return PlainTextResponse(text(self.figures()), headers=FRESH, media_type=PROMETHEUS)

    def reason(self) -> str:
        """Why no new visitor should come, or ""."""
        if self._house.state != "open":
            return self._house.state
        return "full" if self._house.full else ""

    def figures(self) -> dict[str, float]:
        """Everything there is to report, by name."""
        happened = self._house.happened
        return {
            "sessions": self._house.taken,
            "sessions_limit": self._house.limit,
            "sessions_waiting": self._house.waiting,
            "sessions_admitted_total": happened["admitted"],
            "sessions_refused_total": happened["refused"],
            "reruns_total": self._figures["reruns"],
            "rerun_seconds_total": self._figures["rerun_seconds"],
            "resident_bytes": memory.resident(),
        } | dict(self.gauges())


def from_here(request: Request) -> bool:
    """Whether the question comes from this machine itself. A proxy on it asks for somebody else, and says so."""
    host = request.client.host if request.client else ""
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    return local and not any(name in request.headers for name in FORWARDED)


def text(figures: Mapping[str, float]) -> str:
    """Prometheus' text format 0.0.4. What ends in _total only grows."""
    lines: list[str] = []
    for name, value in figures.items():
        if name in HELP:
            lines.append(f"# HELP headlight_{name} {HELP[name]}")
        lines.append(f"# TYPE headlight_{name} {'counter' if name.endswith('_total') else 'gauge'}")
        lines.append(f"headlight_{name} {value:.17g}")
    return "\n".join(lines) + "\n"
