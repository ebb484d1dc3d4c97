"""One head of an untrained layer under every remedy → the films and pictures of the Remedies page. Pure.

While one slider moves the others stand still, so there is a film for each slider through the place where all stand.
Everything is float64, and gradients keep their logarithm apart, so that a row may saturate as far as it likes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from attention_core import MultiHeadAttention
from attention_core.normalizers import NORMALIZERS
from attention_core.remedies import (
    REMEDIES,
    Remedy,
    Spectra,
    qk_norm,
    remedied,
    reparametrized,
    softcap,
    spectral_norm,
    ssmax,
    temperature,
)
from attention_core.saturation import D_K_STOPS, D_V, DEAD, INPUT_SCALES, N_HEAD, Probe
from attention_core.softmax import complement
from ui.components.lab import Controls, Curves, Film, Fork, Grid, Item, Line, Map, Plot, Readouts, Slider
from ui.numbers import significant
from ui.session import MAX_PROBED, PROBED
from ui.text import Words

Axis = Literal["d_k", "alpha", "n"]
AXES: tuple[Axis, ...] = ("d_k", "alpha", "n")
COLUMNS = ("peak", "entropy", "log_gain", "log_d_scores", "dead", "row_sum")
UNITS = ("entropy",)
# Curves: column, whether it is a logarithm, and the ends of its axis (None: the data's).
CURVES: tuple[tuple[str, bool, float, float | None], ...] = (
    ("log_gain", True, -12.0, 0.0),
    ("log_d_scores", True, -10.0, None),
    ("peak", False, 0.0, 1.0),
    ("entropy", False, 0.0, None),
)
FREE = ("softmax1", "sigmoid")  # normalizers whose rows sum to something else than 1
CODES = 254  # levels of a weight in a thumbnail, by its root; 255 is no weight at all
BASELINE = "inverse_sqrt"
SHOWN_D_K = (1, 4, 16, 64, 256, 1024)
SHOWN_SCALES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
LN10 = math.log(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """The number a remedy learns, here set by hand: its letter, its stops, and where it starts."""

    letter: str
    stops: tuple[float, ...]
    start: float


# QK-norm's 0 stands for g₀ of the number of keys.
PARAMETERS = {
    "temperature": Parameter(letter="T", stops=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0), start=1.0),
    "qk_norm": Parameter(letter="g", stops=(0.0, 1.0, 2.0, 5.0, 10.0, 20.0), start=0.0),
    "softcap": Parameter(letter="c", stops=(5.0, 10.0, 20.0, 30.0, 50.0, 100.0), start=50.0),
    "ssmax": Parameter(letter="s", stops=(0.1, 0.25, 0.43, 1.0, 2.0), start=0.43),
}
Settings = Mapping[str, float]
START: Settings = {key: parameter.start for key, parameter in PARAMETERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand: d_k and α as indices of their stops, n as a number of tokens."""

    d_k: int
    alpha: int
    n: int

    def at(self) -> dict[str, int]:
        """The indices of the three sliders."""
        return {"d_k": self.d_k, "alpha": self.alpha, "n": self.n - 2}


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One head at α = 1, in float64: its vectors, what it draws them with, and ∂L/∂weights, which no slider moves."""

    q: Float[Tensor, "n d_most"]
    k: Float[Tensor, "n d_most"]
    v: Float[Tensor, "n d_v"]
    W_Q: Float[Tensor, "d_model d_most"]
    W_K: Float[Tensor, "d_model d_most"]
    d_weights: Float[Tensor, "n n"]

    @property
    def d_model(self) -> int:
        return self.W_Q.shape[0]


def remedies(settings: Settings = START) -> dict[str, Remedy]:
    """The table of the core, its learned numbers as the reader has set them."""
    return REMEDIES | {
        "temperature": temperature(settings["temperature"]),
        "qk_norm": qk_norm(settings["qk_norm"] or None),
        "softcap": softcap(settings["softcap"]),
        "ssmax": ssmax(settings["ssmax"]),
    }


def head_of(probe: Probe, seed: int, head: int) -> Head:
    """One head of `untrained(x, seed)`."""
    W_Q, W_K = _projections(probe.x.shape[-1], seed)
    q, k, v = (vectors[head].double() for vectors in (probe.q, probe.k, probe.v))
    d_context = probe.direction.double() @ probe.W_O[head].double().mT
    return Head(q, k, v, W_Q[head].double(), W_K[head].double(), d_context @ v.mT)


@lru_cache(maxsize=2)
def _projections(d_model: int, seed: int) -> tuple[Tensor, Tensor]:
    """W_Q and W_K as `untrained` draws them: a probe keeps only what they made."""
    layer = MultiHeadAttention(d_model=d_model, n_head=N_HEAD, d_k=max(D_K_STOPS), d_v=D_V, seed=seed)
    return layer.W_Q.detach(), layer.W_K.detach()


def spectra_of(head: Head, d_k: int) -> Spectra:
    """σ(W_Q) and σ(W_K) of the first d_k columns."""
    sigma = spectral_norm(torch.stack([head.W_Q[:, :d_k], head.W_K[:, :d_k]]))
    return Spectra(q=sigma[0], k=sigma[1])


# Numbers --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Every remedy at every stop of one slider. NaN where a query or a key is not there."""

    weights: Float[np.ndarray, "stop remedy n n"]
    table: Float[np.ndarray, "stop remedy column"]


def sweep(head: Head, table: Mapping[str, Remedy], along: Axis, place: Place) -> Sweep:
    """All stops of one slider, the others where `place` has them; the smaller sentences of n are its first tokens."""
    n = len(head.q) if along == "n" else place.n
    lengths = torch.arange(2, n + 1) if along == "n" else torch.tensor([n])
    made: dict[object, Tensor] = {}
    found = []
    for remedy in table.values():
        kind = (remedy.prepare, remedy.needs_spectra)
        if kind not in made:
            made[kind] = _products(remedy, head, along, place)[:, :n, :n]
        d_ks = D_K_STOPS if along == "d_k" else (D_K_STOPS[place.d_k],)
        factors = [remedy.factor(d_k, head.d_model, length) for d_k in d_ks for length in lengths.tolist()]
        scaled = made[kind] * torch.tensor(factors, dtype=torch.float64)[:, None, None]
        found.append(answer(remedy, scaled, head.d_weights[:n, :n], lengths))
    weights = torch.stack([each for each, _ in found], dim=1)
    missing = len(head.q) - n
    weights = F.pad(weights, (0, missing, 0, missing), value=math.nan)
    columns = torch.stack([each for _, each in found], dim=1)
    return Sweep(weights.float().numpy(), columns.float().numpy())


def _products(remedy: Remedy, head: Head, along: Axis, place: Place) -> Float[Tensor, "stop n n"]:
    """q·k as the remedy prepares them, before any factor."""
    scales = INPUT_SCALES if along == "alpha" else (INPUT_SCALES[place.alpha],)
    alphas = torch.tensor(scales, dtype=torch.float64)[:, None, None]
    d_ks = D_K_STOPS if along == "d_k" else (D_K_STOPS[place.d_k],)
    return torch.cat([_product(remedy, head, d_k, alphas) for d_k in d_ks])


def _product(remedy: Remedy, head: Head, d_k: int, alphas: Float[Tensor, "a 1 1"]) -> Float[Tensor, "a n n"]:
    q, k = head.q[:, :d_k], head.k[:, :d_k]
    if remedy.needs_spectra:
        spectra = spectra_of(head, d_k)
        q, k = reparametrized(q, spectra.q), reparametrized(k, spectra.k)
    if remedy.prepare is None:
        return alphas.square() * (q @ k.mT)
    return remedy.prepare(alphas * q) @ remedy.prepare(alphas * k).mT


def answer(
    remedy: Remedy,
    scaled: Float[Tensor, "#stop n n"],
    d_weights: Float[Tensor, "n n"],
    lengths: Int[Tensor, " #stop"],
) -> tuple[Float[Tensor, "stop n n"], Float[Tensor, "stop column"]]:
    """Weights, and the columns of COLUMNS, of the first `lengths` tokens under one remedy, from its scaled scores.

    The gain of a row is ‖∂s‖/‖∂w‖ for the part of ∂w that tells keys apart (its mean over the row taken off, which
    softmax, sparsemax and entmax do not see anyway), so every remedy is asked to pass on the same thing.
    """
    stops = max(len(scaled), len(lengths))
    scaled, lengths = scaled.expand(stops, -1, -1), lengths.expand(stops)
    here = torch.arange(len(d_weights)) < lengths[:, None]
    permitted = here[:, None, :] & here[:, :, None]
    cap = remedy.softcap
    capped = scaled if cap is None else cap * torch.tanh(scaled / cap)
    bent = torch.zeros_like(scaled) if cap is None else -2 * _log_cosh(scaled / cap)
    logits = capped.masked_fill(~permitted, -math.inf).masked_fill(~here[:, :, None], 0.0)
    weights = NORMALIZERS[remedy.normalizer].apply(logits, permitted).masked_fill(~permitted, 0.0)

    told = d_weights.expand(permitted.shape).masked_fill(~permitted, 0.0)
    apart = (told - told.sum(dim=-1, keepdim=True) / lengths[:, None, None]).masked_fill(~permitted, 0.0)
    sizes = through(remedy.normalizer, logits, weights, apart, bent, lengths)
    gains = sizes - torch.linalg.vector_norm(apart, dim=-1).log()
    if remedy.normalizer in FREE:  # the only ones that see what all keys have in common
        sizes = through(remedy.normalizer, logits, weights, told, bent, lengths)

    gone = ~here
    count = lengths.to(scaled.dtype)
    columns = [
        weights.amax(dim=-1).sum(dim=-1) / count,
        _entropy(remedy.normalizer, logits, weights, lengths).masked_fill(gone, 0.0).sum(dim=-1) / count,
        _median(gains.masked_fill(gone, math.inf), lengths) / LN10,
        (2 * sizes.masked_fill(gone, -math.inf)).logsumexp(dim=-1) / (2 * LN10),
        (gains.masked_fill(gone, math.inf) < math.log(DEAD)).sum(dim=-1) / count,
        weights.sum(dim=(-2, -1)) / count,
    ]
    return weights.masked_fill(~permitted, math.nan), torch.stack(columns, dim=-1)


def through(
    normalizer: str,
    logits: Float[Tensor, "stop n n"],
    weights: Float[Tensor, "stop n n"],
    d_weights: Float[Tensor, "stop n n"],
    bent: Float[Tensor, "stop n n"],
    lengths: Int[Tensor, " stop"],
) -> Float[Tensor, "stop n"]:
    r"""ln ‖∂L/∂scores‖ of every row, from ∂L/∂weights, in closed form; −∞ only where nothing at all comes through.

    `bent` is ln of the slope of what bends the scores before the normalizer (the soft cap). Of a softmax row with
    largest weight p_m and runner-up r, $\partial s_j = r e_j(d_j - ru)$ and $\partial s_m = -p_m r u$, where
    e_j = p_j/r, u = Σ e_j d_j, and d is shifted to 0 at m: only r becomes small, and its logarithm is exact.
    """
    match normalizer:
        case "softmax" | "softmax1":
            if normalizer == "softmax1":  # one more key of score 0 and value 0
                logits, d_weights, bent = F.pad(logits, (0, 1)), F.pad(d_weights, (0, 1)), F.pad(bent, (0, 1))
            log_p = logits.log_softmax(dim=-1)
            (_, second), (winner, _) = (each.unbind(dim=-1) for each in log_p.topk(2, dim=-1))
            second, winner = second[..., None], winner[..., None]
            shifted = d_weights - d_weights.gather(-1, winner)
            e = (log_p - second).exp().scatter(-1, winner, 0.0)
            u = (e * shifted).sum(dim=-1, keepdim=True)
            slopes = e * (shifted - second.exp() * u)
            slopes = slopes.scatter(-1, winner, -log_p.gather(-1, winner).exp() * u)
            if normalizer == "softmax1":
                slopes, bent = slopes[..., :-1], bent[..., :-1]
            small = second[..., 0]
        case "sigmoid":
            biased = logits - lengths.to(logits.dtype).log()[:, None, None]
            log_slope = F.logsigmoid(biased) + F.logsigmoid(-biased)
            small = log_slope.amax(dim=-1)
            slopes = (log_slope - small[..., None]).exp() * d_weights
        case "sparsemax" | "entmax15":
            s = (weights > 0).to(weights.dtype) if normalizer == "sparsemax" else weights.sqrt()
            inside = s.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(s.dtype).tiny)
            slopes = s * (d_weights - (s * d_weights).sum(dim=-1, keepdim=True) / inside)
            # What sums to 0 over a single key is 0, not what rounding leaves of it.
            slopes = slopes.masked_fill((s > 0).sum(dim=-1, keepdim=True) < 2, 0.0)
            small = torch.zeros_like(slopes[..., 0])
        case _:
            raise ValueError(f"no gradient is known for {normalizer}")
    flattest = bent.amax(dim=-1, keepdim=True)
    slopes = slopes * (bent - flattest).exp()
    return small + flattest[..., 0] + torch.linalg.vector_norm(slopes, dim=-1).log()


def _log_cosh(x: Tensor) -> Tensor:
    return x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)


def _entropy(normalizer: str, logits: Tensor, weights: Tensor, lengths: Tensor) -> Tensor:
    """−Σ p ln p in nats of the shares p that the keys have of a row's weight."""
    if normalizer == "softmax1":
        shares = logits.softmax(dim=-1)
    elif normalizer == "sigmoid":
        shares = F.logsigmoid(logits - lengths.to(logits.dtype).log()[:, None, None]).softmax(dim=-1)
    else:
        shares = weights
    rest = complement(shares)
    logs = torch.where(rest < 0.5, torch.log1p(-rest), shares.log())  # ln of a share near 1, from what is left
    return -torch.where(shares > 0, shares * logs, 0.0).sum(dim=-1)


def _median(rows: Float[Tensor, "stop n"], lengths: Tensor) -> Float[Tensor, " stop"]:
    """The middle of the first `lengths` elements of each sorted row, between two of them their mean (−∞ stays −∞)."""
    ordered = rows.sort(dim=-1).values
    places = [((lengths - 1 + odd) // 2)[:, None] for odd in (0, 1)]
    low, high = (ordered.gather(-1, place)[:, 0] for place in places)
    return torch.where(low.isneginf(), low, (low + high) / 2)


# Films and pictures ---------------------------------------------------------------------------------------------------


def sliders(place: Place, n: int, page: Words) -> list[Slider]:
    """d_k, α, and how many of the n tokens."""
    at = place.at()
    shown = range(0, n - 1, max(1, math.ceil(n / 8)))
    return [
        Slider(
            name="d_k",
            label=page["d_k"],
            readings=tuple(map(str, D_K_STOPS)),
            at=at["d_k"],
            ticks=tuple((D_K_STOPS.index(d_k), str(d_k)) for d_k in SHOWN_D_K),
            help=page["d_k_help"],
        ),
        Slider(
            name="alpha",
            label=page["alpha"],
            readings=tuple(significant(alpha, 3) for alpha in INPUT_SCALES),
            at=at["alpha"],
            ticks=tuple((nearest(INPUT_SCALES, alpha), significant(alpha)) for alpha in SHOWN_SCALES),
            help=page["alpha_help"],
        ),
        Slider(
            name="n",
            label=page["n"],
            readings=tuple(map(str, range(2, n + 1))),
            at=at["n"],
            ticks=tuple((index, str(index + 2)) for index in shown),
            help=page["n_help"],
        ),
    ]


def coded(weights: Float[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """A byte a weight, by its root, so that small ones keep their shade; 255 stands for NaN."""
    roots = np.sqrt(np.clip(np.nan_to_num(weights), 0, 1)) * CODES
    return np.where(np.isnan(weights), CODES + 1, np.rint(roots)).astype(np.uint8)


def films(sweeps: Mapping[Axis, Sweep], place: Place, chosen: int) -> list[Film]:
    """Thumbnails as codes, the chosen remedy in full, and the table; each along every slider."""
    made = []
    for along, swept in sweeps.items():
        others = {name: index for name, index in place.at().items() if name != along}
        made += [
            Film(f"thumbs_{along}", coded(swept.weights), (along,), others, codes=CODES),
            Film(f"chosen_{along}", swept.weights[:, chosen], (along,), others),
            Film(f"table_{along}", swept.table, (along,), others),
        ]
    return made


def forks() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    return [Fork(name=name, films=tuple(f"{name}_{along}" for along in AXES)) for name in ("thumbs", "chosen", "table")]


def plots(
    sweeps: Mapping[Axis, Sweep], tokens: Sequence[str], keys: Sequence[str], chosen: int, page: Words
) -> list[Plot]:
    """Sliders and read-outs, the thumbnails, the chosen one; then the curves, a row of three for every measure."""
    n = len(tokens)
    titles = tuple(page[f"remedy.{key}.short"] for key in keys)
    name = page[f"remedy.{keys[chosen]}.name"]
    first: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=AXES),
        Readouts(
            name="readouts",
            stack="left",
            title=page.data("readouts", name=name),
            film="table",
            items=tuple(_item(column, chosen, page) for column in COLUMNS),
        ),
        Grid(
            name="thumbs", span=5, height=400, film="thumbs", count=len(keys), rows=n, cols=n, titles=titles,
            chosen=chosen, title=page["thumbs"], note=page["thumbs_note"],
        ),
        Map(
            name="chosen", span=4, height=400, film="chosen", rows=n, cols=n, names=tuple(tokens),
            title=name, note=page["chosen_note"],
        ),
    ]  # fmt: skip
    return first + [
        _curves(column, logs, low, high, along, sweeps, keys, titles, chosen, page)
        for column, logs, low, high in CURVES
        for along in AXES
    ]


def _curves(
    column: str,
    logs: bool,
    low: float,
    high: float | None,
    along: Axis,
    sweeps: Mapping[Axis, Sweep],
    keys: Sequence[str],
    titles: Sequence[str],
    chosen: int,
    page: Words,
) -> Curves:
    if high is None:
        top = max(float(each.table[..., COLUMNS.index(column)].max()) for each in sweeps.values())
        high = float(math.ceil(top)) if logs else math.ceil(2 * top) / 2
    lines = [
        Line(
            start=index * len(COLUMNS) + COLUMNS.index(column),
            hue="k" if index == chosen else "q" if key == BASELINE else "quiet",
            name=titles[index],
            pale=index != chosen and key != BASELINE,
        )
        for index, key in enumerate(keys)
    ]
    return Curves(
        name=f"{column}_{along}",
        span=4,
        height=230,
        film=f"table_{along}",
        along=along,
        logs=logs,
        low=low,
        high=high,
        title=page[f"column.{column}"],
        lines=tuple(sorted(lines, key=lambda line: (not line.pale, line.hue != "q"))),
        ends=True,
    )


def _item(column: str, chosen: int, page: Words) -> Item:
    return Item(
        label=page[f"column.{column}"],
        start=chosen * len(COLUMNS) + COLUMNS.index(column),
        log=column.startswith("log_"),
        unit=page["nats"] if column in UNITS else "",
        help=page[f"help.{column}"],
    )


def nearest(stops: Sequence[int] | Sequence[float], value: float) -> int:
    """The stop whose ratio to a positive value is closest to 1."""
    return min(range(len(stops)), key=lambda index: abs(math.log(stops[index] / value)))


# Trust and take-away --------------------------------------------------------------------------------------------------


def row_sum_residual(weights: Float[np.ndarray, "remedy n n"], table: Mapping[str, Remedy]) -> float:
    """max |Σ_j w_ij − 1| over the remedies whose rows sum to 1."""
    held = [index for index, remedy in enumerate(table.values()) if remedy.normalizer not in FREE]
    there = ~np.isnan(weights[0, :, 0])
    return float(np.abs(weights[held][:, there][:, :, there].sum(axis=-1, dtype=np.float64) - 1).max())


def autograd_residual(head: Head, table: Mapping[str, Remedy], place: Place) -> float:
    """How far ‖∂L/∂scores‖ of the closed forms lies from torch's autograd through `remedied`, relative to the largest.

    All remedies at this place, against the same loss.
    """
    swept = sweep(head, table, "alpha", place).table[place.alpha, :, COLUMNS.index("log_d_scores")]
    d_k, alpha = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha]
    q, k = (alpha * vectors[: place.n, :d_k] for vectors in (head.q, head.k))
    worst = 0.0
    for remedy, ours in zip(table.values(), swept.tolist(), strict=True):
        spectra = spectra_of(head, d_k) if remedy.needs_spectra else None
        trace = remedied(
            remedy, q.clone().requires_grad_(), k, head.v[: place.n], d_model=head.d_model, spectra=spectra
        )
        theirs = torch.autograd.grad(trace.weights, trace.scaled_scores, head.d_weights[: place.n, : place.n])[0]
        worst = max(worst, abs(float(torch.linalg.vector_norm(theirs)) - 10**ours))
    return worst


def sdpa_residual(head: Head, weights: Float[np.ndarray, "n n"], place: Place) -> float:
    """max |context − torch's own attention| under 1/√d_k."""
    d_k, alpha, n = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha], place.n
    q, k, v = (vectors[None, :n] for vectors in (alpha * head.q[:, :d_k], alpha * head.k[:, :d_k], head.v))
    theirs = F.scaled_dot_product_attention(q, k, v)[0]
    ours = torch.from_numpy(weights[:n, :n].astype(np.float64)) @ head.v[:n]
    return float((ours - theirs).abs().max())


def snippet(text: str, seed: int, head: int, place: Place, settings: Settings) -> str:
    """A script that prints the table at this place, its gradients by autograd."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core import MultiHeadAttention
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.remedies import REMEDIES, Spectra, qk_norm, remedied, softcap, spectral_norm, ssmax, temperature
from attention_core.saturation import D_V, N_HEAD, untrained

text, seed, head = {text!a}, {seed}, {head}
d_k, alpha, n = {D_K_STOPS[place.d_k]}, {INPUT_SCALES[place.alpha]!r}, {place.n}
table = REMEDIES | {{
    "temperature": temperature({settings["temperature"]!r}),
    "qk_norm": qk_norm({settings["qk_norm"] or None!r}),
    "softcap": softcap({settings["softcap"]!r}),
    "ssmax": ssmax({settings["ssmax"]!r}),
}}

layer = FromScratch({PROBED!r}, load_embedded())
probe = untrained(layer.embed(layer.tokenize(text))[:{MAX_PROBED}], seed)
d_model = probe.x.shape[-1]
drawn = MultiHeadAttention(d_model=d_model, n_head=N_HEAD, d_k=d_k, d_v=D_V, seed=seed)
sigma_q, sigma_k = (spectral_norm(W[head].detach().double()) for W in (drawn.W_Q, drawn.W_K))
q = (alpha * probe.q[head, :n, :d_k].double()).requires_grad_()
k, v = alpha * probe.k[head, :n, :d_k].double(), probe.v[head, :n].double()
d_weights = (probe.direction[:n] @ probe.W_O[head].mT).double() @ v.mT
apart = d_weights - d_weights.mean(dim=-1, keepdim=True)

print(f"{{'remedy':22s}}{{'peak':>12s}}{{'row sum':>12s}}{{'median gain':>14s}}{{'dL/dscores':>14s}}")
for name, remedy in table.items():
    trace = remedied(remedy, q, k, v, d_model=d_model, spectra=Spectra(q=sigma_q, k=sigma_k))
    slopes = [torch.autograd.grad(trace.weights, trace.scaled_scores, seen, retain_graph=True)[0]
              for seen in (apart, d_weights)]
    gains = (slopes[0].norm(dim=-1) / apart.norm(dim=-1)).sort().values
    gain = (gains[(n - 1) // 2] * gains[n // 2]).sqrt()
    peak, total = trace.weights.amax(dim=-1).mean(), trace.weights.sum(dim=-1).mean()
    print(f"{{name:22s}}{{peak:12.6f}}{{total:12.6f}}{{gain:14.4e}}{{slopes[1].norm():14.4e}}")
"""
