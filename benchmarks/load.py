"""Does one process serve a classroom: 100 sessions, each moving a slider once a second?"""

import asyncio
import random
import time
from contextlib import AsyncExitStack
from statistics import median, quantiles
from typing import NamedTuple

import psutil

from benchmarks.client import Session, elements, fragment_of, visit
from benchmarks.report import report
from benchmarks.serving import serve

APP = "benchmarks/apps/attention.py"
SESSIONS = 100
SECONDS = 20


class Visitor(NamedTuple):
    """One open page."""

    session: Session
    slider: str
    fragment: str


async def arrive(url: str, stack: AsyncExitStack) -> Visitor:
    """Open the page, and find its slider and its fragment."""
    session = await stack.enter_async_context(visit(url))
    first = await session.rerun()
    return Visitor(session, elements(first, "slider")[0].id, fragment_of(first))  # type: ignore[attr-defined]


async def work(visitor: Visitor, rng: random.Random) -> list[float]:
    """Seconds each rerun took for one visitor, who asks for one a second, out of step with the others."""
    await asyncio.sleep(rng.random())
    seconds = []
    for _ in range(SECONDS):
        reply = await visitor.session.rerun({visitor.slider: rng.randrange(800) / 100}, visitor.fragment)
        seconds.append(reply.seconds)
        await asyncio.sleep(max(0.0, 1 - reply.seconds))
    return seconds


async def classroom(url: str) -> tuple[list[float], int, float]:
    """Seconds of every rerun of every visitor, the number of visitors who met an error, and the duration."""
    async with AsyncExitStack() as stack:
        visitors = [await arrive(url, stack) for _ in range(SESSIONS)]
        begin = time.perf_counter()
        results = await asyncio.gather(
            *(work(visitor, random.Random(seed)) for seed, visitor in enumerate(visitors)), return_exceptions=True
        )
        duration = time.perf_counter() - begin
    seconds = [second for result in results if isinstance(result, list) for second in result]
    return seconds, sum(isinstance(result, BaseException) for result in results), duration


def main() -> None:
    """Measure and print."""
    with serve(APP) as server:
        seconds, errors, duration = asyncio.run(classroom(server.url))
        megabytes = psutil.Process(server.process.pid).memory_info().rss / 2**20
    milliseconds = [1000 * second for second in seconds]
    p50, p95 = median(milliseconds), quantiles(milliseconds, n=20)[-1]
    row = {
        "sessions": SESSIONS,
        "reruns": len(seconds),
        "reruns/s": len(seconds) / duration,
        "p50 ms": p50,
        "p95 ms": p95,
        "errors": errors,
        "server MB": megabytes,
    }
    report("One rerun a second from each of 100 sessions, one process", [row], p95_ms=p95, errors=errors)


if __name__ == "__main__":
    main()
