"""What tests of long answers share."""

import time
from collections.abc import Generator
from typing import TypeVar

from streamlit.testing.v1 import AppTest

T = TypeVar("T")

IDLE = {"stop_bands"}  # what waits until nobody else computes, and the page is whole without


def finished(pieces: Generator[float, None, T]) -> T:
    """All pieces of a long answer, one after the other: the answer. The shares that are told only grow, up to 1."""
    shares = [0.0]
    while True:
        try:
            shares.append(next(pieces))
        except StopIteration as end:
            assert shares == sorted(shares) and shares[-1] <= 1
            return end.value


def settled(app: AppTest, seconds: float = 120.0) -> AppTest:
    """The page once nothing is under way any more that somebody waits for."""
    end = time.monotonic() + seconds
    while any(button.key.startswith("stop_") for button in app.button if button.key and button.key not in IDLE):
        assert time.monotonic() < end
        time.sleep(0.05)
        app.run()
    return app
