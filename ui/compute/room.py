"""The room in which everything is computed: short answers at once, long ones in the queue, results kept by value."""

import threading
import time
from collections.abc import Callable, Generator, Hashable
from typing import Generic, TypeVar, cast
from weakref import WeakValueDictionary

from ui.compute.answers import Answers
from ui.compute.queue import Job, Queue
from ui.compute.watchdog import Watchdog

KEPT_BYTES = 96 * 2**20  # an eighth of it still holds a text of 320 tokens in a model of six layers
PATIENT = 60.0  # seconds that somebody waits who cannot come back: a download
PREPARES = "nobody yet"  # the visitor for whom is computed what somebody may ask
T = TypeVar("T")
Pieces = Callable[[], Generator[float, None, T]]  # yields the share that is done, and returns the answer


class Work(Job, Generic[T]):
    """A long answer on its way. All who ask the same wait for one work; its answer goes among the kept results."""

    def __init__(self, question: Hashable, pieces: Pieces[T], answers: Answers, watchdog: Watchdog) -> None:
        super().__init__()
        self.question = question
        self.share = 0.0
        self.seconds = 0.0  # that it took so far, without waiting
        self.ended = False
        self._pieces, self._answers, self._watchdog = pieces, answers, watchdog
        self._open: Generator[float, None, T] | None = None

    @property
    def done(self) -> bool:
        """Whether the answer is among the kept results, or will never be."""
        return self.ended or self.failed

    @property
    def remaining(self) -> float:
        """Seconds of work that are left, by its pace so far; NaN before there is one."""
        return self.seconds * (1 - self.share) / self.share if self.share else float("nan")

    def piece(self) -> None:
        """The next piece, or the answer."""
        began = time.monotonic()
        if self._open is None:
            self._open, self.seconds = self._pieces(), 0.0
        try:
            with self._watchdog.asking():
                self.share = next(self._open)
        except StopIteration as end:
            self.seconds += time.monotonic() - began
            self.share, self._open = 1.0, None
            # A result that could not be kept would be computed again whenever somebody looks.
            self.ended = self._answers.put(self.question, end.value, self.seconds, unread=True)
            self.failed = not self.ended
            return
        self.seconds += time.monotonic() - began

    def rest(self, *, away: bool = False) -> None:
        """It goes on where it stands once somebody looks again. Where nobody wants it what was begun is given up, and
        so is what is idle: what it holds meanwhile is more than it is worth.
        """
        super().rest(away=away)
        if self.idle or not self.away:
            self._open = None
            self.share = float(self.ended)

    def forget(self) -> None:
        """It keeps nothing."""


class Room:
    """One for the process."""

    def __init__(self, limit: int = KEPT_BYTES, *, workers: int | None = None, permits: int | None = None) -> None:
        self._watchdog = Watchdog()
        self.answers = Answers(limit, permits, watchdog=self._watchdog)
        self.queue = Queue(workers)
        # Alive is what waits or is worked on, and what a page still looks at.
        self._works: WeakValueDictionary[Hashable, Work] = WeakValueDictionary()
        self._topics: WeakValueDictionary[tuple[Hashable, str], Work] = WeakValueDictionary()
        self._lock = threading.Lock()

    def ask(self, question: Hashable, compute: Callable[[], T]) -> T:
        """The answer to a short question: under about 0.3 s."""
        return self.answers.ask(question, compute)

    def peek(self, question: Hashable) -> object | None:
        """The answer to any question, if it is known."""
        return self.answers.peek(question)

    def work(
        self, question: Hashable, pieces: Pieces[T], *, visitor: Hashable, topic: str, idle: bool = False
    ) -> Work[T]:
        """The work on a long question, on its way. `pieces` has its inputs already.

        A visitor has one question a topic: another one leaves the one before, which stops when nobody else wants it.
        `idle`: only by a core that nobody else wants.
        """
        with self._lock:
            work = self._works.get(question)
            if work is None or work.failed or (work.ended and self.peek(question) is None):
                work = self._works[question] = Work(question, pieces, self.answers, self._watchdog)
                work.idle = idle
            work.idle = work.idle and idle
            before = self._topics.get((visitor, topic))
            self._topics[visitor, topic] = work
            self.queue.enter(work, visitor)
        if before is not None and before is not work:
            before.leave(visitor)
        return cast(Work[T], work)

    def result(self, question: Hashable, pieces: Pieces[T]) -> T:
        """The answer to a long question, for whoever cannot come back: this waits."""
        while (answer := self.peek(question)) is None:
            work = self.work(question, pieces, visitor=threading.get_ident(), topic="result")
            work.wait(PATIENT)
            if not work.ended:
                raise RuntimeError("long work failed, see the log, or took too long for whoever cannot come back")
        return cast(T, answer)

    def prepare(self, question: Hashable, pieces: Pieces[T]) -> None:
        """Compute this when nobody wants anything, though nobody has asked yet."""
        self.work(question, pieces, visitor=PREPARES, topic=repr(question), idle=True).unattended = True

    def gauges(self) -> dict[str, float]:
        """What an operator wants to see of it, by name."""
        answers, queue = self.answers, self.queue
        counts = {
            "answers_kept": len(answers),
            "answers_bytes": answers.bytes,
            "answers_limit_bytes": answers.limit,
            "answers_hits_total": answers.hits,
            "answers_misses_total": answers.misses,
            "queue_waiting": queue.waiting,
            "queue_running": queue.training,
            "queue_workers": queue.workers,
            "runs_bytes": queue.held,
            "runs_limit_bytes": queue.limit,
        }
        return {name: float(count) for name, count in counts.items()}
