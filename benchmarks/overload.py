"""What happens when more readers come than there are seats? Arguments: arrivals, seats, seconds.

All arrive within ARRIVING seconds and ask for the landing page as browsers do. Those inside run it again every PAUSE
seconds; those outside try again when the waiting page says so. Half-way, LEAVING readers close their page.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median, quantiles

import psutil
from websockets.asyncio.client import connect

from benchmarks.report import report
from deploy.trial.cluster import free_ports
from tests.harness.client import Session
from tests.harness.serving import ROOT

ARRIVALS, SEATS, SECONDS = 400, 100, 60
ARRIVING = 10.0
PAUSE = 5.0
LEAVING = 5


@dataclass
class Seen:
    """What all readers have seen so far."""

    opened: list[float] = field(default_factory=list)  # until each page stood there for the first time
    seconds: list[float] = field(default_factory=list)  # of each rerun after that
    waited: list[float] = field(default_factory=list)  # from a seat becoming free to the reader who got it
    asked: list[float] = field(default_factory=list)  # of each answer of the waiting page
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Afternoon:
    """When everybody arrives, who leaves half-way, and when it ends."""

    port: int
    begin: float
    seconds: float
    seen: Seen

    @property
    def half(self) -> float:
        return self.begin + self.seconds / 2

    @property
    def end(self) -> float:
        return self.begin + self.seconds


def ask(port: int, ticket: str, *, again: bool) -> tuple[int, str, bytes]:
    """One request for the landing page, as a browser or as the waiting page: status, ticket, body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"accept": "application/json" if again else "text/html"}
    connection.request("GET", "/", headers=headers | ({"cookie": f"headlight_ticket={ticket}"} if ticket else {}))
    reply = connection.getresponse()
    body, cookie = reply.read(), reply.headers.get("set-cookie", "")
    connection.close()
    return reply.status, ticket or cookie.partition("=")[2].partition(";")[0], body


async def reader(number: int, afternoon: Afternoon) -> None:
    """One reader: arrives, waits if need be, reads."""
    rng, seen = random.Random(number), afternoon.seen
    await asyncio.sleep(rng.random() * ARRIVING)
    status, ticket, body = await asyncio.to_thread(ask, afternoon.port, "", again=False)
    seen.counts["let in at once" if status == 200 else "told to wait"] += 1
    came_in_late = status != 200
    while status != 200 and time.monotonic() < afternoon.end:
        await asyncio.sleep(json.loads(body)["wait"] if body[:1] == b"{" else 3)
        start = time.perf_counter()
        status, ticket, body = await asyncio.to_thread(ask, afternoon.port, ticket, again=True)
        seen.asked.append(time.perf_counter() - start)
    if status == 200 and time.monotonic() < afternoon.end:
        seen.counts["came in when somebody had left"] += came_in_late
        seen.waited += [time.monotonic() - afternoon.half] * came_in_late
        await read(ticket, afternoon, rng, leaves=not came_in_late and seen.counts["inside"] < LEAVING)


async def read(ticket: str, afternoon: Afternoon, rng: random.Random, *, leaves: bool) -> None:
    """A page that is open: it runs every PAUSE seconds until half-way or to the end."""
    afternoon.seen.counts["inside"] += 1
    until = afternoon.half if leaves else afternoon.end
    address = f"ws://127.0.0.1:{afternoon.port}/_stcore/stream"
    cookie = {"cookie": f"headlight_ticket={ticket}"}
    async with connect(address, subprotocols=["streamlit"], max_size=None, compression=None, proxy=None,  # type: ignore[list-item]
                       additional_headers=cookie) as socket:  # fmt: skip
        session = Session(socket)
        afternoon.seen.opened.append((await session.rerun()).seconds)
        while time.monotonic() < until:
            await asyncio.sleep(PAUSE * (0.5 + rng.random()))
            afternoon.seen.seconds.append((await session.rerun()).seconds)


async def day(port: int, arrivals: int, seconds: float) -> tuple[Seen, int]:
    """Everybody's afternoon; how many met an error."""
    afternoon = Afternoon(port, time.monotonic(), seconds, Seen())
    results = await asyncio.gather(*(reader(n, afternoon) for n in range(arrivals)), return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    for kind, count in Counter(map(repr, errors)).most_common(3):
        print(count, kind, file=sys.stderr)
    return afternoon.seen, len(errors)


@contextmanager
def served(seats: int) -> Iterator[tuple[int, psutil.Process]]:
    """serve.py with so many seats, ready."""
    port = free_ports(1)
    surroundings = os.environ | {"PORT": str(port), "HEADLIGHT_VISITORS": str(seats)}
    process = subprocess.Popen([sys.executable, "serve.py"], cwd=ROOT, env=surroundings, stdout=subprocess.DEVNULL)
    try:
        while not ready(port):
            time.sleep(0.2)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=60)


def ready(port: int) -> bool:
    """Whether the server says so."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def percentile(values: list[float], share: int) -> float:
    """In milliseconds."""
    return 1000 * (median(values) if share == 50 else quantiles(values, n=100)[share - 1]) if len(values) > 1 else 0.0


def main() -> None:
    """Measure and print."""
    given = [int(argument) for argument in sys.argv[1:]]
    arrivals, seats, seconds = (*given, *(ARRIVALS, SEATS, SECONDS)[len(given) :])
    with served(seats) as (port, process):
        before, spent = process.memory_info().rss, sum(process.cpu_times()[:2])
        seen, errors = asyncio.run(day(port, arrivals, seconds))
        after, spent = process.memory_info().rss, sum(process.cpu_times()[:2]) - spent
    row = {
        "arrivals": arrivals,
        "seats": seats,
        "let in": seen.counts["let in at once"],
        "told to wait": seen.counts["told to wait"],
        "came in later": seen.counts["came in when somebody had left"],
        "first after s": min(seen.waited, default=0.0),
        "opened p95 ms": percentile(seen.opened, 95),
        "reruns": len(seen.seconds),
        "p50 ms": percentile(seen.seconds, 50),
        "p95 ms": percentile(seen.seconds, 95),
        "waiting page p95 ms": percentile(seen.asked, 95),
        "errors": errors,
        "CPU s": spent,
        "MB before": before / 2**20,
        "MB a session": (after - before) / 2**20 / max(1, min(seats, arrivals)),
    }
    report("More readers than seats", [row], p95_ms=row["p95 ms"], errors=errors)


if __name__ == "__main__":
    main()
