"""Memory that is freed goes back to the operating system, also where many threads have used it."""

import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from ui.compute.memory import Tidier

SCRIPT = """
import sys, threading, psutil, torch
from ui.compute.memory import settle_allocator, trim
if sys.argv[1] == "settled":
    assert settle_allocator()
kept, process = [], psutil.Process()
def work():
    blocks = [torch.ones(50_000 + 97 * step) for step in range(60)]  # 200 kB each: below what is mapped by itself
    kept.append(torch.ones(300))  # a small one that outlives them
work()  # what torch brings at its first use is not the question
threads = [threading.Thread(target=work) for _ in range(12)]
before = process.memory_info().rss
for thread in threads: thread.start()
for thread in threads: thread.join()
if sys.argv[1] == "settled":
    trim()
print((process.memory_info().rss - before) >> 20)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_what_threads_have_freed_is_handed_back() -> None:
    left = {}
    for how in ("as it is", "settled"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, how],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        left[how] = int(done.stdout)
    assert left["settled"] < 20 and left["settled"] <= left["as it is"], left


class Ring:
    """Something only a collector can free."""

    def __init__(self) -> None:
        self.itself = self


def test_a_process_is_tidied_when_it_has_grown_and_left_alone_while_it_has_not() -> None:
    sizes = iter([500 << 20, 515 << 20, 480 << 20, 495 << 20, 497 << 20, 490 << 20, 505 << 20])
    tidier = Tidier(lambda: next(sizes))
    ring = weakref.ref(Ring())
    assert not tidier.look()  # 15 MB more than at first
    assert not tidier.look() and not tidier.look()  # least 480, then 15 MB above it
    assert ring() is not None
    assert tidier.look()  # 17 MB above the least; 490 afterwards
    assert ring() is None
    assert not tidier.look()  # 15 MB above what was left
