"""One head of an untrained layer under every remedy → the films and pictures of the Remedies page. Pure.

While one slider moves the others stand still, so there is a film for each slider through the place where all stand.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8

from attention_core.remedies import REMEDIES, Remedy, qk_norm, remedied, softcap, ssmax, temperature
from attention_core.remedy_curves import COLUMNS, FREE, Axis, Comparison, Head, Place, spectra_of
from attention_core.saturation import D_K_STOPS, DEAD, INPUT_SCALES
from ui.components.lab import UNDERFLOW, Controls, Curves, Film, Fork, Grid, Item, Line, Map, Plot, Readouts, Slider
from ui.session import MAX_PROBED, PROBED
from ui.stops import d_k_slider, scale_slider
from ui.text import Words, words

AXES: tuple[Axis, ...] = ("d_k", "alpha", "n")
UNITS = ("entropy",)
# Curves: column, whether it is a logarithm, and the ends of its axis (None: the data's).
CURVES: tuple[tuple[str, bool, float, float | None], ...] = (
    ("log_gain", True, UNDERFLOW, 0.0),
    ("log_d_scores", True, UNDERFLOW, None),
    ("peak", False, 0.0, 1.0),
    ("entropy", False, 0.0, None),
)
CODES = 254  # levels of a weight in a thumbnail, by its root; 255 is no weight at all
BASELINE = "inverse_sqrt"


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


def remedies(settings: Settings = START) -> dict[str, Remedy]:
    """The table of the core, its learned numbers as the reader has set them."""
    return REMEDIES | {
        "temperature": temperature(settings["temperature"]),
        "qk_norm": qk_norm(settings["qk_norm"] or None),
        "softcap": softcap(settings["softcap"]),
        "ssmax": ssmax(settings["ssmax"]),
    }


def sliders(place: Place, n: int, page: Words) -> list[Slider]:
    """d_k, α, and how many of the n tokens."""
    at = place.at()
    shown = range(0, n - 1, max(1, math.ceil(n / 8)))
    return [
        d_k_slider(at["d_k"], page),
        scale_slider(at["alpha"], page),
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


def films(sweeps: Mapping[Axis, Comparison], place: Place, chosen: int) -> list[Film]:
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
    sweeps: Mapping[Axis, Comparison], tokens: Sequence[str], keys: Sequence[str], chosen: int, page: Words
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
            title=name, note=page["chosen_note"], says=words("canvas", page.language)["pair"],
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
    sweeps: Mapping[Axis, Comparison],
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
        height=240,
        film=f"table_{along}",
        along=along,
        logs=logs,
        low=low,
        high=high,
        title=page.data(f"against.{along}", measure=page[f"column.{column}"]),
        below=words("canvas", page.language)["underflow"] if low == UNDERFLOW else "",
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
        whole="n" if column == "dead" else 0,
    )


def row_sum_residual(weights: Float[np.ndarray, "remedy n n"], table: Mapping[str, Remedy]) -> float:
    """max |Σ_j w_ij − 1| over the remedies whose rows sum to 1."""
    held = [index for index, remedy in enumerate(table.values()) if remedy.normalizer not in FREE]
    there = ~np.isnan(weights[0, :, 0])
    return float(np.abs(weights[held][:, there][:, :, there].sum(axis=-1, dtype=np.float64) - 1).max())


def autograd_residual(
    head: Head, numbers: Float[np.ndarray, "remedy column"], table: Mapping[str, Remedy], place: Place
) -> float:
    """How far ‖∂L/∂scores‖ in `numbers`, of the closed forms, lies from autograd through `remedied`, at most.

    All remedies at this place, against the same loss. Autograd runs in float64.
    """
    d_k, alpha = D_K_STOPS[place.d_k], INPUT_SCALES[place.alpha]
    q, k = (alpha * vectors[: place.n, :d_k] for vectors in (head.q, head.k))
    worst = 0.0
    for remedy, ours in zip(table.values(), numbers[:, COLUMNS.index("log_d_scores")].tolist(), strict=True):
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


def snippet(text: str, seed: int, head: int, place: Place, settings: Settings, page: Words) -> str:
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

titles = {tuple(page[f"column.{name}"] for name in COLUMNS)!r}
print("remedy", *titles, sep="\\t")
for name, remedy in table.items():
    trace = remedied(remedy, q, k, v, d_model=d_model, spectra=Spectra(q=sigma_q, k=sigma_k))
    slopes = [torch.autograd.grad(trace.weights, trace.scaled_scores, seen, retain_graph=True)[0]
              for seen in (apart, d_weights)]
    gains = (slopes[0].norm(dim=-1) / apart.norm(dim=-1)).sort().values
    gain = (gains[(n - 1) // 2] * gains[n // 2]).sqrt()
    weights = trace.weights.detach()
    entropy = torch.special.entr(weights / weights.sum(dim=-1, keepdim=True)).sum(dim=-1)
    numbers = (weights.amax(dim=-1).mean(), entropy.mean(), gain, slopes[1].norm(), (gains < {DEAD}).double().mean(),
               weights.sum(dim=-1).mean())
    print(name, *map(float, numbers), sep="\\t")
"""
