"""Five visitors train at once, one closes the browser in the middle: does the page answer, is the memory given back?

Every visitor looks at the progress twice a second, as the page does by itself, and changes something once a second. A
sixth only reads a page of Explore. They come one after the other, as people do, so that they do not all ask in the same
instant. Sessions are WebSockets: a browser on the same machine would take its cores.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from urllib.parse import urlencode

import psutil

from benchmarks.report import report
from tests.harness.client import Session, ticking, visit
from tests.harness.serving import Server, serve

RUNS = 5
SECONDS = 30.0
LEAVES = 12.0  # seconds after which one of them is gone
ARRIVE = 2.0  # seconds in which all have come
TICK = 0.5
FORGOTTEN = 150.0  # seconds after which Streamlit has dropped the session of a closed browser
TARGET_MS, TARGET_MB = 300.0, 64.0
QUERY = urlencode({"sr_steps": "1000", "lang": "en"})


@dataclass
class Answers:
    """How long the server took, in seconds."""

    changes: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)


async def train(session: Session, answers: Answers, seconds: float) -> None:
    """One visitor: a run from the first moment, a look every TICK, a change every other time."""
    await session.rerun()
    reply, end, turn = await session.press("sr_start"), time.perf_counter() + seconds, 0
    fragments = ticking(reply)
    while time.perf_counter() < end:
        began, turn = time.perf_counter(), turn + 1
        if turn % 2:
            reply = await session.rerun()
            answers.changes.append(reply.seconds)
            fragments = ticking(reply)
        for fragment in fragments[:1]:
            answers.looks.append((await session.rerun(fragment_id=fragment)).seconds)
        await asyncio.sleep(max(0.0, TICK - (time.perf_counter() - began)))


async def read(session: Session, answers: Answers, seconds: float) -> None:
    """The sixth: a change a second on a page that trains nothing."""
    await session.rerun()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        answers.changes.append((await session.rerun()).seconds)
        await asyncio.sleep(max(0.0, 2 * TICK - (time.perf_counter() - began)))


async def visitor(url: str, page: str, answers: Answers, comes: float, seconds: float) -> None:
    """Comes after so many seconds, stays for so many, and closes the browser."""
    await asyncio.sleep(comes)
    async with visit(url, page, QUERY if page else "lang=en") as session:
        await (train if page else read)(session, answers, seconds)


async def everybody(url: str, seconds: float, leaves: float) -> tuple[Answers, Answers]:
    """All six at once."""
    trainers, reader = Answers(), Answers()
    stays = [leaves, *[seconds] * (RUNS - 1)]
    draw = random.Random(0)
    comes = [draw.uniform(0.0, ARRIVE) for _ in stays]
    await asyncio.gather(
        *(visitor(url, "scaling-race", trainers, *when) for when in zip(comes, stays, strict=True)),
        visitor(url, "", reader, ARRIVE, seconds),
    )
    return trainers, reader


async def watched(server: Server) -> tuple[Answers, Answers, float]:
    """The same, and the most memory the server held meanwhile, in MB."""
    visits = asyncio.create_task(everybody(server.url, SECONDS, LEAVES))
    most = 0.0
    while not visits.done():
        most = max(most, megabytes(server))
        await asyncio.sleep(TICK)
    return *visits.result(), most


def megabytes(server: Server) -> float:
    """Memory the server holds."""
    return psutil.Process(server.process.pid).memory_info().rss / 2**20


def p95_ms(seconds: list[float]) -> float:
    """The time that 19 of 20 answers took at most."""
    return 1e3 * quantiles(seconds, n=20)[-1]


def main() -> None:
    """Once small, so that everything is loaded; then measure."""
    with serve("app.py") as server:
        asyncio.run(everybody(server.url, 3.0, 1.0))
        time.sleep(FORGOTTEN)
        before = megabytes(server)
        trainers, reader, most = asyncio.run(watched(server))
        time.sleep(FORGOTTEN)
        after = megabytes(server)
    rows = [
        {"what": what, "answers": len(seconds), "p50 ms": 1e3 * median(seconds), "p95 ms": p95_ms(seconds)}
        for what, seconds in (
            ("a change on the page that trains", trainers.changes),
            ("a look at the progress", trainers.looks),
            ("a change on a page of Explore", reader.changes),
        )
    ]
    held = f"MB before {before:.0f}, most {most:.0f}, after {after:.0f}"
    report(
        f"{RUNS} runs from {RUNS} visitors, one of whom leaves: {held}",
        rows,
        target_ms=TARGET_MS,
        megabytes={"before": before, "most": most, "after": after},
        target_megabytes=TARGET_MB,
    )


if __name__ == "__main__":
    main()
