"""Mechanisms side by side on the same q, k and v: what each computes, what it costs, what reaches q and k.

The last part is for scores as d_k grows: those of a dot product spread, those of an additive network do not.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core import softmax
from attention_core.attention import AttentionTrace
from attention_core.mechanisms.additive import ADDITIVE
from attention_core.mechanisms.base import Cost, LayerSizes, Mechanism, Options, run
from attention_core.mechanisms.multiplicative import DOT, SCALED_DOT

Mask = Bool[Tensor, "*#h #n_q #n_k"] | None

DIRECTION_SEED = 0
QUICK = 0.002  # seconds: what is quicker is run again, and the median counts
WIDTHS = tuple(sorted({round(2 ** (power / 2)) for power in range(21)}))  # 1 … 1024, two to an octave
SPREADING: dict[str, Mechanism] = {"dot": DOT, "scaled_dot": SCALED_DOT, "additive": ADDITIVE}
ROWS = 16  # queries, and as many keys, for every draw of the parameters
DRAWS = (6, 1024)  # of the parameters, with q and k of their own: fewest and most


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What a mechanism made of all heads: every stage, the seconds it took here, what it learns and what it costs."""

    trace: AttentionTrace
    seconds: float
    learned: int
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadGradient:
    """The gradient that reaches q and k of one head."""

    q: Float[Tensor, "n_q d_k"]
    k: Float[Tensor, "n_k d_k"]


def sizes_of(q: Float[Tensor, "h n_q d_k"], k: Float[Tensor, "h n_k d_k"], v: Float[Tensor, "h n_k d_v"]) -> LayerSizes:
    """Heads, queries, keys and widths of one layer."""
    n_head, n_q, d_k = q.shape
    return LayerSizes(n_head=n_head, n_q=n_q, n_k=k.shape[-2], d_k=d_k, d_v=v.shape[-1])


def compute(
    mechanism: Mechanism,
    q: Float[Tensor, "h n_q d_k"],
    k: Float[Tensor, "h n_k d_k"],
    v: Float[Tensor, "h n_k d_v"],
    *,
    options: Options,
    allowed: Mask = None,
) -> Result:
    """All heads at once, untrained parameters drawn from `options.seed`, and the time it took.

    The time is that of `run` with its parameters ready, in seconds of this thread's processor: what else the machine
    does meanwhile does not count.
    """
    sizes = sizes_of(q, k, v)
    parameters = mechanism.parameters(sizes, options.seed)
    times: list[float] = []
    with torch.no_grad():
        while True:
            start = time.thread_time()
            trace = run(mechanism, q, k, v, parameters=parameters, options=options, allowed=allowed)
            times.append(time.thread_time() - start)
            if len(times) == 3 or times[0] > QUICK:
                break
    return Result(
        trace=trace,
        seconds=sorted(times)[len(times) // 2],
        learned=sum(parameter.numel() for parameter in parameters.values()),
        cost=mechanism.cost(sizes),
    )


def direction(n_head: int, n_q: int, d_v: int) -> Float[Tensor, "h n_q d_v"]:
    """N(0, 1): what the objective L = Σ G ⊙ C weighs the contexts with. The same for every mechanism and seed."""
    return torch.randn(n_head, n_q, d_v, generator=torch.Generator().manual_seed(DIRECTION_SEED))


def head_gradient(
    mechanism: Mechanism,
    q: Float[Tensor, "h n_q d_k"],
    k: Float[Tensor, "h n_k d_k"],
    v: Float[Tensor, "h n_k d_v"],
    *,
    head: int,
    options: Options,
    allowed: Mask = None,
) -> HeadGradient:
    """∂L/∂q and ∂L/∂k of one head, L = Σ G ⊙ C with a fixed random G; zeros where nothing arrives.

    Heads do not meet before W_O, so this head's gradient needs no other head.
    """
    sizes = sizes_of(q, k, v)
    chosen = slice(head, head + 1)
    if allowed is not None and allowed.ndim == 3:
        allowed = allowed[chosen]
    parameters = {name: drawn[chosen] for name, drawn in mechanism.parameters(sizes, options.seed).items()}
    G = direction(sizes.n_head, sizes.n_q, sizes.d_v).to(v)[chosen]
    with torch.enable_grad():
        q_h, k_h = (side[chosen].detach().clone().requires_grad_() for side in (q, k))
        trace = run(mechanism, q_h, k_h, v[chosen].detach(), parameters=parameters, options=options, allowed=allowed)
        objective = (trace.context * G).sum()
        if not objective.requires_grad:
            return HeadGradient(q=torch.zeros_like(q_h[0]), k=torch.zeros_like(k_h[0]))
        d_q, d_k = torch.autograd.grad(objective, (q_h, k_h), materialize_grads=True)
    return HeadGradient(q=d_q[0], k=d_k[0])


def shares(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    """Each key's part of what its row gives away: a row need not sum to 1. NaN where it gives nothing."""
    return weights / weights.sum(dim=-1, keepdim=True)


def entropy(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q"]:
    r"""$-\sum_j p_{ij} \ln p_{ij}$ in nats, p the `shares`; NaN for an empty row."""
    return softmax.entropy(shares(weights))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Per width of `WIDTHS` (axis 0) and mechanism of `SPREADING` (axis 1), float64."""

    std: Float[Tensor, "widths kinds"]
    peak: Float[Tensor, "widths kinds"]
    trace: Float[Tensor, "widths kinds"]


def spread(seed: int = 0) -> Spread:
    r"""Scores of q, k ~ N(0, 1) as d_k grows: $\sqrt{\mathrm{E}\,e^2}$, the mean largest weight of a row of ROWS keys,
    and the mean of tr J = 1 − Σ p² of these rows.

    q·k has variance d_k. An additive score is $\sum_a v_a \tanh(\cdot)$ of $\mathcal N(0, 2)$ with $v_a$ of variance
    1/d_k, so its variance is $\mathrm{E}\tanh^2(\sqrt2 z) \approx 0.52$ at any d_k.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = [_spread_at(width, generator) for width in WIDTHS]
    return Spread(**{name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in rows[0]})


def _spread_at(width: int, generator: torch.Generator) -> Mapping[str, list[float]]:
    fewest, most = DRAWS
    draws = max(fewest, min(most, 2 * WIDTHS[-1] // width))
    q, k = (torch.randn(draws, ROWS, width, generator=generator) for _ in range(2))
    sizes = LayerSizes(n_head=draws, n_q=ROWS, n_k=ROWS, d_k=width, d_v=1)
    measured: dict[str, list[float]] = {"std": [], "peak": [], "trace": []}
    for mechanism in SPREADING.values():
        parameters = mechanism.draw(sizes, generator)
        trace = run(mechanism, q, k, k[..., :1], parameters=parameters)
        measured["std"].append(math.sqrt(trace.scaled_scores.double().square().mean()))
        measured["peak"].append(float(trace.weights.amax(dim=-1).double().mean()))
        measured["trace"].append(float((1 - trace.weights.double().square().sum(dim=-1)).mean()))
    return measured
