"""Long work in pieces, fairly: as many jobs at once as cores, each visitor in turn, at a lower priority than a click.

A job does a piece at a time. After SLICE seconds it gives its core to whoever waits and goes on when its turn comes
again; trainings that have begun share the cores so with questions, while further trainings wait in line. Whoever looks
at a job keeps it alive: when nobody has looked for PATIENCE seconds it rests, and goes on where it stood, in the place
that it had, once somebody looks again. Streamlit is not used.
"""

import logging
import math
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import count
from typing import Literal
from weakref import WeakSet

from ui.compute.cores import cores

NICE = 10  # of a thread that does long work; 0 is usual, 19 the nicest
PATIENCE = 5.0  # seconds for which nobody looks, until a job gives its core back
SLICE = 1.0  # seconds for which a job keeps its core while others wait
FORGOTTEN = 600.0  # seconds for which nobody has looked, after which the memory of a job may be given to others
MOST_BYTES = 512 * 2**20  # that all jobs of the process may keep
REMEMBERED = 4096  # visitors whose last turn is known
State = Literal["new", "waiting", "training", "stopped", "ended"]

_log = logging.getLogger("headlight")


class Job(ABC):
    """Something long that is done piece by piece: what a queue has to know of it.

    `lines_up`: it waits until another of its kind has ended; `idle`: it is done only by a core that nobody else wants;
    `unattended`: nobody has to look at it.
    """

    lines_up = False
    idle = False
    unattended = False

    def __init__(self) -> None:
        self.state: State = "new"
        self.failed = False  # something unforeseen, which is in the log
        self.away = False  # it rests only because nobody has looked
        self.queue: Queue | None = None
        self.looks: dict[Hashable, float] = {}  # when each visitor who wants it has looked last
        self.arrived = 0  # its place among those that have had no turn
        self.turn = 0  # when it had its last
        self._stop = threading.Event()
        self._rests = threading.Event()
        self._rests.set()

    @property
    def running(self) -> bool:
        """Whether it is worked on, or waits for its turn."""
        return self.state in ("waiting", "training")

    @property
    def position(self) -> int:
        """How many jobs are let in before it can start, itself included; 0 once it has begun."""
        return self.queue.position(self) if self.queue else 0

    @property
    def held(self) -> int:
        """Bytes it keeps, or will in the end as far as that is known."""
        return 0

    @property
    def looked(self) -> float:
        """When somebody has looked last, by the clock of the queue."""
        return max(self.looks.values(), default=-math.inf)

    def look(self, visitor: Hashable = None) -> None:
        """Somebody is looking: it goes on, also if it rested because nobody did."""
        if self.queue:
            self.queue.look(self, visitor)

    def leave(self, visitor: Hashable = None) -> None:
        """This visitor does not want it any more; it stops when nobody does."""
        if self.queue:
            self.queue.leave(self, visitor)

    def stop(self) -> None:
        """Rest after the piece that is being done, whoever looks; `resume` goes on."""
        self.away = False
        self._stop.set()
        if self.queue:
            self.queue.take_out(self)

    def resume(self, visitor: Hashable = None) -> None:
        """Wait for a turn again; without effect on a job that has ended."""
        if self.queue:
            self.queue.enter(self, visitor)

    def wait(self, seconds: float) -> None:
        """Until it rests or has ended, at most so long; waiting is looking."""
        end = time.monotonic() + seconds
        while self.running and time.monotonic() < end:
            for visitor in tuple(self.looks):
                self.look(visitor)
            self._rests.wait(min(1.0, max(0.0, end - time.monotonic())))

    # --- of the queue ---

    @property
    def stopping(self) -> bool:
        """Whether it was told to rest."""
        return self._stop.is_set()

    @property
    @abstractmethod
    def done(self) -> bool:
        """Whether nothing is left to do."""

    @abstractmethod
    def piece(self) -> None:
        """Do the next piece."""

    def begin(self) -> None:
        """It waits from now on."""
        self.state, self.away = "waiting", False
        self._stop.clear()
        self._rests.clear()

    def rest(self, *, away: bool = False) -> None:
        """It is not worked on from now on."""
        self.state = "ended" if self.done else "stopped"
        self.away = away and self.state == "stopped"
        self._rests.set()

    @abstractmethod
    def forget(self) -> None:
        """Give back the memory that it keeps."""

    def work(self, go_on: Callable[[], bool]) -> None:
        """Pieces, at least one, until all are done, it is stopped, or `go_on` says no."""
        try:
            while not self.done and not self.stopping:
                self.piece()
                if not go_on():
                    return
                time.sleep(0)  # whoever waits for the interpreter goes first
        except Exception:
            self.failed = True
            _log.exception("Long work failed")


class Queue:
    """`workers` jobs at once. A worker is a thread that ends when none waits."""

    def __init__(
        self,
        workers: int | None = None,
        *,
        limit: int = MOST_BYTES,
        patience: float = PATIENCE,
        slice: float = SLICE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = workers or cores()
        self.limit = limit
        self._patience, self._slice, self._clock = patience, slice, clock
        self._waiting: list[Job] = []
        self._paused: list[Job] = []  # begun, and without a core now
        self._running: set[Job] = set()
        self._threads = 0
        self._turns: OrderedDict[Hashable, int] = OrderedDict()  # when each visitor had the last turn
        self._count = count(1)
        self._alive: WeakSet[Job] = WeakSet()  # all that keep memory
        self._lock = threading.RLock()

    def enter(self, job: Job, visitor: Hashable = None) -> None:
        """Let a job wait for its turn: a new one, or one that rests."""
        with self._lock:
            job.looks[visitor] = self._clock()
            if job in self._running and job.stopping:  # it was told to stop, and told to go on before it did
                job.begin()
                job.state = "training"
            if job.state not in ("new", "stopped"):
                return
            job.queue = self
            job.arrived = job.arrived or next(self._count)
            job.begin()
            self._waiting.append(job)
            self._alive.add(job)
            self._start()

    def keep(self, job: Job, visitor: Hashable = None) -> None:
        """Count the memory of a job that was done elsewhere; `visitor` looks at it from now on."""
        with self._lock:
            job.queue = self
            job.looks[visitor] = self._clock()
            self._alive.add(job)

    def take_out(self, job: Job) -> None:
        """A job without a core rests at once; one that has a core is told between two pieces."""
        with self._lock:
            for line in (self._waiting, self._paused):
                if job in line:
                    line.remove(job)
                    job.rest()

    def leave(self, job: Job, visitor: Hashable = None) -> None:
        """This visitor does not want it any more."""
        with self._lock:
            job.looks.pop(visitor, None)
            if not job.looks and job.running:
                job.stop()

    def look(self, job: Job, visitor: Hashable = None) -> None:
        """This visitor looks at this job."""
        with self._lock:
            job.looks[visitor] = self._clock()
            if job.away:
                self.enter(job, visitor)

    def position(self, job: Job) -> int:
        """1 for the job that is next, 0 for one that does not wait. Jobs that nobody looks at are passed over."""
        with self._lock:
            self._forget()
            if job not in self._waiting:
                return 0
            return sorted(self._waiting, key=self._rank).index(job) + 1

    def grants(self, job: Job) -> bool:
        """Whether there is memory for what `job` will keep; what nobody has looked at for long gives way."""
        with self._lock:
            total = sum(other.held for other in self._alive)
            resting = [other for other in self._alive if other is not job and not other.running and other.held]
            for other in sorted(resting, key=lambda other: other.looked):
                if total <= self.limit or self._clock() - other.looked <= FORGOTTEN:
                    break
                total -= other.held
                other.forget()
            return total <= self.limit

    @property
    def held(self) -> int:
        """Bytes that all jobs keep, or will in the end."""
        with self._lock:
            return sum(job.held for job in self._alive)

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._lock:
            self._forget()
            return len(self._waiting)

    @property
    def training(self) -> int:
        """How many have begun and are not done."""
        return len(self._running) + len(self._paused)

    def _watched(self, job: Job) -> bool:
        wanted = job.unattended or self._clock() - job.looked <= self._patience
        return threading.main_thread().is_alive() and wanted

    def _forget(self) -> None:
        for line in (self._waiting, self._paused):
            for job in [job for job in line if not self._watched(job)]:
                line.remove(job)
                job.rest(away=True)

    def _rank(self, job: Job) -> tuple[bool, int, int, int]:
        """Who is next: idle work last; else the visitor whose last turn is longest ago; of the jobs of one visitor
        that whose own is, and who came first.
        """
        turn = min((self._turns.get(visitor, 0) for visitor in job.looks), default=0)
        return job.idle, turn, job.turn, job.arrived

    def _ready(self) -> Iterator[Job]:
        """Those that may have the next free core."""
        begun = sum(job.lines_up for job in (*self._running, *self._paused))
        yield from self._paused
        yield from (job for job in self._waiting if not job.lines_up or begun < self.workers)

    def _take(self) -> Job | None:
        self._forget()
        job = min(self._ready(), key=self._rank, default=None)
        if job is not None:
            (self._waiting if job in self._waiting else self._paused).remove(job)
            self._running.add(job)
            job.state = "training"
            job.turn = next(self._count)
            for visitor in job.looks:
                self._turns[visitor] = job.turn
                self._turns.move_to_end(visitor)
            while len(self._turns) > REMEMBERED:
                self._turns.popitem(last=False)
        return job

    def _goes_on(self, job: Job, began: float) -> bool:
        if not self._watched(job):
            return False
        with self._lock:
            others = [other for other in self._ready() if not other.idle]
        if job.idle:
            return not others
        return not others or self._clock() - began < self._slice

    def _start(self) -> None:
        while self._threads < self.workers and (job := self._take()):
            # No daemon: torch aborts the process when one is still computing while Python ends.
            thread = threading.Thread(target=self._work, args=(job,), name="headlight long work", daemon=False)
            try:
                thread.start()
            except RuntimeError:  # no thread is to be had: the job goes back and waits for a core
                self._running.discard(job)
                job.rest(away=True)
                _log.exception("Long work could not begin")
                return
            self._threads += 1

    def _work(self, job: Job | None) -> None:
        give_way()
        while job is not None:
            began = self._clock()
            job.work(lambda job=job, began=began: self._goes_on(job, began))
            with self._lock:
                self._running.discard(job)
                if job.done or job.failed or job.stopping:
                    job.rest()
                elif self._watched(job):
                    self._paused.append(job)
                else:
                    job.rest(away=True)
                job = self._take()
                self._threads -= job is None


def give_way() -> None:
    """On Linux a thread can be nicer than its process: whoever answers a click goes before whoever works long."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        except OSError as error:  # a sandbox may forbid it; the work is done all the same
            _log.warning("Long work keeps its usual priority: %s", error)
