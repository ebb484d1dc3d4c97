"""Does a server stay as it is: twenty readers over all pages, an action every three seconds, every other a sentence?

    python -m benchmarks.soak --minutes 15

A line a minute. What is kept between sentences is bounded, so the answers of the last minute must be about as fast as
those of the second, and the memory must not have grown by more than what may be kept.
"""

import argparse
import asyncio
import random
import time
from dataclasses import dataclass, field
from statistics import median

import uvloop

from benchmarks.classroom import Answer, Lesson, p95, rest
from benchmarks.report import report
from tests.harness.client import visit
from tests.harness.serving import ROOT, Server, entry, serve
from tests.harness.visitors import KINDS, Reader, address
from ui.navigation import PAGES

READERS = 20
PAUSE = 3.0  # seconds from one action of a reader to the next
MINUTE = 60.0
TARGETS = {"p95 ratio": 1.2, "p95 ms": 400.0, "grown MB": 150.0}
ALL = [entry.url_path for entry in PAGES]


@dataclass
class Minute:
    """What a minute was like: its answers, and what the server held at its end."""

    answers: list[Answer]
    rss_mb: float
    kept_mb: float | None

    def row(self, number: int) -> dict[str, object]:
        """One line of the table."""
        times = [1e3 * answer.seconds for answer in self.answers]
        return {
            "minute": number,
            "answers": len(times),
            "p50 ms": median(times) if times else "",
            "p95 ms": p95(times),
            "slowest ms": max(times, default=""),
            "RSS MB": self.rss_mb,
            "kept MB": "" if self.kept_mb is None else self.kept_mb,
        }


@dataclass
class Soak:
    """One run: the server, what was met, the minutes so far."""

    server: Server
    minutes: int
    lesson: Lesson = field(default_factory=Lesson)
    lived: list[Minute] = field(default_factory=list)

    async def warm(self) -> None:
        """Every page once, so that everything is loaded."""
        for page in ALL:
            async with visit(self.server.url, address(page)) as session:
                await session.rerun()

    async def read(self, number: int, begin: float) -> None:
        """One reader, from the first minute to the last."""
        page, ends = ALL[number % len(ALL)], begin + MINUTE * self.minutes
        await asyncio.sleep(PAUSE * number / READERS)
        with self.lesson.noted():
            async with visit(self.server.url, address(page)) as session:
                reader, turn = Reader(session, random.Random(number)), 0
                await session.rerun()
                while (began := time.perf_counter()) < ends:
                    turn += 1
                    self.lesson.note(page, await reader.act(*(KINDS[:1] if turn % 2 else KINDS[1:])))
                    await rest(session, began + PAUSE)

    async def watch(self, begin: float) -> None:
        """A line a minute."""
        for number in range(1, self.minutes + 1):
            await asyncio.sleep(begin + MINUTE * number - time.perf_counter())
            answers, self.lesson.answers = self.lesson.answers, []
            kept = await asyncio.to_thread(self.server.gauge, "answers_bytes")
            self.lived.append(Minute(answers, self.server.megabytes(), None if kept is None else kept / 2**20))
            print(self.lived[-1].row(number), flush=True)

    async def run(self) -> None:
        """All readers, and the clock."""
        begin = time.perf_counter()
        readers = [self.read(number, begin) for number in range(READERS)]
        await asyncio.gather(self.watch(begin), *readers)


def verdict(minutes: list[Minute], warm_mb: float) -> dict[str, object]:
    """The last minute against the second, and the memory against that after the warm-up."""
    second, last = (minutes[at].row(0)["p95 ms"] for at in (min(1, len(minutes) - 1), -1))
    measured = {"p95 ratio": 0.0, "p95 ms": 0.0, "grown MB": minutes[-1].rss_mb - warm_mb}
    if isinstance(second, float) and isinstance(last, float):
        measured |= {"p95 ratio": last / second, "p95 ms": last}
    return {**measured, "held": all(measured[name] <= most for name, most in TARGETS.items())}


def main() -> None:
    """Warm up, let them read, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=15)
    args = parser.parse_args()
    with serve(entry(ROOT)) as server:
        soak = Soak(server, args.minutes)
        uvloop.run(soak.warm())
        warm_mb = server.megabytes()
        uvloop.run(soak.run())
    for problem in [*soak.lesson.faults, *soak.lesson.stopped]:
        print(problem)
    judged = verdict(soak.lived, warm_mb)
    rows = [minute.row(number) for number, minute in enumerate(soak.lived, 1)]
    problems = {"faults": len(soak.lesson.faults), "stopped": len(soak.lesson.stopped)}
    report("Twenty readers, an action every 3 seconds each", rows, warm_mb=warm_mb, **judged, **problems)


if __name__ == "__main__":
    main()
