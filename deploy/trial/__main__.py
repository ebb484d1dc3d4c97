"""Does anybody lose their page when a replica dies? `python -m deploy.trial 300` asks that many light readers.

They open Pipeline behind the shipped proxy, each with a sentence of its own in the link; then one of three replicas is
killed. Needs requirements-dev.txt. A table for people, the last line JSON.
"""

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from benchmarks.report import report
from deploy.trial.cluster import Cluster, cluster
from deploy.trial.reader import Reader

REPLICAS = 3
ROOM = {"HEADLIGHT_VISITORS": "200", "HEADLIGHT_GRACE": "1"}  # for the readers of the third in the other two
Results = Sequence[BaseException | None]
AT_ONCE = 6  # readers who open their page at the same moment


@dataclass(frozen=True)
class Outcome:
    """What became of the readers."""

    readers: int
    fewest: int  # on one replica
    on_killed: int
    lost: int  # of those on the killed replica
    elsewhere_lost: int  # of those whose replica lives
    opening_seconds: float
    back_seconds: float  # from the kill until everybody sees their own sentence again


Sides = tuple[Outcome, Sequence[Reader], Sequence[Reader]]  # the readers of the killed replica, and the others


@asynccontextmanager
async def trial(started: Cluster, count: int) -> AsyncIterator[Sides]:
    """Open `count` pages, kill one replica, wait for its readers; they are connected in the block."""
    readers = [Reader(started.url, number) for number in range(count)]
    try:
        yield await _killing(started, readers)
    finally:
        await asyncio.gather(*map(Reader.close, readers))


async def _killing(started: Cluster, readers: Sequence[Reader]) -> Sides:
    begin = time.perf_counter()
    if _errors(await _few_at_once(Reader.open, readers)):
        raise RuntimeError("Not everybody could open a page.")
    opened = time.perf_counter()
    where = Counter(reader.replica for reader in readers)
    victim, on_killed = where.most_common(1)[0]
    theirs = [reader for reader in readers if reader.replica == victim]
    others = [reader for reader in readers if reader.replica != victim]
    started.replica(victim).send_signal(signal.SIGKILL)
    back = await asyncio.gather(*(reader.come_back() for reader in theirs), return_exceptions=True)
    restored = time.perf_counter()
    still = await _few_at_once(Reader.act, others)
    outcome = Outcome(
        len(readers),
        min(where[port] for port in started.ports),
        on_killed,
        _errors(back),
        _errors(still),
        opened - begin,
        restored - opened,
    )
    return outcome, theirs, others


async def _few_at_once(
    do: Callable[[Reader], Awaitable[None]], readers: Sequence[Reader]
) -> list[BaseException | None]:
    room = asyncio.Semaphore(AT_ONCE)

    async def enter(reader: Reader) -> None:
        async with room:
            await do(reader)

    return await asyncio.gather(*map(enter, readers), return_exceptions=True)


def _errors(results: Results) -> int:
    return sum(isinstance(result, BaseException) for result in results)


async def measured(started: Cluster, count: int) -> Outcome:
    """The outcome alone."""
    async with trial(started, count) as (outcome, *_):
        return outcome


def main() -> None:
    """Measure and print."""
    with cluster(REPLICAS, ROOM) as started:
        outcome = asyncio.run(measured(started, int(sys.argv[1]) if len(sys.argv) > 1 else 300))
    report("One of three replicas is killed: is anybody left without their page?", [asdict(outcome)], lost=outcome.lost)


if __name__ == "__main__":
    main()
