"""What does keeping every stage cost? `attend` against bare softmax(Q Kᵀ / √d_k) V: time and memory.

12 heads, d_k 64, float32, one thread, no gradients. The two alternate, and the table shows medians, in milliseconds;
"kept" is what the trace holds alive beyond q, k and v, "peak" is the most that was allocated at once during the call.
Where the C library allows it, freed memory stays with the process: otherwise the operating system clears every page
of every large stage anew, which can double the time from N = 1024 on and says nothing about the arithmetic.
"""

import ctypes
import json
import math
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from attention_core import attend
from attention_core.masks import causal

N_HEAD, D_K = 12, 64
SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SECONDS = 2.0  # per size and mask, for both together
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # from glibc's malloc.h
TARGET = 1.15  # ratio, from N = 128 on, without a mask


def bare(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None) -> Tensor:
    """The formula, nothing kept."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    return scores.softmax(dim=-1) @ v


def milliseconds(call: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def medians(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Of two calls that take turns, so that both meet the same machine; at least 5 rounds."""
    for call in (first, second):
        call()
    rounds = max(5, min(2000, int(SECONDS * 1e3 / (milliseconds(first) + milliseconds(second)))))
    times = [(milliseconds(first), milliseconds(second)) for _ in range(rounds)]
    return tuple(map(statistics.median, zip(*times, strict=True)))


def peak_bytes(call: Callable[[], object]) -> int:
    """The most memory allocated at once during the call, from the profiler's record of every allocation."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    recorder: Any = record.profiler
    events = [event for event in recorder.kineto_results.events() if event.name() == "[memory]"]
    changes = (event.nbytes() for event in sorted(events, key=lambda event: event.start_ns()))
    return max(accumulate(changes))


def measure(n: int, masked: bool) -> dict[str, float]:
    """One line of the table."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(N_HEAD, n, D_K, generator=generator) for _ in range(3))
    allowed = causal(n, n) if masked else None
    plain, traced = partial(bare, q, k, v, allowed), partial(attend, q, k, v, allowed=allowed)
    torch.testing.assert_close(traced().context, plain())
    bare_ms, attend_ms = medians(plain, traced)
    return {
        "n": n,
        "masked": masked,
        "bare_ms": bare_ms,
        "attend_ms": attend_ms,
        "ratio": attend_ms / bare_ms,
        "kept_bytes": traced().bytes() - sum(stage.nbytes for stage in (q, k, v)),
        "bare_peak_bytes": peak_bytes(plain),
        "attend_peak_bytes": peak_bytes(traced),
    }


def keep_freed_memory() -> bool:
    """Tell glibc to hand no freed memory back to the operating system; False where there is no glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, -1))


def main() -> None:
    """Print the table, then one line of JSON."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler writes a line for every start and stop
    torch.set_num_threads(1)
    kept_warm = keep_freed_memory()
    lines: list[dict[str, float]] = []
    print(f"{'N':>5} {'mask':>7} {'bare':>9} {'attend':>9} {'ratio':>6} {'kept':>9} {'peak bare':>10} {'peak':>9}")
    print(f"{'':>5} {'':>7} {'ms':>9} {'ms':>9} {'':>6} {'MiB':>9} {'MiB':>10} {'MiB':>9}")
    with torch.no_grad():
        for n in SIZES:
            for masked in (False, True):
                line = measure(n, masked)
                lines.append(line)
                kept, bare_peak, peak = (
                    line[key] / 2**20 for key in ("kept_bytes", "bare_peak_bytes", "attend_peak_bytes")
                )
                print(
                    f"{n:5} {'causal' if masked else 'none':>7} {line['bare_ms']:9.3f} {line['attend_ms']:9.3f}"
                    f" {line['ratio']:6.2f} {kept:9.2f} {bare_peak:10.2f} {peak:9.2f}",
                    flush=True,
                )
    worst = max(line["ratio"] for line in lines if line["n"] >= 128 and not line["masked"])
    print(f"Worst ratio without a mask from N = 128 on: {worst:.2f} (target {TARGET})")
    print(
        json.dumps(
            {
                "torch": torch.__version__,
                "worst_ratio": worst,
                "target": TARGET,
                "freed_memory_kept": kept_warm,
                "lines": lines,
            }
        )
    )


if __name__ == "__main__":
    main()
