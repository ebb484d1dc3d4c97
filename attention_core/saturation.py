"""What becomes of attention and of its gradient over head size d_k and input scale α: batched, in closed forms.

The logits are f·s with f = α² c(d_k): all α and both rules of one d_k are taken together (saturated_rows.py), a few
heads at a time.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.multihead import MultiHeadAttention, project
from attention_core.saturated_rows import (
    Rows,
    TokenRows,
    alike,
    narrow,
    over_keys,
    over_queries,
    row_slopes,
    signal_and_noise,
    soften,
    square,
    token_rows,
)
from attention_core.scalings import SCALINGS

# 1 … 1024: six to an octave up to 128, where the sizes of real heads lie, three above.
D_K_STOPS = tuple(sorted({*(round(2 ** (i / 6)) for i in range(43)), *(round(2 ** (i / 3)) for i in range(21, 31))}))
INPUT_SCALES = (0.1, *(float(f"{2 ** (k / 6):.4g}") for k in range(-19, 25)))  # … 16, six to an octave
SWEPT_RULES = ("none", "inverse_sqrt")  # of SCALINGS
N_HEAD, D_V = 12, 16
ELEMENTS = 2**18  # of the largest array: what still fits the cache of one core
DEAD = 1e-3  # a row whose gain is smaller passes on less than a thousandth of its gradient
LN10 = math.log(10)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    r"""One layer and one loss: all that stays the same while d_k and α move.

    With `target` None the loss is linear, $\sum_i \langle d_i, o_i\rangle$, and `direction` holds d. With a target t it
    is the cross-entropy $-\sum_i \ln \mathrm{softmax}(o_i X^\top/\sqrt{d_{model}})_t$: every query should say token t.
    """

    x: Float[Tensor, "n d_model"]
    q: Float[Tensor, "h n d_most"]
    k: Float[Tensor, "h n d_most"]
    v: Float[Tensor, "h n d_v"]
    W_O: Float[Tensor, "h d_v d_model"]
    direction: Float[Tensor, "n d_model"]
    target: int | None = None

    def scores(self, d_k: int) -> Float[Tensor, "h n n"]:
        """q·k over the first d_k components, at α = 1 and before any scaling."""
        return self.q[..., :d_k] @ self.k[..., :d_k].mT

    def d_output(self, output: Float[Tensor, "*batch n a d_model"]) -> Float[Tensor, "*batch n a d_model"]:
        """∂L/∂output, at each of the outputs on the axis before the last."""
        if self.target is None:
            return self.direction[:, None].expand_as(output)
        readout = self.x * self.x.shape[-1] ** -0.5
        wrong = (output @ readout.mT).softmax(dim=-1)
        wrong[..., self.target] -= 1
        return wrong @ readout

    def d_context(self, context: Float[Tensor, "h n a d_v"]) -> Float[Tensor, "h n a d_v"]:
        """∂L/∂context, at each of the contexts on the axis before the last."""
        output = torch.einsum("hnav,hvd->nad", context, self.W_O)
        return torch.einsum("nad,hvd->hnav", self.d_output(output), self.W_O)


def untrained(x: Float[Tensor, "n d_model"], seed: int, target: int | None = None) -> Probe:
    """A from-scratch layer of 12 heads on these vectors, brought to mean 0 and variance 1 each (as pre-LayerNorm does).

    W_Q and W_K are drawn once at d_k = 1024 from N(0, 1/d_model); a smaller d_k uses their first columns. The linear
    loss reads the output of every query in the same random direction, N(0, 1) in each component.
    """
    x = F.layer_norm(x, x.shape[-1:], eps=1e-12)
    d_model = x.shape[-1]
    layer = MultiHeadAttention(d_model=d_model, n_head=N_HEAD, d_k=max(D_K_STOPS), d_v=D_V, seed=seed)
    layer.requires_grad_(False)
    direction = torch.randn(d_model, generator=torch.Generator().manual_seed(4 * seed + 4))
    # A matrix product may round equal rows differently, and a saturated row would tell them apart.
    first = (x[:, None] == x).all(dim=-1).int().argmax(dim=-1)
    q, k, v = (project(x, W)[:, first] for W in (layer.W_Q, layer.W_K, layer.W_V))
    return Probe(x, q, k, v, layer.W_O.detach(), direction.expand_as(x), target)


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Numbers of each head (axis −1); `log_` stands for log₁₀, where −∞ means exactly 0."""

    score_std: Float[Tensor, "*batch h"]
    peak: Float[Tensor, "*batch h"]
    entropy: Float[Tensor, "*batch h"]
    support: Float[Tensor, "*batch h"]
    trace: Float[Tensor, "*batch h"]
    frobenius: Float[Tensor, "*batch h"]
    log_gain_low: Float[Tensor, "*batch h"]
    log_gain: Float[Tensor, "*batch h"]
    log_gain_high: Float[Tensor, "*batch h"]
    gain_mean: Float[Tensor, "*batch h"]
    dead: Float[Tensor, "*batch h"]
    log_d_scores: Float[Tensor, "*batch h"]
    log_d_W_Q: Float[Tensor, "*batch h"]
    log_d_W_K: Float[Tensor, "*batch h"]
    log_d_W_V: Float[Tensor, "*batch h"]
    snr: Float[Tensor, "*batch h"]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The measures of one d_k at many factors, and log₁₀ of the gain of every row."""

    measures: Measures
    log_gains: Float[Tensor, "a h n"]


MEASURE_NAMES = tuple(field.name for field in fields(Measures))


def factors(d_k: int, alphas: Sequence[float] = INPUT_SCALES) -> list[float]:
    """α² c(d_k) for every rule of SWEPT_RULES and, within it, every α."""
    return [alpha**2 * SCALINGS[rule].factor(d_k) for rule in SWEPT_RULES for alpha in alphas]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One probe at every stop: `measures` in the order of MEASURE_NAMES, and log₁₀ of the gain of every row."""

    measures: Float[Tensor, "rule d_k alpha measure h"]
    log_gains: Float[Tensor, "rule d_k alpha h n"]


def tabulate(probe: Probe, workers: int = 1) -> Iterator[Sweep]:
    """The sweeps of a table in the order of d_k, so that whoever waits can be told how far it is.

    torch lets go of the interpreter, so a worker is a core. What is left is not begun when the iterator is closed.
    """
    if workers == 1:
        yield from (sweep(probe, d_k, factors(d_k)) for d_k in D_K_STOPS)
        return
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(lambda d_k: sweep(probe, d_k, factors(d_k)), D_K_STOPS)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def collect(sweeps: Sequence[Sweep]) -> Table:
    """The table of all sweeps of `tabulate`."""
    return Table(*(torch.stack(parts, dim=1) for parts in zip(*map(_by_rule, sweeps), strict=True)))


def cross(probe: Probe, row: int, column: int) -> Table:
    """A table of the stops in line with one: every α at d_k number `row`, every d_k at α number `column`, else NaN.

    One stop in eighteen: the curves through where the sliders stand, for whoever cannot wait for the others.
    """
    (h, n), stops = probe.q.shape[:2], (len(SWEPT_RULES), len(D_K_STOPS), len(INPUT_SCALES))
    table = Table(*(probe.x.new_full((*stops, *size), math.nan) for size in ((len(MEASURE_NAMES), h), (h, n))))
    for number, d_k in enumerate(D_K_STOPS):
        chosen = range(len(INPUT_SCALES)) if number == row else [column]
        swept = sweep(probe, d_k, factors(d_k, [INPUT_SCALES[at] for at in chosen]))
        for whole, part in zip((table.measures, table.log_gains), _by_rule(swept), strict=True):
            whole[:, number, list(chosen)] = part
    return table


def _by_rule(one: Sweep) -> tuple[Float[Tensor, "rule a measure h"], Float[Tensor, "rule a h n"]]:
    measures = torch.stack([getattr(one.measures, name) for name in MEASURE_NAMES], dim=1)
    shape = (len(SWEPT_RULES), -1)
    return measures.unflatten(0, shape), one.log_gains.unflatten(0, shape)


def sweep(probe: Probe, d_k: int, factors: Sequence[float]) -> Sweep:
    r"""Every measure with the logits $f\,q\cdot k$, for each factor f = α² c(d_k) > 0.

    Gradients are those of the probe's loss. With dS = ∂L/∂logits: dW_Q = f XᵀdS K, dW_K = f XᵀdSᵀQ,
    dW_V = XᵀPᵀ d_context. The gain of a row is ‖dS_i‖/‖dP_i‖; the signal-to-noise ratio of dW_Q is that of the parts
    g_i = f x_i (dS K)_i that the queries contribute, ‖mean g‖ / (mean ‖g − mean g‖²)^½; 0 where there is no gradient.
    When one row alone has a gradient it is 1/√(n−1).
    Raises ValueError for fewer than two tokens: one key has nothing to share its weight with.
    """
    n = probe.x.shape[0]
    if n < 2:
        raise ValueError(f"saturation takes two tokens or more, not {n}")
    s, f = probe.scores(d_k), probe.x.new_tensor(factors)
    many = max(1, ELEMENTS // (len(f) * n * n))
    parts = [slice(start, start + many) for start in range(0, len(s), many)]
    # A row of dS sums to 0, so it does not see what all keys have in common; dS K is smaller without, and more exact.
    q, k, x = probe.q[..., :d_k], probe.k[..., :d_k], token_rows(probe.x)
    lengths = k.square().sum(dim=-1)
    q, k = narrow(q), narrow(k - k.mean(dim=1, keepdim=True))
    same = alike(k, lengths.amax(dim=1).sqrt())
    same_value = None if same is None else alike(probe.v, torch.linalg.vector_norm(probe.v, dim=-1).amax(dim=1))
    rows = (soften(s[part], f, _of(same, part)) for part in parts)
    context = probe.v[:, :, None]
    if probe.target is not None:  # its slope depends on what all heads say together
        rows = list(rows)
        context = torch.cat([over_keys(row.weights(), probe.v[part]) for row, part in zip(rows, parts, strict=True)])
    d_context = probe.d_context(context)
    sums = [
        _sums(row, x, q[part], k[part], probe.v[part], d_context[part], _of(same_value, part))
        for row, part in zip(rows, parts, strict=True)
    ]
    whole = HeadSums(*(torch.cat([getattr(one, field.name) for one in sums]) for field in fields(HeadSums)))
    measures = _measures(whole, s, f, float(probe.x.square().sum(dim=-1).max()) * lengths.sum(dim=1))
    return Sweep(measures, whole.log_gains.permute(2, 0, 1) / LN10)


def _of(relation: Tensor | None, heads: slice) -> Tensor | None:
    return None if relation is None else relation[heads]


@dataclass(frozen=True, slots=True, eq=False)
class HeadSums:
    """What the rows of some heads come to; dW_Q in units of exp(keyed_most), dW_K in those of exp(log_most)."""

    p_m: Float[Tensor, "h n a"]
    entropy: Float[Tensor, "h n a"]
    trace: Float[Tensor, "h n a"]
    frobenius: Float[Tensor, "h n a"]
    log_size: Float[Tensor, "h n a"]
    log_gains: Float[Tensor, "h n a"]
    log_most: Float[Tensor, "h a"]
    keyed_size: Float[Tensor, "h n a"]
    keyed_most: Float[Tensor, "h a"]
    signal: Float[Tensor, "h a"]
    noise: Float[Tensor, "h a"]
    d_W_K: Float[Tensor, "h a"]
    d_W_V: Float[Tensor, "h a"]


def _sums(
    rows: Rows, x: TokenRows, q: Tensor, k: Tensor, v: Tensor, d_context: Tensor, same_value: Tensor | None
) -> HeadSums:
    passed = row_slopes(rows, over_keys(d_context, v.mT), same_value)
    d_scores, by_key = passed.d_scores, passed.by_key
    signal, noise = signal_and_noise(x, by_key.unit, k)
    return HeadSums(
        p_m=rows.p_m,
        entropy=rows.entropy,
        trace=rows.trace,
        frobenius=rows.frobenius,
        log_size=d_scores.log_size,
        log_gains=passed.log_gains,
        log_most=d_scores.log_most,
        keyed_size=by_key.log_size,
        keyed_most=by_key.log_most,
        signal=signal,
        noise=noise,
        d_W_K=square(over_queries(q, d_scores.unit) @ x.apart).sqrt(),
        d_W_V=square(_d_values(rows.weights(), d_context) @ x.x).sqrt(),
    )


def _d_values(p: Float[Tensor, "h n a k"], d_context: Float[Tensor, "h n #a d_v"]) -> Float[Tensor, "h d_v a k"]:
    """(PᵀdC)ᵀ for each f."""
    if d_context.shape[2] == 1:
        return over_queries(d_context[:, :, 0], p)
    return torch.einsum("hnav,hnak->hvak", d_context, p)


def _measures(
    sums: HeadSums, s: Float[Tensor, "h n n"], f: Float[Tensor, " a"], lengths: Float[Tensor, " h"]
) -> Measures:
    """`lengths`: of the keys of a head, squared, times the largest of a token."""
    n = s.shape[-1]
    ordered = sums.log_gains.sort(dim=1).values
    # Between tokens that are all the same there is no gradient; what rounding makes of it is no signal.
    sizes = (2 * (sums.keyed_size - sums.keyed_most[:, None])).exp().sum(dim=1) * lengths[:, None]
    real = sums.signal / n + sums.noise * n > (torch.finfo(s.dtype).eps * n) ** 2 * sizes
    unit, keyed = (most / LN10 + f.log10() for most in (sums.log_most, sums.keyed_most))
    by_head = Measures(
        score_std=s.std(dim=(-2, -1), correction=0)[:, None] * f,
        peak=sums.p_m.mean(dim=1),
        entropy=sums.entropy.mean(dim=1),
        support=sums.entropy.exp().mean(dim=1),
        trace=sums.trace.mean(dim=1),
        frobenius=sums.frobenius.mean(dim=1),
        log_gain_low=_quantile(ordered, 0.1) / LN10,
        log_gain=_quantile(ordered, 0.5) / LN10,
        log_gain_high=_quantile(ordered, 0.9) / LN10,
        gain_mean=sums.log_gains.exp().mean(dim=1),
        dead=(sums.log_gains < math.log(DEAD)).to(s.dtype).mean(dim=1),
        log_d_scores=(2 * sums.log_size).logsumexp(dim=1) / (2 * LN10),
        log_d_W_Q=sums.signal.sqrt().log10() + keyed,
        log_d_W_K=sums.d_W_K.log10() + unit,
        log_d_W_V=sums.d_W_V.log10(),
        snr=torch.where(real, (sums.signal / n**2 / sums.noise).sqrt(), 0.0),
    )
    return Measures(*(getattr(by_head, name).mT for name in MEASURE_NAMES))


def _quantile(ordered: Float[Tensor, "h n a"], share: float) -> Float[Tensor, "h a"]:
    """The element at that place of sorted rows, between two of them their mean (−∞ stays −∞)."""
    place = share * (ordered.shape[1] - 1)
    low, high = ordered[:, math.floor(place)], ordered[:, math.ceil(place)]
    return torch.where(low.isneginf(), low, low + (place - math.floor(place)) * (high - low))
