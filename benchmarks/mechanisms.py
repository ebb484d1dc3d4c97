"""Every mechanism against scaled dot: time and memory as the sentence grows; and the bench with six of them.

8 heads, d_k = d_v = 64, float32, one thread, no gradients. Each takes turns with scaled dot in the same process, and
the ratio is that of the medians. "held" is what `Cost` says the largest stage holds, "peak" the most that was allocated
at once, as torch's profiler recorded it; both are ratios to scaled dot. What would take longer than `PATIENCE` seconds
or half of the free memory is left out and said to be.
"""

import os
import statistics
from collections.abc import Sequence
from functools import partial

import psutil
import torch
from torch import Tensor

from attention_core.mechanisms import MECHANISMS, LayerSizes, Options, run
from attention_core.mechanisms.bench import compute, head_gradient
from benchmarks.core import keep_freed_memory, milliseconds, peak_bytes
from benchmarks.report import report
from pages.mechanisms.bench.numbers import MOST, one_per_axis

N_HEAD, D_K = 8, 64
SIZES = (16, 64, 256, 1024)
REFERENCE = "scaled_dot"
SECONDS = 0.5  # per mechanism and size, for both together
PATIENCE = 30.0  # seconds for one call
LIVE = 3  # so many stages of the largest size live at once, at most
BENCH_TOKENS, BENCH_MS = 64, 100.0
ROUNDS = 7


def vectors(n: int) -> list[Tensor]:
    """q, k and v of one sentence."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(N_HEAD, n, D_K, generator=generator) for _ in range(3)]


def sizes(n: int) -> LayerSizes:
    """Of `vectors`."""
    return LayerSizes(n_head=N_HEAD, n_q=n, n_k=n, d_k=D_K, d_v=D_K)


def measure(key: str, n: int, before: float) -> dict[str, object]:
    """One line of the table. `before`: the seconds one call took at the size before."""
    cost, base = MECHANISMS[key].cost(sizes(n)), MECHANISMS[REFERENCE].cost(sizes(n))
    line: dict[str, object] = {
        "mechanism": key,
        "n": n,
        "operations_x": cost.total / base.total,
        "held_x": cost.held / base.held,
    }
    # Four times the tokens are sixteen times the pairs; `held` counts numbers of four bytes.
    if before * 16 > PATIENCE or 4 * cost.held * LIVE > psutil.virtual_memory().available / 2:
        return line | {"ms": "left out", "time_x": "", "peak_x": ""}
    q, k, v = vectors(n)
    calls = [
        partial(run, MECHANISMS[name], q, k, v, parameters=MECHANISMS[name].parameters(sizes(n)))
        for name in (key, REFERENCE)
    ]
    for call in calls:
        call()
    rounds = max(1, min(200, int(SECONDS * 1e3 / sum(map(milliseconds, calls)))))
    times = [[milliseconds(call) for call in calls] for _ in range(rounds)]
    own, reference = (statistics.median(column) for column in zip(*times, strict=True))
    peaks = [peak_bytes(call) for call in calls]
    return line | {"ms": own, "time_x": own / reference, "peak_x": peaks[0] / peaks[1]}


def bench(keys: Sequence[str]) -> tuple[float, float]:
    """The page's own work, in milliseconds: all heads under each mechanism, and that plus the gradient of one head."""
    q, k, v = vectors(BENCH_TOKENS)
    options = Options()

    def forward() -> None:
        for key in keys:
            compute(MECHANISMS[key], q, k, v, options=options)

    def backward() -> None:
        for key in keys:
            head_gradient(MECHANISMS[key], q, k, v, head=0, options=options)

    forward()
    backward()
    times = [(milliseconds(forward), milliseconds(backward)) for _ in range(ROUNDS)]
    ahead, back = (statistics.median(column) for column in zip(*times, strict=True))
    return ahead, ahead + back


def slowest() -> list[str]:
    """The six that take longest at the bench's size."""
    q, k, v = vectors(BENCH_TOKENS)
    seconds = {key: compute(mechanism, q, k, v, options=Options()).seconds for key, mechanism in MECHANISMS.items()}
    return sorted(seconds, key=seconds.__getitem__)[-MOST:]


def main() -> None:
    """Print the table, then one line of JSON."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler writes a line for every start and stop
    torch.set_num_threads(1)
    keep_freed_memory()
    rows: list[dict[str, object]] = []
    with torch.no_grad():
        for key in MECHANISMS:
            before = 0.0
            for n in SIZES:
                rows.append(measure(key, n, before))
                spent = rows[-1]["ms"]
                before = spent / 1e3 if isinstance(spent, float) else PATIENCE
    opening = one_per_axis(MECHANISMS)
    cases = {"the six it opens with": opening, "the six slowest": slowest()}
    times = {name: bench(keys) for name, keys in cases.items()}
    for name, (ahead, both) in times.items():
        print(f"{N_HEAD} heads, {BENCH_TOKENS} tokens, {name} ({', '.join(cases[name])}): {ahead:.1f} ms,"
              f" {both:.1f} ms with the gradient of one head (target {BENCH_MS:g} ms)")  # fmt: skip
    report(
        "Mechanisms against scaled dot (_x: times as much)",
        rows,
        bench_ms={name: {"forward": ahead, "with_gradient": both} for name, (ahead, both) in times.items()},
        target_ms=BENCH_MS,
    )


if __name__ == "__main__":
    main()
