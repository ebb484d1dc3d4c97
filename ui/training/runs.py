"""Training runs behind the pages: one queue for the process, so that no more train at once than there are cores.

A run is one or more experiments on the same axes. Its worker makes a record of each in turn (or trains one after the
other), and between two records looks whether to go on. A run that is stopped keeps its generators, so resuming it gives
the records an uninterrupted run would have given. Whoever looks at a run keeps it alive; when nobody has looked for
PATIENCE seconds it gives its core back, and goes on where it stood once somebody looks again. Streamlit is not used.
"""

import logging
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from attention_core.experiments.base import Diverged, Experiment, Record, close, kept_steps

NICE = 10  # of a thread that trains; 0 is usual, 19 the nicest
PATIENCE = 5.0  # seconds for which nobody looks, until a run gives its core back
MOST_BYTES = 96 * 2**20  # that the records of one run may keep
State = Literal["new", "waiting", "training", "stopped", "ended"]

_log = logging.getLogger("headlight")


class Run:
    """Experiments by name, and what they have recorded, which can be read at any time.

    `diverged`: the step at which an experiment became infinite, and `broke`: what of it; `failed`: something
    unforeseen, which is in the log; `too_large`: its records would take more than MOST_BYTES.
    """

    def __init__(self, experiments: Mapping[str, Experiment], *, in_turns: bool = True) -> None:
        self.experiments = dict(experiments)
        self.in_turns = in_turns
        self.diverged: dict[str, int] = {}
        self.broke: dict[str, str] = {}
        self.failed = self.too_large = False
        self.seconds = 0.0  # spent training, without waiting and rest
        self.state: State = "new"
        self.expected_bytes = 0  # what the records will take in the end, as far as it is known
        self._found: dict[str, list[Record]] = {name: [] for name in self.experiments}
        self._open: dict[str, Iterator[Record]] | None = None
        self._left = deque(self.experiments)  # names that still train, the next first
        self._stop = threading.Event()
        self._rests = threading.Event()
        self._rests.set()
        self.away = False  # it rests only because nobody has looked
        self.looked = -math.inf
        self.queue: Queue | None = None

    @property
    def running(self) -> bool:
        """Whether it trains, or waits for its turn."""
        return self.state in ("waiting", "training")

    @property
    def position(self) -> int:
        """How many runs are let in before it can start, itself included; 0 once it trains."""
        return self.queue.position(self) if self.queue else 0

    @property
    def share(self) -> float:
        """The share of all steps that is done: of experiments that will not go on, all."""
        total = sum(experiment.steps for experiment in self.experiments.values())
        left = set(self._left)
        done = sum(each.steps for name, each in self.experiments.items() if name not in left)
        done += sum(found[-1].step for name, found in self._found.items() if found and name in left)
        return done / total if total else 1.0

    @property
    def steps(self) -> int:
        """Steps that were trained, of all experiments together."""
        return sum(found[-1].step for found in self._found.values() if found)

    @property
    def rate(self) -> float:
        """Training steps per second so far; NaN before there is one."""
        return self.steps / self.seconds if self.seconds and self.steps else math.nan

    @property
    def remaining(self) -> float:
        """Seconds it will still train, by its pace so far; NaN before there is one."""
        return self.seconds * (1 - self.share) / self.share if self.share and self.seconds else math.nan

    @property
    def kept(self) -> int:
        """Memory its records hold now, in bytes."""
        return sum(record.bytes() for name in self.experiments for record in self.records(name))

    def records(self, name: str) -> tuple[Record, ...]:
        """What this experiment has recorded so far."""
        return tuple(self._found[name])

    def stop(self) -> None:
        """Rest after the record that is being made. What was recorded stays, and `resume` goes on."""
        self.away = False
        self._stop.set()
        if self.queue:
            self.queue.leave(self)

    def resume(self) -> None:
        """Wait for a turn again; without effect on a run that has ended."""
        if self.queue:
            self.queue.enter(self)

    def look(self) -> None:
        """Somebody is looking: it goes on, also if it rested because nobody did."""
        if self.queue:
            self.queue.look(self)

    def wait(self, seconds: float) -> None:
        """Until it rests or has ended, at most so long; waiting is looking."""
        end = time.monotonic() + seconds
        while self.running and time.monotonic() < end:
            self.look()
            self._rests.wait(min(1.0, max(0.0, end - time.monotonic())))

    @classmethod
    def finished(cls, experiments: Mapping[str, Experiment], records: Mapping[str, Sequence[Record]]) -> "Run":
        """A run that was trained elsewhere."""
        run = cls(experiments)
        run._found = {name: list(records[name]) for name in run.experiments}
        run.expected_bytes = run.kept
        run._left.clear()
        run.rest()
        return run

    # --- of the queue ---

    @property
    def stopping(self) -> bool:
        """Whether it was told to rest."""
        return self._stop.is_set()

    def goes_on(self) -> bool:
        """Whether there is something left to train, and nobody has told it to rest."""
        return bool(self._left) and not self.stopping and not (self.failed or self.too_large)

    def begin(self) -> None:
        """It waits from now on."""
        self.state, self.away = "waiting", False
        self._stop.clear()
        self._rests.clear()

    def rest(self, *, away: bool = False) -> None:
        """It does not train from now on."""
        self.state = "stopped" if self._left and not (self.failed or self.too_large) else "ended"
        self.away = away and self.state == "stopped"
        if self.state == "ended":
            self._open = None
        self._rests.set()

    def train(self, go_on: Callable[[], bool]) -> None:
        """Records until all have ended, it is stopped, or `go_on` says no."""
        try:
            while self._left and not self._stop.is_set() and go_on():
                begun = time.monotonic()
                self._record(self._left[0])
                self.seconds += time.monotonic() - begun
                time.sleep(0)  # whoever waits for the interpreter goes first
        except Exception:
            self.failed = True
            _log.exception("A training run failed")
        if self.failed or self.too_large:
            self._close()

    def _record(self, name: str) -> None:
        if self._open is None:
            self._open = {each: experiment.records() for each, experiment in self.experiments.items()}
        try:
            record = next(self._open[name])
        except StopIteration:
            self._drop(name)
            return
        except Diverged as error:
            self.diverged[name], self.broke[name] = error.step, error.what
            self._drop(name)
            return
        if not self._found[name]:
            experiment = self.experiments[name]
            self.expected_bytes += record.bytes() * len(kept_steps(experiment.steps, experiment.every))
            if self.expected_bytes > MOST_BYTES:
                self.too_large = True
                self._close()
                return
        self._found[name].append(record)
        if record.step >= self.experiments[name].steps or record.state:
            self._drop(name)
        elif self.in_turns:
            self._left.rotate(-1)

    def _drop(self, name: str) -> None:
        """This experiment has ended: its model and its optimiser are freed."""
        self._left.remove(name)
        if self._open:
            close(self._open.pop(name))

    def _close(self) -> None:
        for records in (self._open or {}).values():
            close(records)
        self._open = None
        self._left.clear()


class Queue:
    """Runs in the order in which they came; `workers` train at once. A worker is a thread that ends when none waits."""

    def __init__(
        self, workers: int | None = None, *, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.workers = workers or cores()
        self._patience, self._clock = patience, clock
        self._waiting: deque[Run] = deque()
        self._training: set[Run] = set()
        self._lock = threading.RLock()

    def enter(self, run: Run) -> None:
        """Let a run wait for its turn: a new one, or one that rests."""
        with self._lock:
            if run in self._training:  # it was told to stop, and told to go on before it did
                run.begin()
                run.state = "training"
            if run.state not in ("new", "stopped"):
                return
            run.queue = self
            run.begin()
            run.looked = self._clock()
            self._waiting.append(run)
            if len(self._training) < self.workers:
                self._start()

    def leave(self, run: Run) -> None:
        """A run that only waits rests at once; one that trains is told between two records."""
        with self._lock:
            if run in self._waiting:
                self._waiting.remove(run)
                run.rest()

    def look(self, run: Run) -> None:
        """Somebody looks at this run."""
        with self._lock:
            run.looked = self._clock()
            if run.away:
                self.enter(run)

    def position(self, run: Run) -> int:
        """1 for the run that is next, 0 for one that does not wait. Runs that nobody looks at lose their place."""
        with self._lock:
            self._forget()
            return self._waiting.index(run) + 1 if run in self._waiting else 0

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._lock:
            self._forget()
            return len(self._waiting)

    @property
    def training(self) -> int:
        """How many train."""
        return len(self._training)

    def _watched(self, run: Run) -> bool:
        return threading.main_thread().is_alive() and self._clock() - run.looked <= self._patience

    def _forget(self) -> None:
        for run in [run for run in self._waiting if not self._watched(run)]:
            self._waiting.remove(run)
            run.rest(away=True)

    def _start(self) -> None:
        self._forget()
        if self._waiting:
            run = self._waiting.popleft()
            self._training.add(run)
            run.state = "training"
            # No daemon: torch aborts the process when one is still computing while Python ends.
            threading.Thread(target=self._work, args=(run,), name="headlight training", daemon=False).start()

    def _work(self, run: Run) -> None:
        give_way()
        while True:
            run.train(lambda run=run: self._watched(run))
            with self._lock:
                if run.goes_on() and self._watched(run):
                    continue  # told to go on while it was stopping
                self._training.discard(run)
                run.rest(away=not run.stopping and not self._watched(run))
                self._start()
                return


def give_way() -> None:
    """On Linux a thread can be nicer than its process: whoever answers a click goes before whoever trains."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def cores() -> int:
    """Cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
