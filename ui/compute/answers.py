"""What was computed is kept by value for everybody who asks the same, up to a number of bytes; and the short lane.

Kept is what is dear for its size: the priority of a result is what it took, in seconds per byte, on top of the
priority of the last one that had to go (GreedyDual-Size, Cao & Irani 1997), so that 4 s of work do not give way to
10 ms, and what nobody asks for any more goes all the same. Streamlit is not used.
"""

import heapq
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast
from weakref import WeakValueDictionary

from ui.compute.cores import cores
from ui.compute.memory import trim
from ui.compute.sizes import size
from ui.compute.watchdog import Watchdog

LARGEST_SHARE = 8  # no result larger than the limit divided by this is kept
TRIMMED = 32 * 2**20  # bytes of results that had to go, after which the memory between the others is handed back
T = TypeVar("T")


class NestedAskError(RuntimeError):
    """A question was asked while another was computed. Inputs are asked for first: nobody who waits holds a permit."""

    def __init__(self) -> None:
        super().__init__("a question was asked while another one was computed: ask for its inputs first")


@dataclass(slots=True)
class _Entry:
    value: object
    bytes: int
    worth: float  # seconds per byte
    priority: float
    turn: int  # of its newest place in the heap


class Answers:
    """The results, and the permits of those who compute one now: as many as cores, since more only slow each other."""

    def __init__(
        self,
        limit: int,
        permits: int | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.limit = limit
        self.bytes = self.hits = self.misses = 0  # kept; asked and known; asked and computed
        self._entries: dict[Hashable, _Entry] = {}
        self._large: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()  # as long as somebody holds them
        self._heap: list[tuple[float, int, Hashable]] = []
        self._turns = count()
        self._dropped = 0  # bytes since memory was handed back
        self._floor = 0.0  # the priority of the last result that had to go
        self._lock = threading.Lock()
        self._pending: dict[Hashable, Future[None]] = {}
        self._permits = threading.BoundedSemaphore(permits or cores())
        self._clock = clock
        self._watchdog = watchdog or Watchdog()

    def __len__(self) -> int:
        return len(self._entries)

    def ask(self, question: Hashable, compute: Callable[[], T]) -> T:
        """The answer to `question`, known or computed now; `question` holds, by value, all that it depends on.

        `compute` has its inputs already: asking inside it raises NestedAskError. Who asks what somebody else computes
        waits for that, without a permit; where that fails, the next of them computes.
        """
        if self._watchdog.computing:
            raise NestedAskError
        while True:
            with self._lock:
                known, value = self._known(question)
                if known:
                    self.hits += 1
                    return cast(T, value)
                pending = self._pending.get(question)
                if pending is None:
                    mine = self._pending[question] = Future()
                    break
            with self._watchdog.waiting():
                pending.result()
        try:
            with self._watchdog.waiting():
                self._permits.acquire()
            try:
                began = self._clock()
                with self._watchdog.asking():
                    value = compute()
                self.put(question, value, self._clock() - began)
            finally:
                self._permits.release()
        finally:
            with self._lock:
                del self._pending[question]
            mine.set_result(None)
        self.misses += 1
        return value

    def peek(self, question: Hashable) -> object | None:
        """The answer if it is known. Looking at it counts as use."""
        with self._lock:
            return self._known(question)[1]

    def put(self, question: Hashable, value: object, seconds: float, *, unread: bool = False) -> bool:
        """Keep what took so many seconds; False where it is too large to be kept.

        `unread`: those who wait for it have yet to read it here, so of all that is kept it would have to go last.
        """
        held = size(value) + size(question)  # measured outside the lock
        if held > self.limit // LARGEST_SHARE:
            with suppress(TypeError), self._lock:  # what nothing can refer to weakly is computed by each who asks
                self._large[question] = value
            return False
        with self._lock:
            self._drop(question)
            first = max((other.priority for other in self._entries.values()), default=0.0) if unread else 0.0
            entry = _Entry(value, held, max(seconds, 0.0) / held, first, 0)
            self._entries[question] = entry
            self.bytes += held
            self._refresh(question, entry)
            while self.bytes > self.limit:
                self._drop_cheapest()
            trims, self._dropped = self._dropped > TRIMMED, self._dropped % TRIMMED
        if trims:
            trim()
        return True

    def _known(self, question: Hashable) -> tuple[bool, object]:
        """Whether the answer is known, and the answer."""
        entry = self._entries.get(question)
        if entry is None:
            large = self._large.get(question)
            return large is not None, large
        self._refresh(question, entry)
        return True, entry.value

    def _refresh(self, question: Hashable, entry: _Entry) -> None:
        """Used now: it is worth its cost again. Its older places in the heap are passed over when they come up."""
        entry.priority, entry.turn = max(self._floor + entry.worth, entry.priority), next(self._turns)
        heapq.heappush(self._heap, (entry.priority, entry.turn, question))
        if len(self._heap) > 4 * len(self._entries) + 64:
            self._heap = [(entry.priority, entry.turn, question) for question, entry in self._entries.items()]
            heapq.heapify(self._heap)

    def _drop_cheapest(self) -> None:
        while True:
            priority, turn, question = heapq.heappop(self._heap)
            entry = self._entries.get(question)
            if entry is not None and entry.turn == turn:
                self._floor = priority
                self._drop(question)
                return

    def _drop(self, question: Hashable) -> None:
        entry = self._entries.pop(question, None)
        if entry is not None:
            self.bytes -= entry.bytes
            self._dropped += entry.bytes
