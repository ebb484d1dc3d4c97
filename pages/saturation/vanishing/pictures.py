"""Tables of saturation → the films and pictures of the Vanishing page. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Float

from attention_core import SCALINGS, attend, by, gradients
from attention_core.measures import entropy
from attention_core.saturation import (
    D_K_STOPS,
    DEAD,
    INPUT_SCALES,
    MEASURE_NAMES,
    SWEPT_RULES,
    Probe,
    Table,
    factors,
    sweep,
)
from attention_core.softmax import entropy_bound, expected_maximum
from ui.components.lab import (
    UNDERFLOW,
    Bars,
    Contour,
    Controls,
    Curves,
    Film,
    Grid,
    Heading,
    Histogram,
    Item,
    Jacobian,
    Line,
    Map,
    Phase,
    Plot,
    Readouts,
    Slider,
    Softmax,
)
from ui.figures.laws import Law
from ui.numbers import significant
from ui.palette import RULE_HUES
from ui.session import MAX_PROBED, PROBED, Question
from ui.stops import d_k_slider, scale_slider
from ui.text import Words, words

AXES = ("rule", "d_k", "alpha")
GAINS = (-12.0, 0.0)  # powers of ten on the axis of gains; what lies below is counted at its left end
BINS = 36
# Axes of the laws: every stop of both sliders lies on them, but for rows far deeper than a curve would show.
STDS, TRACES, NORMS = (1e-3, 1e5), (1e-12, 2.0), (1e-4, 1e6)
CELL = "∂p({name}) / ∂s({key_name}) = {value}"  # what is told of a cell of the Jacobian
# Curves: measure, whether it is a logarithm, and the ends of its axis (None: the data's). The first three lead.
LEADING = 3
CURVES: tuple[tuple[str, bool, float, float | None], ...] = (
    ("log_gain", True, UNDERFLOW, 0.0),
    ("dead", False, 0.0, 1.0),
    ("log_d_W_Q", True, UNDERFLOW, None),
    ("log_d_W_K", True, UNDERFLOW, None),
    ("log_d_W_V", True, -1.0, None),
    ("log_d_scores", True, UNDERFLOW, None),
    ("snr", False, 0.0, None),
    ("frobenius", False, 0.0, 0.5),
    ("peak", False, 0.0, 1.0),
    ("entropy", False, 0.0, None),
    ("support", False, 0.0, None),
    ("score_std", True, -2.0, None),
)
READ = ("score_std", "peak", "entropy", "support", "log_gain_low", "log_gain", "log_gain_high", "dead", "log_d_scores")
READ += ("log_d_W_Q", "log_d_W_K", "log_d_W_V", "snr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sliders stand, as indices, and what is looked at."""

    rule: int
    d_k: int
    alpha: int
    head: int
    query: int


def sliders(place: Place, page: Words) -> list[Slider]:
    """d_k, α and the rule."""
    return [
        d_k_slider(place.d_k, page),
        scale_slider(place.alpha, page),
        Slider(
            name="rule",
            label=page["rule"],
            readings=tuple(page[f"rules.{rule}"] for rule in SWEPT_RULES),
            at=place.rule,
            kind="switch",
            help=page["rule_help"],
        ),
    ]


def films(probe: Probe, own: Table, numbers: np.ndarray, place: Place) -> list[Film]:
    """The table of the reader's own seed, and the `summary` of the tables of all seeds."""
    scores = np.stack([probe.scores(d_k).numpy() for d_k in D_K_STOPS])
    factor = np.stack([np.reshape(factors(d_k), (len(SWEPT_RULES), -1)) for d_k in D_K_STOPS], axis=1)
    gains = own.log_gains[..., place.head, :].numpy()
    alone = np.full((*numbers.shape[:3], 1), (len(probe.x) - 1) ** -0.5, np.float32)  # the SNR of one row by itself
    return [
        Film("scores", scores, ("d_k",)),
        Film("factor", factor[..., None].astype(np.float32), AXES),
        Film("head", own.measures[..., place.head].numpy(), AXES),
        Film("row", gains[..., place.query : place.query + 1], AXES),
        Film("gains", histogram(own.log_gains.flatten(3).numpy()), AXES),
        Film("curves", np.concatenate([numbers, alone], axis=-1), AXES),
        *(Film(f"critical_{rule}", critical(own, index), ()) for index, rule in enumerate(SWEPT_RULES)),
    ]


def histogram(log_gains: Float[np.ndarray, "rule d_k alpha rows"]) -> Float[np.ndarray, "rule d_k alpha bins"]:
    """The share of rows per bin of GAINS; lower gains, 0 included, count in the first bin. NaN where none are known."""
    low, high = GAINS
    bins = np.clip((np.nan_to_num(log_gains, neginf=low) - low) / (high - low) * BINS, 0, BINS - 1).astype(int)
    place = np.arange(bins[..., 0].size)[:, None] * BINS + bins.reshape(-1, bins.shape[-1])
    counts = np.bincount(place.ravel(), minlength=bins[..., 0].size * BINS)
    shares = (counts.reshape(*bins.shape[:3], BINS) / bins.shape[-1]).astype(np.float32)
    return np.where(np.isnan(log_gains[..., :1]), np.float32(math.nan), shares)


def summary(tables: Sequence[Table]) -> Float[np.ndarray, "rule d_k alpha numbers"]:
    """Median, 10 % and 90 % quantile of every measure over all heads of all seeds, one measure after the other.

    The spread of the scores covers four decades, so it is drawn as its log₁₀ too.
    """
    together = torch.cat([table.measures for table in tables], dim=-1)
    together[..., MEASURE_NAMES.index("score_std"), :] = together[..., MEASURE_NAMES.index("score_std"), :].log10()
    ordered = np.sort(together.numpy(), axis=-1)  # torch takes thirty times as long
    last = ordered.shape[-1] - 1
    picked = ordered[..., [round(last * share) for share in (0.5, 0.1, 0.9)]]
    return picked.reshape(*picked.shape[:3], -1)


def critical(own: Table, rule: int) -> Float[np.ndarray, " d_k"]:
    r"""Per d_k the stop of α at which the spread of the scores reaches $\sqrt{2\ln n}$; NaN off the map."""
    wanted = math.sqrt(2 * math.log(own.log_gains.shape[-1]))
    spread = own.measures[rule, :, :, MEASURE_NAMES.index("score_std")].mean(dim=-1)
    places = np.full(len(D_K_STOPS), np.nan, dtype=np.float32)
    for row, values in enumerate(spread.tolist()):
        above = next((index for index, value in enumerate(values) if value >= wanted), None)
        if above:  # at stop 0 the line lies left of the map
            low, high = math.log(values[above - 1]), math.log(values[above])
            places[row] = above - 1 + (math.log(wanted) - low) / (high - low)
    return places


def plots(
    probe: Probe, numbers: np.ndarray, tokens: Sequence[str], place: Place, seeds: int, page: Words
) -> list[Plot]:
    """The pictures: weights and read-outs first, then where they stand among all stops, then the curves of `seeds`."""
    n = len(tokens)
    start = (place.head * n + place.query) * n
    token = {"number": place.query + 1, "token": tokens[place.query]}
    heads = tuple(page.data("head_title", number=head + 1) for head in range(probe.q.shape[0]))
    said = "curves_note" if seeds > 1 else "curves_first"
    first: list[Plot] = [
        Controls(name="controls", stack="left", span=3, sliders=("d_k", "alpha", "rule")),
        Readouts(
            name="readouts",
            stack="left",
            title=page.data("readouts", number=place.head + 1),
            film="head",
            items=tuple(_item(name, n, page) for name in READ),
        ),
        Readouts(
            name="row_gain",
            stack="left",
            film="row",
            items=(Item(label=page.data("row_gain", **token), start=0, log=True, help=page["help.log_gain"]),),
        ),
        Grid(
            name="heads", stack="middle", span=5, height=385, film="weights", count=len(heads), rows=n, cols=n,
            title=page["heads"], note=page["heads_note"], titles=heads, chosen=place.head,
        ),
        Bars(
            name="row", stack="middle", height=180, film="weights", start=start, count=n, names=tuple(tokens), hue="q",
            title=page.data("row", **token), note=page["row_note"],
        ),
        Map(
            name="weights", stack="right", span=4, height=320, film="weights", start=place.head * n * n, rows=n, cols=n,
            names=tuple(tokens), marked=place.query, says=words("canvas", page.language)["pair"],
            title=page.data("map", number=place.head + 1), note=page["map_note"],
        ),
        Map(
            name="jacobian", stack="right", height=240, film="jacobian", rows=n, cols=n, names=tuple(tokens),
            scale="signed", low=-0.25, high=0.25, root=True, ruled=True, says=CELL,
            title=page["jacobian"], note=page["jacobian_note"],
        ),
        Phase(
            name="phase", span=5, height=330, film="curves", x="alpha", y="d_k", start=_column("log_gain"),
            low=GAINS[0], high=GAINS[1], logs=True, title=page["phase"], note=page["phase_note"],
            lines=tuple(
                Contour(film=f"critical_{rule}", name="σ = √(2 ln n)", fixed={"rule": index})
                for index, rule in enumerate(SWEPT_RULES)
            ),
        ),
        Histogram(
            name="gains", span=7, height=330, film="gains", count=BINS, low=GAINS[0], high=GAINS[1],
            ticks=tuple((float(p), "≤ 10⁻¹²" if p == -12 else _power(p)) for p in range(-12, 1, 2)),
            axis=page.data("gains_axis", rows=len(heads) * n),
            mark=math.log10(DEAD), title=page["gains"], note=page["gains_note"],
        ),
        Heading(
            name="curves", span=12, title=page["curves"],
            legend=tuple((RULE_HUES[rule], page[f"rules.{rule}"]) for rule in SWEPT_RULES),
            note=page.data(said, heads=len(heads), seeds=seeds, head=place.head + 1),
        ),
    ]  # fmt: skip
    drawn = [[_curves(*curve, along, numbers, page) for curve in CURVES] for along in ("d_k", "alpha")]
    leading = [plot for row in drawn for plot in row[:LEADING]]
    rest = [plot for pair in zip(*(row[LEADING:] for row in drawn), strict=True) for plot in pair]
    return [*first, *leading, Heading(name="more", span=12, title=page["more"], fold=True), *rest]


def computed(n_head: int, n: int, place: Place) -> list[Softmax | Jacobian]:
    """What the browser computes under the finger: the weights of all heads, and the Jacobian of the row in focus."""
    return [
        Softmax(name="weights", scores="scores", factor="factor", cols=n, size=n_head * n * n),
        Jacobian(name="jacobian", of="weights", n=n, start=(place.head * n + place.query) * n),
    ]


def _curves(
    name: str, logs: bool, low: float, high: float | None, along: str, numbers: np.ndarray, page: Words
) -> Curves:
    column = _column(name)
    data = numbers[..., column : column + 3]
    if high is None:
        top = float(np.nanmax(data))
        high = float(math.ceil(max(top, low + 1))) if logs else _round_up(top)
    return Curves(
        name=f"{name}_{along}",
        span=4,
        height=220,
        film="curves",
        along=along,
        logs=logs,
        low=low,
        high=high,
        title=page.data(f"against.{along}", measure=page[f"measure.{name}"]),
        below=words("canvas", page.language)["underflow"] if low == UNDERFLOW else "",
        legend=False,
        lines=tuple(
            Line(
                start=column,
                hue=RULE_HUES[rule],
                name=page[f"rules.{rule}"],
                fixed={"rule": index},
                band=(column + 1, column + 2),
            )
            for index, rule in enumerate(SWEPT_RULES)
        )
        + ((Line(start=numbers.shape[-1], hue="quiet", name="1/√(n−1)", dash=True),) if name == "snr" else ()),
    )


def _item(name: str, rows: int, page: Words) -> Item:
    return Item(
        label=page[f"measure.{name}"],
        start=MEASURE_NAMES.index(name),
        log=name.startswith("log_"),
        unit=page.get(f"unit.{name}", ""),
        help=page[f"help.{name}"],
        whole=rows if name == "dead" else 0,
    )


def _column(name: str) -> int:
    """Where the median of a measure stands in a frame of `summary`."""
    return 3 * MEASURE_NAMES.index(name)


def _power(power: int) -> str:
    return significant(10.0**power) if power > -3 else f"10{significant(10.0**power)[4:]}"


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10, 20) if step * power >= value)


def autograd_residual(probe: Probe, rule: str, d_k: int, alpha: float) -> float | None:
    """How far ‖dW_Q‖ of the closed form lies from torch's autograd through `attend`, relatively, at most over the
    heads; None where autograd gives 0 for all of them. Both in float64.

    Autograd is handed ∂L/∂weights less its value at the largest weight. Softmax does not see the difference, and what
    autograd subtracts from 1 without it would be rounding.
    """
    factor = alpha**2 * SCALINGS[rule].factor(d_k)
    exact = replace(
        probe,
        **{field.name: getattr(probe, field.name).double() for field in fields(probe) if field.name != "target"},
    )
    q, k = (vectors[..., :d_k].clone().requires_grad_() for vectors in (exact.q, exact.k))
    trace = attend(q, k, exact.v, scaling=by(factor))
    weights = trace.weights.detach()
    output = torch.einsum("hnk,hkv,hvd->nd", weights, exact.v, exact.W_O)
    reach = torch.einsum("nad,hvd,hkv->hnk", exact.d_output(output[:, None]), exact.W_O, exact.v)
    reach = reach - reach.gather(-1, weights.argmax(dim=-1, keepdim=True))
    slopes = gradients((trace.weights * reach).sum(), trace)
    theirs = torch.linalg.matrix_norm(exact.x.mT @ slopes.q)
    ours = sweep(exact, d_k, [factor]).measures.log_d_W_Q[0]
    there = theirs > torch.finfo(theirs.dtype).tiny
    if not there.any():
        return None
    return float((10 ** (ours - theirs.log10())[there] - 1).abs().max())


def snippet(question: Question, rule: str, d_k: int, alpha: float, head: int, page: Words) -> str:
    """A script that prints the read-outs of this head, under the names they have on the page."""
    names = {page[f"measure.{name}"]: name for name in READ}
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from attention_core import SCALINGS
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.saturation import sweep, untrained

layer = FromScratch({PROBED!r}, load_embedded())
x = layer.embed(layer.tokenize({question.text!a}))[:{MAX_PROBED}]
probe = untrained(x, seed={question.seed}, target={question.target})
factor = {alpha!r} ** 2 * SCALINGS[{rule!r}].factor({d_k})
found = sweep(probe, {d_k}, [factor]).measures
for label, name in {names!r}.items():
    number = float(getattr(found, name)[0, {head}])
    if name.startswith("log_"):  # what was computed is log10; far below what a float holds it stays one
        number = 10**number if number > -300 else f"10^{{number:.4f}}"
    print(label, number, sep="\\t")
"""


def theory(probe: Probe, own: Table, place: Place, page: Words) -> tuple[Law, ...]:
    """Three laws over the measurements: the decay of tr J, the peak of ‖J‖, and the least entropy a row can have."""
    n = own.log_gains.shape[-1]
    spread, trace, frobenius = (
        own.measures[0, :, :, MEASURE_NAMES.index(name)].flatten().numpy()
        for name in ("score_std", "trace", "frobenius")
    )
    critical_std = math.sqrt(2 * math.log(n))
    sigma = np.geomspace(critical_std, STDS[1], 60)
    logits = factors(D_K_STOPS[place.d_k])[place.rule * len(INPUT_SCALES) + place.alpha] * probe.scores(
        D_K_STOPS[place.d_k]
    )
    norms = torch.linalg.vector_norm(logits - logits.mean(dim=-1, keepdim=True), dim=-1).flatten().numpy()
    entropies = entropy(logits.softmax(dim=-1)).flatten().numpy()
    reach = np.geomspace(*NORMS, 240)
    least = entropy_bound(torch.from_numpy(reach), n).numpy()
    shown = np.random.default_rng(0).permutation(spread.size)[:2000]  # enough to see the cloud
    return (
        Law(
            title=page["law.trace"], x_title=page["measure.score_std"], y_title="tr J", log_y=True,
            points=(spread[shown], trace[shown]), curve=(sigma, expected_maximum(n) / sigma), x=STDS, y=TRACES,
        ),
        Law(
            title=page["law.frobenius"], x_title=page["measure.score_std"], y_title="‖J‖",
            points=(spread[shown], frobenius[shown]), curve=_running_median(spread, frobenius),
            x=STDS, y=(0.0, 0.5), line=critical_std,
        ),
        Law(
            title=page["law.entropy"], x_title=page["law.norm"], y_title=page["measure.entropy"],
            points=(norms, entropies), curve=(reach, least), x=NORMS, y=(0.0, math.log(n) * 1.05),
        ),
    )  # fmt: skip


def _running_median(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The median of y in each tenth of a decade of x > 0."""
    x, y = x[x > 0], y[x > 0]
    bins = np.round(np.log10(x) * 10).astype(int)
    values = np.unique(bins)
    return 10 ** (values / 10), np.array([np.median(y[bins == value]) for value in values])
