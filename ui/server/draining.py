"""How the server ends: nobody new is let in, open sessions go on for a while, then the process is gone."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from ui.server.admission import House

_log = logging.getLogger("headlight")


class Draining(uvicorn.Server):
    """On SIGTERM: closes the house, exits when it is empty or after `grace` seconds. A second signal ends it now."""

    def __init__(
        self, config: uvicorn.Config, house: House, grace: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(config)
        self._house = house
        self._grace = grace
        self._clock = clock
        self._until = 0.0

    @property
    def _draining(self) -> bool:
        return self._house.state == "draining"

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has arrived."""
        if sig != signal.SIGTERM or self._draining:
            return super().handle_exit(sig, frame)
        self._house.state = "draining"
        self._until = self._clock() + self._grace

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to go."""
        if self._draining and (self._house.taken == 0 or self._clock() >= self._until):
            self.should_exit = True
        return await super().on_tick(counter)


def leave(status: int) -> None:
    """End the process without waiting for threads: a training that goes on would hold it, and torch aborts when one
    still computes while Python ends.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
