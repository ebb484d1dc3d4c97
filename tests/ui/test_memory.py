"""Memory that is freed goes back to the operating system, also where many threads have used it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, threading, psutil, torch
from ui.compute.memory import settle_allocator, trim
if sys.argv[1] == "settled":
    assert settle_allocator()
kept, process = [], psutil.Process()
def work():
    blocks = [torch.ones(50_000 + 97 * step) for step in range(60)]  # 200 kB each: below what is mapped by itself
    kept.append(torch.ones(300))  # a small one that outlives them
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
