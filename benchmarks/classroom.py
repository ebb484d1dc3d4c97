"""Does one process serve a class: N readers on the real pages, each of whom does something every few seconds?

    python -m benchmarks.classroom --visitors 10 30 --seconds 60 --beside c852cce

A visitor writes a sentence of their own, chooses a head, lets a slider go or picks a cell, every 4 to 6 seconds, and
goes on looking at work that goes on by itself. An answer has come when the script has finished. Who gets none within
a minute has stopped and leaves. A lone visitor goes from page to page and does not wait in between, so that what the
server computes can be told apart by page. Visitors are WebSockets and share the machine's cores with the server.
"""

import argparse
import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median, quantiles

import uvloop
from websockets.exceptions import ConnectionClosed

from benchmarks.report import report
from tests.harness.client import FaultError, Reply, Session, SilenceError, visit
from tests.harness.serving import ROOT, checkout, entry, serve
from tests.harness.visitors import Reader, address, pages_of
from ui.navigation import PAGES

PAUSE = (4.0, 6.0)  # seconds between two actions of one visitor
ARRIVALS = 4.0  # visitors a second
LONE_ACTIONS = 6  # of a lone visitor on each page
OPENED = "(opened)"
ALL = [entry.url_path for entry in PAGES]


@dataclass(frozen=True)
class Answer:
    """One action that was answered: where, when it was asked, how long it took, how much was sent, what it cost."""

    page: str
    asked: float
    seconds: float
    bytes: int
    cpu: float | None = None


@dataclass
class Lesson:
    """What a class met while everybody was there."""

    answers: list[Answer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    seconds: float = 0.0  # in which everybody was there
    cpu: float = 0.0  # of the server, in these seconds
    client_cpu: float = 0.0

    def note(self, page: str, reply: Reply, cpu: float | None = None) -> None:
        """One more answer."""
        self.answers.append(Answer(page, time.perf_counter() - reply.seconds, reply.seconds, reply.bytes, cpu))

    @contextmanager
    def noted(self) -> Iterator[None]:
        """What a visitor meets inside ends that visitor's lesson, and is noted."""
        try:
            yield
        except FaultError as error:
            self.faults.append(str(error))
        except (SilenceError, ConnectionClosed) as error:
            self.stopped.append(str(error))


async def rest(session: Session, until: float) -> None:
    """Until the next action: look at what goes on by itself, as a browser does."""
    while session.due() < until:
        await session.tick()
    await asyncio.sleep(until - time.perf_counter())


async def attend(url: str, page: str, seed: int, comes: float, ends: float, lesson: Lesson) -> None:
    """One visitor: comes after so many seconds, acts until the lesson `ends`, on the clock of time.perf_counter."""
    rng = random.Random(seed)
    await asyncio.sleep(comes)
    with lesson.noted():
        async with visit(url, address(page)) as session:
            reader = Reader(session, rng)
            lesson.note(OPENED, await session.rerun())
            while (began := time.perf_counter()) < ends:
                lesson.note(page, await reader.act())
                await rest(session, began + rng.uniform(*PAUSE))


async def class_of(url: str, pages: Sequence[str], seconds: float, cpu_seconds: Callable[[], float]) -> Lesson:
    """A visitor for each of these pages, all together for so many seconds after the last has come."""
    lesson, full = Lesson(), time.perf_counter() + len(pages) / ARRIVALS
    everybody = asyncio.gather(
        *(attend(url, page, seed, seed / ARRIVALS, full + seconds, lesson) for seed, page in enumerate(pages))
    )
    await asyncio.sleep(full - time.perf_counter())
    cpu, client = cpu_seconds(), time.process_time()
    await asyncio.sleep(seconds)
    lesson.cpu, lesson.client_cpu = cpu_seconds() - cpu, time.process_time() - client
    await everybody
    lesson.seconds = seconds
    lesson.answers = [
        answer for answer in lesson.answers if answer.page == OPENED or full <= answer.asked < full + seconds
    ]
    return lesson


async def alone(url: str, pages: Sequence[str], cpu_seconds: Callable[[], float]) -> Lesson:
    """One visitor, on every page in turn."""
    lesson, begin, first, client = Lesson(), time.perf_counter(), cpu_seconds(), time.process_time()
    for page in pages:
        with lesson.noted():
            async with visit(url, address(page)) as session:
                reader = Reader(session, random.Random(page))
                lesson.note(OPENED, await session.rerun())
                for _ in range(LONE_ACTIONS):
                    before = cpu_seconds()
                    reply = await reader.act()
                    await session.settle()
                    lesson.note(page, reply, cpu_seconds() - before)
    lesson.seconds, lesson.cpu = time.perf_counter() - begin, cpu_seconds() - first
    lesson.client_cpu = time.process_time() - client
    return lesson


async def welcomed(url: str) -> None:
    """The first visitor after a start, whom nobody measures."""
    async with visit(url) as session:
        await session.rerun()


@contextmanager
def running(version: str, root: Path | None) -> Iterator[tuple[str, Callable[[], float]]]:
    """The address of a server of this checkout and its CPU seconds; without a checkout the version is the address."""
    if root is None:
        yield version, lambda: math.nan
        return
    with serve(entry(root), root=root) as server:
        yield server.url, server.cpu_seconds


def measured(url: str, visitors: int, seconds: float, pages: Sequence[str], cpu_seconds: Callable[[], float]) -> Lesson:
    """A class at this address, and what it cost."""
    uvloop.run(welcomed(url))
    if visitors == 1:
        return uvloop.run(alone(url, pages, cpu_seconds))
    return uvloop.run(class_of(url, pages_of(visitors, pages), seconds, cpu_seconds))


def rows(version: str, visitors: int, lesson: Lesson) -> list[dict[str, object]]:
    """A line per page, one for all actions together, and one for opening a page."""
    acts = [answer for answer in lesson.answers if answer.page != OPENED]
    rows = [row(version, visitors, page, [answer for answer in acts if answer.page == page]) for page in ALL]
    opened = [answer for answer in lesson.answers if answer.page == OPENED]
    whole = row(version, visitors, "all", acts)
    whole["CPU s"] = lesson.cpu / max(1, len(acts))
    return [*(line for line in rows if line["answers"]), row(version, visitors, OPENED, opened), whole]


def row(version: str, visitors: int, page: str, answers: Sequence[Answer]) -> dict[str, object]:
    """One line of the table; CPU seconds of an answer where a lone visitor can tell."""
    times = [1e3 * answer.seconds for answer in answers]
    cpu = [answer.cpu for answer in answers if answer.cpu is not None]
    return {
        "version": version,
        "visitors": visitors,
        "page": page,
        "answers": len(times),
        "p50 ms": median(times) if times else "",
        "p95 ms": p95(times),
        "slowest ms": max(times, default=""),
        "KB": sum(answer.bytes for answer in answers) / 1e3 / len(times) if times else "",
        "CPU s": sum(cpu) / len(cpu) if cpu else "",
    }


def p95(times: Sequence[float]) -> float | str:
    """What 19 of 20 stay below."""
    return quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else ""


def summary(version: str, visitors: int, lesson: Lesson) -> dict[str, object]:
    """The lesson in one line of figures."""
    times = [1e3 * answer.seconds for answer in lesson.answers if answer.page != OPENED]
    return {
        "version": version,
        "visitors": visitors,
        "answers_per_s": len(times) / lesson.seconds,
        "p50_ms": median(times) if times else None,
        "p95_ms": p95(times) or None,
        "faults": len(lesson.faults),
        "stopped": len(lesson.stopped),
        "seconds": lesson.seconds,
        "server_cores": lesson.cpu / lesson.seconds,
        "client_cores": lesson.client_cpu / lesson.seconds,
    }


def asked() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--seconds", type=float, default=30.0, help="after the last visitor has come")
    parser.add_argument("--pages", nargs="+", default=ALL, choices=ALL, metavar="PAGE", help="only these")
    parser.add_argument("--without", nargs="+", default=[], choices=ALL, metavar="PAGE", help="all but these")
    parser.add_argument("--beside", help="another version: a folder or a commit")
    parser.add_argument("--url", help="a server that runs already, instead of one of our own")
    return parser.parse_args()


def main() -> None:
    """Each size of the class on each version, in turn."""
    args, table, lessons = asked(), [], []
    pages = [page for page in args.pages if page not in args.without]
    with ExitStack() as stack:
        versions: dict[str, Path | None] = {"now": ROOT} if args.url is None else {args.url: None}
        if args.beside is not None:
            versions[args.beside] = stack.enter_context(checkout(args.beside))
        for visitors, (version, root) in product(args.visitors, versions.items()):
            with running(version, root) as (url, cpu_seconds):
                lesson = measured(url, visitors, args.seconds, pages, cpu_seconds)
            table += rows(version, visitors, lesson)
            lessons.append(summary(version, visitors, lesson))
            for problem in sorted({*lesson.faults, *lesson.stopped}):
                print(f"{version}, {visitors} visitors: {problem}", flush=True)
    report("Readers on the real pages, an action every 4 to 6 seconds each", table, lessons=lessons)


if __name__ == "__main__":
    main()
