"""What becomes of attention and of its gradient over head size d_k and input scale α: batched, in closed forms.

A row of logits f·s with f = α² c(d_k) keeps its largest key m and its runner-up for every f > 0. With
e_j = exp(f(s_j − s_runner-up)) for j ≠ m and w = exp(−f·gap), p_m = 1/(1 + w Σe) and p_j = w p_m e_j, and every
quantity is w p_m times sums of ordinary size: its logarithm is exact however far the row has saturated. Nothing of the
size of a weight matrix is made, since ‖XᵀAK‖²_F = tr(A KKᵀ Aᵀ XXᵀ). Layout of the large arrays: (head, query, f, key).
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
from attention_core.scalings import SCALINGS

D_K_STOPS = tuple(sorted({round(2 ** (i / 3)) for i in range(31)}))  # 1 … 1024, three to an octave
INPUT_SCALES = (0.1, *(float(f"{2 ** (k / 6):.4g}") for k in range(-19, 25)))  # … 16, six to an octave
RULES = ("none", "inverse_sqrt")  # of SCALINGS
N_HEAD, D_V = 12, 16
ELEMENTS = 2**18  # of the largest array: what still fits the cache of one core
DEAD = 1e-3  # a row whose gain is smaller passes on less than a thousandth of its gradient
LN10 = math.log(10)
# Powers of e that count beside 1, the runner-up's, in sums and products; below, float32's squares would be denormal,
# and those are slow.
LEAST = {torch.float32: -28.0, torch.float64: -700.0}


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

    def d_output(self, output: Float[Tensor, "*batch n a d_model"]) -> Float[Tensor, "*batch n #a d_model"]:
        """∂L/∂output, at each of the outputs on the axis before the last."""
        if self.target is None:
            return self.direction[:, None]
        readout = self.x * self.x.shape[-1] ** -0.5
        wrong = (output @ readout.mT).softmax(dim=-1)
        wrong[..., self.target] -= 1
        return wrong @ readout


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
    q, k, v = (project(x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
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


MEASURES = tuple(field.name for field in fields(Measures))


def factors(d_k: int, alphas: Sequence[float] = INPUT_SCALES) -> list[float]:
    """α² c(d_k) for every rule of RULES and, within it, every α."""
    return [alpha**2 * SCALINGS[rule].factor(d_k) for rule in RULES for alpha in alphas]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One probe at every stop: `measures` in the order of MEASURES, and log₁₀ of the gain of every row."""

    measures: Float[Tensor, "rule d_k alpha measure h"]
    log_gains: Float[Tensor, "rule d_k alpha h n"]

    def bytes(self) -> int:
        """Memory the table holds, in bytes."""
        return self.measures.nbytes + self.log_gains.nbytes


def tabulate(probe: Probe, workers: int = 1) -> Iterator[Sweep]:
    """The sweeps of a table in the order of d_k, so that whoever waits can be told how far it is.

    torch lets go of the interpreter, so a worker is a core. What is left is not begun when the iterator is closed.
    """
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
    (h, n), stops = probe.q.shape[:2], (len(RULES), len(D_K_STOPS), len(INPUT_SCALES))
    table = Table(*(probe.x.new_full((*stops, *size), math.nan) for size in ((len(MEASURES), h), (h, n))))
    for number, d_k in enumerate(D_K_STOPS):
        chosen = range(len(INPUT_SCALES)) if number == row else [column]
        found = sweep(probe, d_k, factors(d_k, [INPUT_SCALES[at] for at in chosen]))
        for whole, part in zip((table.measures, table.log_gains), _by_rule(found), strict=True):
            whole[:, number, list(chosen)] = part
    return table


def _by_rule(one: Sweep) -> tuple[Float[Tensor, "rule a measure h"], Float[Tensor, "rule a h n"]]:
    measures = torch.stack([getattr(one.measures, name) for name in MEASURES], dim=1)
    shape = (len(RULES), -1)
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
    s = probe.scores(d_k)
    many = max(1, ELEMENTS // s.numel())
    parts = [_sweep(probe, d_k, s, factors[start : start + many]) for start in range(0, len(factors), many)]
    joined = (torch.cat([getattr(part.measures, name) for part in parts]) for name in MEASURES)
    return Sweep(Measures(*joined), torch.cat([part.log_gains for part in parts]))


def _sweep(probe: Probe, d_k: int, s: Float[Tensor, "h n n"], factors: Sequence[float]) -> Sweep:
    n = s.shape[-1]
    f = torch.tensor(factors, dtype=s.dtype)[:, None]
    top, keys = s.topk(2, dim=-1)
    winner = keys[..., None, :1]  # h n 1 1
    gap = top[..., :1] - top[..., 1:]  # h n 1
    below = (s - top[..., 1:]).scatter(-1, keys[..., :1], 0.0)[:, :, None]  # h n 1 n, ≤ 0, the winner at 0

    e = torch.exp((below * f).clamp_(min=LEAST[s.dtype]))
    e.scatter_(-1, winner.expand(*e.shape[:3], 1), 0.0)
    z = e.sum(dim=-1)  # h n a
    log_w = -gap * f[:, 0]
    w = log_w.exp()
    p_m = 1 / (1 + w * z)
    rest = w * p_m  # h n a: what a unit of e is worth as a probability
    log_rest = log_w + p_m.log()
    spread = (e * below).sum(dim=-1)
    entropy = -p_m.log() + rest * f[:, 0] * (gap * z - spread)
    squares = e.square()
    s2, s3 = squares.sum(dim=-1), (squares * e).sum(dim=-1)
    trace = rest * z * (1 + p_m) - rest.square() * s2
    r2 = rest.square() * s2
    frobenius = rest * (p_m.square() * (z.square() + s2) + s2 * (1 + p_m.square() + r2) - 2 * rest * s3).sqrt()

    p = (e * rest[..., None]).scatter(-1, winner.expand(*e.shape[:3], 1), p_m[..., None])
    context = torch.einsum("hnak,hkv->hnav", p, probe.v) if probe.target is not None else probe.v[:, :, None]
    output = torch.einsum("hnav,hvd->nad", context, probe.W_O)
    d_context = torch.einsum("nad,hvd->hnav", probe.d_output(output), probe.W_O)
    dp = torch.einsum("hnav,hkv->hnak", d_context, probe.v)
    dp = dp - dp.gather(-1, winner.expand(*dp.shape[:3], 1))  # the Jacobian does not see a shift of the row
    size_dp = torch.linalg.vector_norm(dp - dp.mean(dim=-1, keepdim=True), dim=-1)

    u = (e * dp).sum(dim=-1)
    g = e * (dp - (rest * u)[..., None])
    g.scatter_(-1, winner.expand(*e.shape[:3], 1), -(p_m * u)[..., None])  # dS = rest · g
    log_size = log_rest + torch.linalg.vector_norm(g, dim=-1).log()
    log_gains = log_size - size_dp.log()  # h n a
    ordered = log_gains.sort(dim=1).values

    # The rows of a head on one scale: the largest at 1, so that squares do not underflow before the last one does.
    most = log_rest.amax(dim=1, keepdim=True)
    a = g * (log_rest - most).exp()[..., None]
    # A row of dS sums to 0, so it does not see what all keys have in common; g is the smaller for it, and more exact.
    k = probe.k[..., :d_k]
    k = k - k.mean(dim=1, keepdim=True)
    right = _times(a, k)
    d_W_Q, noise = _signal_and_noise(probe.x, a, right)
    d_W_K = (_times(a, probe.x.expand(len(s), -1, -1)) * _mixed(probe.q[..., :d_k], a)).sum(dim=(1, 3))
    d_W_V = (_times(p, probe.x.expand(len(s), -1, -1)) * _gram_mixed(d_context, p)).sum(dim=(1, 3))
    # Between tokens that are all the same there is no gradient; what rounding makes of it is no signal.
    sizes = (2 * (log_size - most)).exp().sum(dim=1) * probe.k[..., :d_k].square().sum(dim=(1, 2))[:, None]
    real = d_W_Q / n + noise * n > (torch.finfo(s.dtype).eps * n) ** 2 * probe.x.square().sum(dim=-1).max() * sizes
    return Sweep(
        Measures(
            score_std=(s.std(dim=(-2, -1), correction=0)[:, None] * f[:, 0]).mT,
            peak=p_m.mean(dim=1).mT,
            entropy=entropy.mean(dim=1).mT,
            support=entropy.exp().mean(dim=1).mT,
            trace=trace.mean(dim=1).mT,
            frobenius=frobenius.mean(dim=1).mT,
            log_gain_low=_quantile(ordered, 0.1).mT / LN10,
            log_gain=_quantile(ordered, 0.5).mT / LN10,
            log_gain_high=_quantile(ordered, 0.9).mT / LN10,
            gain_mean=log_gains.exp().mean(dim=1).mT,
            dead=(log_gains < math.log(DEAD)).to(s.dtype).mean(dim=1).mT,
            log_d_scores=(2 * log_size).logsumexp(dim=1).mT / (2 * LN10),
            log_d_W_Q=_log_norm(d_W_Q, most, f).mT,
            log_d_W_K=_log_norm(d_W_K, most, f).mT,
            log_d_W_V=d_W_V.clamp(min=0).sqrt().log10().mT,
            snr=torch.where(real, (d_W_Q.clamp(min=0) / n**2 / noise).sqrt(), 0.0).mT,
        ),
        (log_gains / LN10).permute(2, 0, 1),
    )


def _signal_and_noise(
    x: Float[Tensor, "n d_model"], a: Float[Tensor, "h n a k"], right: Float[Tensor, "h n a k"]
) -> tuple[Float[Tensor, "h a"], Float[Tensor, "h a"]]:
    r"""‖Σ g_i‖² and mean ‖g_i − mean g‖² of the parts g_i = x_i r_iᵀ, r = A K; `right` is A K Kᵀ.

    With x = x̄ + u and r = r̄ + v, g_i − mean g = x̄ v_iᵀ + u_i r_iᵀ − mean u rᵀ: what all parts have in common is gone
    before anything is squared, so that parts that are nearly the same still differ.
    """
    n, centre = len(x), x.mean(dim=0)
    u = x - centre
    own = (right * a).sum(dim=-1)  # h n a: ⟨r_i, r_i⟩
    apart = ((right - right.mean(dim=1, keepdim=True)) * a).sum(dim=-1)  # ⟨v_i, r_i⟩, and their sum is Σ ‖v_i‖²
    mixed = (_mixed(u, a) * right).sum(dim=(1, 3))  # ‖Σ u_i r_iᵀ‖²
    middle, along, lengths = centre.square().sum(), 2 * u @ centre, u.square().sum(dim=-1)
    shared = own - apart  # ⟨r̄, r_i⟩
    signal = mixed + n * torch.einsum("n,hna->ha", along + middle, shared)
    noise = torch.einsum("n,hna->ha", along + middle, apart) + torch.einsum("n,hna->ha", lengths, own) - mixed / n
    return signal, noise / n


def _times(a: Float[Tensor, "h n a k"], rows: Float[Tensor, "h k d"]) -> Float[Tensor, "h n a k"]:
    """A R Rᵀ for each f."""
    return (a.flatten(1, 2) @ (rows @ rows.mT)).unflatten(1, a.shape[1:3])


def _mixed(rows: Float[Tensor, "*#h n d"], a: Float[Tensor, "h n a k"]) -> Float[Tensor, "h n a k"]:
    """R Rᵀ A for each f."""
    return ((rows @ rows.mT) @ a.flatten(2)).unflatten(2, a.shape[2:])


def _gram_mixed(rows: Float[Tensor, "h n #a d"], a: Float[Tensor, "h n a k"]) -> Float[Tensor, "h n a k"]:
    """R Rᵀ A for each f, where R may differ from f to f."""
    if rows.shape[2] == 1:
        return _mixed(rows[:, :, 0], a)
    gram = torch.einsum("hnav,hmav->hanm", rows, rows)
    return torch.einsum("hanm,hmak->hnak", gram, a)


def _log_norm(square: Tensor, most: Tensor, f: Tensor) -> Tensor:
    return square.clamp(min=0).sqrt().log10() + most[:, 0] / LN10 + f[:, 0].log10()


def _quantile(ordered: Float[Tensor, "h n a"], share: float) -> Float[Tensor, "h a"]:
    """The element at that place of sorted rows, between two of them their mean (−∞ stays −∞)."""
    place = share * (ordered.shape[1] - 1)
    low, high = ordered[:, math.floor(place)], ordered[:, math.ceil(place)]
    return torch.where(low.isneginf(), low, low + (place - math.floor(place)) * (high - low))
