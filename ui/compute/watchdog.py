"""Who computes and who waits, so that whoever takes too long is seen in the log, with the place where it stands."""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

LATE = 30.0  # seconds after which an ask is logged
LOOK = 5.0  # seconds between two looks

_log = logging.getLogger("headlight")


@dataclass(slots=True)
class _Ask:
    thread: int
    since: float
    doing: str
    logged: bool = False


class Watchdog:
    """Every ask that goes on now. A thread looks at them while there are any, and ends when there are none.

    The log names lines of our code and never what was asked: that is a visitor's sentence.
    """

    def __init__(self, late: float = LATE, look: float = LOOK, clock: Callable[[], float] = time.monotonic) -> None:
        self._late, self._look, self._clock = late, look, clock
        self._asks: dict[int, _Ask] = {}
        self._lock = threading.Lock()
        self._looks = False
        self._own = threading.local()

    @property
    def computing(self) -> bool:
        """Whether this thread computes an answer now."""
        return getattr(self._own, "computing", False)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """This thread computes until the block ends."""
        self._own.computing = True
        try:
            with self._watched("computes"):
                yield
        finally:
            self._own.computing = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """This thread waits until the block ends."""
        with self._watched("waits"):
            yield

    def late(self) -> list[str]:
        """What takes too long now and was not logged before: how long, and the stack of its thread."""
        now = self._clock()
        with self._lock:
            asks = [ask for ask in self._asks.values() if now - ask.since > self._late and not ask.logged]
            for ask in asks:
                ask.logged = True
        stacks = _stacks({ask.thread for ask in asks})
        return [
            f"A thread {ask.doing} since {now - ask.since:.0f} s:\n{stacks[ask.thread]}"
            for ask in asks
            if ask.thread in stacks
        ]

    @contextmanager
    def _watched(self, doing: str) -> Iterator[None]:
        ask = _Ask(threading.get_ident(), self._clock(), doing)
        with self._lock:
            self._asks[id(ask)] = ask
            if not self._looks:
                self._looks = self._begin()
        try:
            yield
        finally:
            with self._lock:
                del self._asks[id(ask)]

    def _begin(self) -> bool:
        try:
            threading.Thread(target=self._watch, name="headlight watchdog", daemon=True).start()
        except RuntimeError:  # no thread is to be had: who asks is answered all the same, and the next who asks tries
            return False
        return True

    def _watch(self) -> None:
        while True:
            time.sleep(self._look)
            for text in self.late():
                _log.error(text)
            with self._lock:
                if not self._asks:
                    self._looks = False
                    return


def _stacks(threads: Set[int]) -> dict[int, str]:
    """The stacks of these threads, written. No frame outlives the call: one that holds itself would, until the next
    collection, and with it whatever all threads computed.
    """
    if not threads:
        return {}
    frames = sys._current_frames()
    try:
        return {thread: "".join(traceback.format_stack(frames[thread])) for thread in threads & frames.keys()}
    finally:
        frames.clear()
