"""Does a sentence stand behind long work? Ten readers compute long things, one reads, one after the other and together.

Of the ten, four strain the trained model with sentences of 60 words, three open Vanishing on new sentences, three step
through the worlds of Time series: each asks something new as soon as it has its answer. The reader writes a sentence of
their own on Pipeline every 2 seconds.
"""

import asyncio
import random
import time
from itertools import count
from statistics import median, quantiles

import uvloop

from benchmarks.report import report
from tests.harness.client import Session, visit
from tests.harness.serving import entry, serve
from tests.harness.visitors import ROOT, sentences

SECONDS = 60.0
PAUSE = 2.0
ARRIVE = 10.0  # seconds in which the ten come, one after the other
TARGET_MS = 300.0
LONG = (("vanishing", "where_from=trained", "text"),) * 4 + (("vanishing", "", "text"),) * 3
LONG += (("time-series", "ts_steps=400", "ts_world"),) * 3


async def work(url: str, number: int, until: float) -> int:
    """One who computes long things; how many they had."""
    page, query, key = LONG[number]
    rng, answers = random.Random(number), 0
    words, worlds = sentences(rng), count(100 * (number + 1))
    await asyncio.sleep(ARRIVE * number / len(LONG))
    async with visit(url, page, query) as session:
        await session.rerun()
        while time.perf_counter() < until:
            sentence = " ".join(next(words) for _ in range(5))
            await session.change(key, sentence if key == "text" else float(next(worlds)))
            await session.settle(10 * SECONDS)
            answers += 1
    return answers


async def read(session: Session, rng: random.Random, until: float) -> list[float]:
    """Seconds that every new sentence took."""
    words, seconds = sentences(rng), []
    while time.perf_counter() < until:
        seconds.append((await session.change("text", next(words))).seconds)
        await asyncio.sleep(PAUSE)
    return seconds


async def measured(url: str) -> tuple[list[float], list[float], int]:
    """Of sentences while nobody else is there, and while ten compute; and how many long answers these had."""
    async with visit(url) as session:
        await session.rerun()
        alone = await read(session, random.Random("alone"), time.perf_counter() + SECONDS / 3)
        until = time.perf_counter() + ARRIVE + SECONDS
        long = [asyncio.create_task(work(url, number, until)) for number in range(len(LONG))]
        await asyncio.sleep(ARRIVE)
        together = await read(session, random.Random("together"), until)
        return alone, together, sum(await asyncio.gather(*long))


def main() -> None:
    """Measure and print."""
    with serve(entry(ROOT)) as server:
        server.rest()
        alone, together, long = uvloop.run(measured(server.url))
    rows = [
        {
            "who else": others,
            "sentences": len(seconds),
            "p50 ms": 1e3 * median(seconds),
            "p95 ms": 1e3 * quantiles(seconds, n=20)[-1],
            "slowest ms": 1e3 * max(seconds),
        }
        for others, seconds in (("nobody", alone), (f"{len(LONG)} who compute long things", together))
    ]
    report("How long a sentence takes while others compute", rows, target_ms=TARGET_MS, long_answers=long)


if __name__ == "__main__":
    main()
