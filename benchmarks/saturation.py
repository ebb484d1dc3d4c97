"""The table behind the Vanishing page: every measure at every stop of both sliders, closed forms against autograd.

32 tokens, 12 heads, 8 seeds. The naive way, one autograd pass per stop, is timed on a few stops spread over the table
and multiplied; both run in turn, so that a busy machine slows both. Then what a new sentence costs a server, in seconds
of one core: the curves through the sliders' position, and the table of one seed, for sentences of several lengths.
"""

import time
from collections.abc import Callable, Iterator

import torch

from attention_core import attend, by, gradients
from attention_core.saturation import (
    D_K_STOPS,
    INPUT_SCALES,
    MEASURE_NAMES,
    N_HEAD,
    SWEPT_RULES,
    Probe,
    collect,
    cross,
    factors,
    sweep,
    tabulate,
    untrained,
)
from attention_core.softmax import entropy, frobenius, row_gain, trace
from benchmarks.report import report

TOKENS, D_MODEL, SEEDS = 32, 64, 8
WORKERS = 2
SAMPLES = 5  # stops per seed timed the naive way
TARGET_S, TARGET_TIMES = 5.0, 30.0
LENGTHS = (9, 12, 24, 32, 48)  # tokens
TABLE_CPU_S, CROSS_CPU_S = 0.6, 0.1  # of a server's core
FIRST_S = 0.3  # until the curves through the sliders' position are there, in the middle of both; all others follow


def naive(probe: Probe, d_k: int, factor: float) -> dict[str, torch.Tensor]:
    """One stop as anybody would compute it: forward, backward, weight-sized gradients, a Jacobian's norm per row."""
    q, k, v = (part.clone().requires_grad_() for part in (probe.q[..., :d_k], probe.k[..., :d_k], probe.v))
    attended = attend(q, k, v, scaling=by(factor))
    output = torch.einsum("hnv,hvd->nd", attended.context, probe.W_O)
    slopes = gradients((output * probe.direction).sum(), attended)
    p = attended.weights.detach()
    gains = row_gain(p, slopes.weights)
    parts = torch.einsum("nd,hnc->hndc", probe.x, slopes.q)
    mean = parts.mean(dim=1, keepdim=True)
    nats = entropy(p)
    return {
        "score_std": attended.scaled_scores.detach().flatten(1).std(dim=-1),
        "peak": p.amax(-1).mean(-1),
        "entropy": nats.mean(-1),
        "support": nats.exp().mean(-1),
        "gains": gains.quantile(torch.tensor([0.1, 0.5, 0.9]), dim=-1),
        "dead": (gains < 1e-3).float().mean(-1),
        "jacobian": torch.stack([trace(p).mean(-1), frobenius(p).mean(-1)]),
        "d_scores": torch.linalg.matrix_norm(slopes.scaled_scores),
        "d_W": torch.stack([torch.linalg.matrix_norm(probe.x.mT @ getattr(slopes, name)) for name in "qkv"]),
        "snr": mean.norm(dim=(-2, -1)).squeeze(1) / (parts - mean).square().sum(dim=(-2, -1)).mean(1).sqrt(),
    }


def samples() -> Iterator[tuple[int, float]]:
    """A few stops spread over d_k and α."""
    for index in range(SAMPLES):
        d_k = D_K_STOPS[round(index * (len(D_K_STOPS) - 1) / (SAMPLES - 1))]
        yield d_k, factors(d_k)[(index * 37) % len(factors(d_k))]


def seconds(start: float) -> float:
    """Since `start`."""
    return time.perf_counter() - start


def cpu_seconds(run: Callable[[], object]) -> float:
    """Of this process, the least of three times."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return min(spent)


def costs(tokens: int) -> list[dict[str, object]]:
    """CPU seconds for a sentence of that length: the cross, and the table of one seed."""
    probe = untrained(torch.randn(tokens, D_MODEL, generator=torch.Generator().manual_seed(1)), 0)
    first = cpu_seconds(lambda: cross(probe, len(D_K_STOPS) // 2, len(INPUT_SCALES) // 2))
    whole = cpu_seconds(lambda: collect(list(tabulate(probe))))
    return [
        {"what": f"{tokens} tokens: curves through the position, CPU s", "measured": first, "target": CROSS_CPU_S},
        {"what": f"{tokens} tokens: table of one seed, CPU s", "measured": whole, "target": TABLE_CPU_S},
    ]


def main() -> None:
    """All seeds, both ways in turn; then CPU seconds by length."""
    torch.set_num_threads(1)
    x = torch.randn(TOKENS, D_MODEL, generator=torch.Generator().manual_seed(0))
    stops = len(D_K_STOPS) * len(INPUT_SCALES) * len(SWEPT_RULES)
    ours, theirs, differ = [], [], 0.0
    for seed in range(SEEDS):
        start = time.perf_counter()
        probe = untrained(x, seed)
        table = collect(list(tabulate(probe, WORKERS)))
        ours.append(seconds(start))
        start = time.perf_counter()
        expected = {stop: naive(probe, *stop) for stop in samples()}
        theirs.append(seconds(start) / SAMPLES * stops)
        for (d_k, factor), measures in expected.items():
            mine = sweep(probe, d_k, [factor]).measures.peak[0]
            differ = max(differ, float((mine - measures["peak"]).abs().max()))
        assert table.measures.shape[-2:] == (len(MEASURE_NAMES), N_HEAD)
    start = time.perf_counter()
    cross(untrained(x, SEEDS), len(D_K_STOPS) // 2, len(INPUT_SCALES) // 2)
    first = seconds(start)
    rows = [
        {"what": f"table, {SEEDS} seeds, s", "measured": sum(ours), "target": TARGET_S},
        {"what": "a new sentence: curves through the sliders' position, s", "measured": first, "target": FIRST_S},
        {"what": "one autograd pass per stop, s", "measured": sum(theirs), "target": ""},
        {"what": "times slower", "measured": sum(theirs) / sum(ours), "target": TARGET_TIMES},
        {"what": "largest difference of a peak", "measured": differ, "target": ""},
        *(row for tokens in LENGTHS for row in costs(tokens)),
    ]
    size = f"{stops} stops x {len(MEASURE_NAMES)} measures x {N_HEAD} heads x {SEEDS} seeds, {TOKENS} tokens"
    report(f"Saturation: {size}", rows, seconds=sum(ours), times_faster=sum(theirs) / sum(ours))


if __name__ == "__main__":
    main()
