"""Does one process serve a class: N readers on the real pages, each of whom does something every few seconds?

    python -m benchmarks.classroom --visitors 10 30 --seconds 60 --beside c852cce

A visitor writes a sentence of their own, chooses a head, lets a slider go or picks a cell, every 4 to 6 seconds, and
goes on looking at work that goes on by itself. An answer has come when the script has finished. Who gets none within
a minute has stopped and leaves. A lone visitor goes from page to page and does not wait in between, so that what the
server computes can be told apart by page. Visitors are WebSockets and share the machine's cores with the server.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

import uvloop
from websockets.exceptions import ConnectionClosed

from benchmarks.client import FaultError, Reply, Session, SilenceError, visit
from benchmarks.report import report
from benchmarks.serving import ROOT, Server, checkout, serve
from benchmarks.visitors import Reader, address, pages_of
from ui.navigation import PAGES

PAUSE = (4.0, 6.0)  # seconds between two actions of one visitor
ARRIVALS = 4.0  # visitors a second
LONE_ACTIONS = 6  # of a lone visitor on each page
OPENED = "(opened)"


@dataclass(frozen=True)
class Answer:
    """One action that was answered: where, how long it took, how much was sent, what the server computed if known."""

    page: str
    seconds: float
    bytes: int
    cpu: float | None = None


@dataclass
class Lesson:
    """What a class met."""

    answers: list[Answer] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float | None = None
    client_cpu: float = 0.0

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
    while (left := until - time.perf_counter()) > 0:
        if session.page.ticking and min(session.page.ticking.values()) < left:
            await session.tick()
        else:
            await asyncio.sleep(left)


async def attend(url: str, page: str, seed: int, comes: float, ends: float, lesson: Lesson) -> None:
    """One visitor: comes after so many seconds, acts until the lesson `ends`, on the clock of time.perf_counter."""
    rng = random.Random(seed)
    await asyncio.sleep(comes)
    with lesson.noted():
        async with visit(url, address(page)) as session:
            reader = Reader(session, rng)
            note(lesson, OPENED, await session.rerun())
            while time.perf_counter() < ends:
                began = time.perf_counter()
                note(lesson, page, await reader.act())
                await rest(session, began + rng.uniform(*PAUSE))


def note(lesson: Lesson, page: str, reply: Reply, cpu: float | None = None) -> None:
    """One more answer."""
    lesson.answers.append(Answer(page, reply.seconds, reply.bytes, cpu))


async def class_of(url: str, visitors: int, seconds: float) -> Lesson:
    """All of them together, for so many seconds after the last has come."""
    lesson, begin = Lesson(), time.perf_counter()
    full = visitors / ARRIVALS
    everybody = [
        attend(url, page, seed, seed / ARRIVALS, begin + full + seconds, lesson)
        for seed, page in enumerate(pages_of(visitors))
    ]
    await asyncio.gather(*everybody)
    lesson.seconds = time.perf_counter() - begin
    return lesson


async def alone(url: str, cpu_seconds: Callable[[], float]) -> Lesson:
    """One visitor, on every page in turn."""
    lesson, begin = Lesson(), time.perf_counter()
    for page in (entry.url_path for entry in PAGES):
        with lesson.noted():
            async with visit(url, address(page)) as session:
                reader = Reader(session, random.Random(page))
                note(lesson, OPENED, await session.rerun())
                for _ in range(LONE_ACTIONS):
                    before = cpu_seconds()
                    reply = await reader.act()
                    await session.settle()
                    note(lesson, page, reply, cpu_seconds() - before)
    lesson.seconds = time.perf_counter() - begin
    return lesson


async def welcomed(url: str) -> None:
    """The first visitor after a start, whom nobody measures."""
    async with visit(url) as session:
        await session.rerun()


def measured(url: str, visitors: int, seconds: float, server: Server | None) -> Lesson:
    """A class on this server, and what it cost."""
    cpu_seconds = server.cpu_seconds if server is not None else lambda: 0.0
    uvloop.run(welcomed(url))
    before, client = cpu_seconds(), time.process_time()
    lesson = uvloop.run(class_of(url, visitors, seconds) if visitors > 1 else alone(url, cpu_seconds))
    lesson.client_cpu = time.process_time() - client
    lesson.cpu = None if server is None else cpu_seconds() - before
    return lesson


def rows(version: str, visitors: int, lesson: Lesson) -> list[dict[str, object]]:
    """A line per page, one for all actions together, and one for opening a page."""
    pages = [entry.url_path for entry in PAGES]
    acts = [answer for answer in lesson.answers if answer.page != OPENED]
    found = [row(version, visitors, page, [each for each in acts if each.page == page]) for page in pages]
    opened = [answer for answer in lesson.answers if answer.page == OPENED]
    whole = row(version, visitors, "all", acts)
    if acts and lesson.cpu is not None:
        whole["CPU s"] = lesson.cpu / len(acts)
    return [*(each for each in found if each["answers"]), row(version, visitors, OPENED, opened), whole]


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
        "server_cores": None if lesson.cpu is None else lesson.cpu / lesson.seconds,
        "client_cores": lesson.client_cpu / lesson.seconds,
    }


def asked() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--seconds", type=float, default=30.0, help="after the last visitor has come")
    parser.add_argument("--beside", help="another version: a folder or a commit")
    parser.add_argument("--url", help="a server that runs already, instead of one of our own")
    return parser.parse_args()


def main() -> None:
    """Each size of the class on each version, in turn."""
    args, table, lessons = asked(), [], []
    with ExitStack() as stack:
        versions = {"now": ROOT} | ({args.beside: stack.enter_context(checkout(args.beside))} if args.beside else {})
        for visitors in args.visitors:
            for version, root in versions.items() if args.url is None else [(args.url, None)]:
                with ExitStack() as running:
                    server = None if root is None else running.enter_context(serve(root=root))
                    lesson = measured(args.url or server.url, visitors, args.seconds, server)  # type: ignore[union-attr]
                table += rows(version, visitors, lesson)
                lessons.append(summary(version, visitors, lesson))
                for problem in sorted({*lesson.faults, *lesson.stopped}):
                    print(f"{version}, {visitors} visitors: {problem}", flush=True)
    report("Readers on the real pages, an action every 4 to 6 seconds each", table, lessons=lessons)


if __name__ == "__main__":
    main()
