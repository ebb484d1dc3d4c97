"""One row of softmax → the films and pictures of the Softmax page, and its formulas with numbers put in. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.softmax import (
    ROUNDINGS,
    central_differences,
    complement,
    eigenvalues,
    entropy,
    first_favourite,
    first_gap,
    frobenius,
    jacobian,
    row_of_two,
    spectral,
    trace,
    two_to_one,
)
from ui.components.lab import (
    UNDERFLOW,
    Bars,
    Controls,
    Curves,
    Film,
    Item,
    Jacobian,
    Line,
    Map,
    Plot,
    Readouts,
    Scaled,
    Slider,
    Softmax,
)
from ui.numbers import SUPERSCRIPTS, significant
from ui.text import Words

# The article's row [a, a, 2a]. Below 40 the stops are fine; there torch's y₃ becomes 1, and only its logarithm goes on.
A_STOPS = (*(step / 10 for step in range(401)), *(float(a) for a in range(41, 101)))
A_TICKS = (0, 1, 5, 10, 20, 30, 40, 60, 80, 100)
PRINTED = {1: "0.5761168847658291", 10: "0.9999092083843412", 100: "1.0"}  # a → y₃, quoted from the article

# The reader's row. Sixteenths times five bits: (x + c)·β is exact in float32, so adding c moves nothing, not one bit.
STEP = 1 / 16
LOW, HIGH = -5.0, 5.0
LEAST, MOST = 2, 16  # components
BETAS = (0.0, *((1 + k / 16) * 2.0**octave for octave in range(-3, 5) for k in range(16)), 32.0)
BETA_PLACES = (-3.5, *(math.log2(beta) for beta in BETAS[1:]))  # of curves: logarithmic, 0 just left of the least
BETA_TICKS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SHIFTS = tuple(float(c) for c in range(-100, 101))
H_STOPS = tuple(10 ** (-k / 8) for k in range(97))  # 1 … 10⁻¹², steps of finite differences
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32, "fp64": torch.float64}
HUES = {"fp16": "#CC79A7", "bf16": "k", "fp32": "q", "fp64": "v"}
GAP_TICKS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
GAPS = tuple(sorted({*GAP_TICKS, *(float(f"{0.5 * 2 ** (k / 32):.4g}") for k in range(353))}))  # 0.5 … 1024
SUBTRACTED = (True, False)
CELL = "∂y{number} / ∂z{key_number} = {value}"  # what is told of a cell of a Jacobian

MEASURES = ("peak", "log_rest", "entropy", "support", "log_trace", "log_frobenius", "log_spectral")
READ = MEASURES
ALSO = ("log_gershgorin", "log_gershgorin_low", "null")
FADING = {"log_trace": "v", "log_frobenius": "q", "log_spectral": "k"}


def measures(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch measures"]:
    """MEASURES of each row, small ones as log₁₀."""
    nats = entropy(p)
    found = {
        "peak": p.amax(dim=-1),
        "log_rest": complement(p).amin(dim=-1).log10(),
        "entropy": nats,
        "support": nats.exp(),
        "log_trace": trace(p).log10(),
        "log_frobenius": frobenius(p).log10(),
        "log_spectral": spectral(p).log10(),
    }
    return torch.stack([found[name] for name in MEASURES], dim=-1)


# --- the article's row -------------------------------------------------------------------------------------------


def article_slider(at: int, page: Words) -> Slider:
    """The slider for a."""
    ticks = tuple((A_STOPS.index(a), str(a)) for a in A_TICKS)
    return Slider(
        name="a", label="a", readings=tuple(map(significant, A_STOPS)), at=at, ticks=ticks, help=page["a_help"]
    )


def article_films() -> list[Film]:
    """The row [a, a, 2a], y₃ and 1 − y₃, and the measures, at every a."""
    a = torch.tensor(A_STOPS, dtype=torch.float64)
    y, rest = two_to_one(a)
    rows = a[:, None] * torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)
    numbers = measures(torch.softmax(rows, dim=-1))
    columns = torch.cat([torch.stack([y, rest.log10(), (rest / 2).log10()], dim=-1), numbers], dim=-1)
    return [Film("row", rows.numpy(), ("a",)), Film("article", columns.numpy(), ("a",))]


def article_computed() -> list[Softmax]:
    """y, in the browser."""
    return [Softmax(name="y", scores="row", cols=3, size=3)]


def article_plots(page: Words) -> list[Plot]:
    """The slider and numbers, the row and its softmax, y₃ on a linear axis, 1 − y₃ on a logarithmic one."""
    own = (
        Item(label=page["y3"], start=0),
        Item(label=page["rest3"], start=1, log=True),
        Item(label=page["y1"], start=2, log=True),
    )
    wanted = ("entropy", "support", "log_trace", "log_frobenius", "log_spectral")
    marks = tuple(sorted((softmax_is_one(name), name) for name in DTYPES))
    return [
        Controls(name="controls_a", stack="left", span=3, sliders=("a",)),
        Readouts(name="numbers_a", stack="left", title=page["at_a"], film="article",
                 items=(*own, *(_item(name, len(own), page) for name in wanted))),
        Bars(name="row", stack="middle", span=4, height=200, film="row", count=3, names=("a", "a", "2a"), hue="ink",
             fit=True, digits=4, title=page["row"], note=page["row_note"]),
        Bars(name="y", stack="middle", height=240, film="y", count=3, names=("1", "2", "3"), hue="q",
             digits=4, title=page["y"], note=page["y_note"]),
        Curves(name="linear", stack="right", span=5, height=190, film="article", along="a", low=0.0, high=1.0,
               lines=(Line(start=0, hue="q"),), title=page["linear"], note=page["linear_note"], places=A_STOPS),
        Curves(name="logarithm", stack="right", height=270, film="article", along="a", logs=True, low=-45.0, high=0.0,
               lines=(Line(start=1, hue="q"),), title=page["logarithm"], note=page["logarithm_note"], places=A_STOPS,
               marks=marks),
    ]  # fmt: skip


@cache
def softmax_is_one(dtype: str) -> float:
    """From which a on y₃ is exactly 1 in this dtype."""
    return first_favourite(DTYPES[dtype])


@dataclass(frozen=True, slots=True)
class Printed:
    """One value of the article beside the true one, torch's, and the article's own expression evaluated here."""

    a: int
    printed: str
    true: str
    torch: str
    written: str


def printed_values(digits: int = 24) -> list[Printed]:
    """The article's three values. The true ones are computed with `digits` + 30 decimal digits."""
    found = []
    for a, printed in PRINTED.items():
        with localcontext(prec=digits + 60):
            rest = 2 / (2 + Decimal(a).exp())
            true = f"{1 - rest:.{digits}f}" if rest > Decimal(10) ** -digits else f"1 − {significant(float(rest))}"
        row = torch.tensor([a, a, 2 * a], dtype=torch.float64)
        written = math.exp(2 * a) / (math.exp(a) + math.exp(a) + math.exp(2 * a))
        found.append(Printed(a, printed, true, repr(float(torch.softmax(row, dim=-1)[2])), repr(written)))
    return found


# --- the reader's row --------------------------------------------------------------------------------------------


def parsed_row(spelling: str, n: int) -> tuple[float, ...]:
    """ "0,0,1" → n scores, each on its step and within bounds; what cannot be read is 0."""
    values = [_score(part) for part in spelling.split(",")[:n]]
    return tuple(values + [0.0] * (n - len(values)))


def _score(part: str) -> float:
    try:
        value = float(part)
    except ValueError:
        return 0.0
    return round(max(LOW, min(HIGH, value)) / STEP) * STEP if math.isfinite(value) else 0.0


def row_sliders(beta: int, shift: int, page: Words) -> list[Slider]:
    """The scale β and the constant c."""
    return [
        Slider(
            name="beta",
            label=page["beta"],
            readings=tuple(map(significant, BETAS)),
            at=beta,
            ticks=tuple((BETAS.index(b), significant(b)) for b in BETA_TICKS),
            help=page["beta_help"],
        ),
        Slider(
            name="shift",
            label=page["shift"],
            readings=tuple(significant(c) for c in SHIFTS),
            at=shift,
            ticks=tuple((SHIFTS.index(c), significant(c)) for c in (-100.0, 0.0, 100.0)),
            help=page["shift_help"],
        ),
    ]


def row_films(x: Sequence[float]) -> list[Film]:
    """The scores, and torch's measures and eigenvalues of softmax(β·x) at every β. c does nothing: it is no axis."""
    scores = torch.tensor(x, dtype=torch.float64)
    p = torch.softmax(torch.tensor(BETAS, dtype=torch.float64)[:, None] * scores, dim=-1)
    matrices = jacobian(p)
    bound = p * complement(p)
    also = torch.stack(
        [
            (2 * bound.amax(dim=-1)).log10(),
            bound.amax(dim=-1).log10(),
            matrices.sum(dim=-1).abs().amax(dim=-1),
        ],
        dim=-1,
    )
    spectrum = eigenvalues(p).clamp(min=0.0)
    spectrum[..., -1] = 0.0  # exactly: J·1 = 0. What eigvalsh returns here is its rounding
    return [
        Film("x", scores.numpy(), ()),
        Film("beta", np.asarray(BETAS)[:, None], ("beta",)),
        Film("shift", np.asarray(SHIFTS, dtype=np.float32)[:, None], ("shift",)),
        Film("measures", torch.cat([measures(p), also], dim=-1).numpy(), ("beta",)),
        Film("sizes", (10.0 ** measures(p)).numpy(), ("beta",)),  # of the logarithms; the others are not drawn
        Film("eigenvalues", spectrum.numpy(), ("beta",)),
    ]


def row_computed(n: int) -> list[Scaled | Softmax | Jacobian]:
    """What follows a bar under the finger: what softmax receives, its answer, the Jacobian."""
    return [
        Scaled(name="received", scores="x", shift="shift", factor="beta", size=n),
        Softmax(name="p", scores="received", cols=n, size=n),
        Jacobian(name="jacobian", of="p", n=n),
    ]


def row_plots(films: Sequence[Film], n: int, pair: tuple[int, int], page: Words) -> list[Plot]:
    """Sliders and numbers; the bars from scores to probabilities; the Jacobian, its eigenvalues, and how it fades."""
    names = tuple(str(i + 1) for i in range(n))
    numbers = next(film.values for film in films if film.name == "measures")
    least = float(numbers[:, [MEASURES.index(name) for name in FADING]].min())
    items = (*(_item(name, 0, page) for name in READ), *(_item(name, len(MEASURES), page, ALSO) for name in ALSO))
    digits = 4
    taller = 60 if n > 7 else 0  # where numbers stand on end

    def fading(*, named: bool = True) -> tuple[Line, ...]:
        return tuple(
            Line(start=MEASURES.index(name), hue=hue, name=page[f"measure.{name}"] if named else "")
            for name, hue in FADING.items()
        )

    return [
        Controls(name="controls", stack="left", span=3, sliders=("beta", "shift")),
        Readouts(name="readouts", stack="left", title=page["readouts"], film="measures", items=items),
        Bars(name="scores", stack="middle", span=5, height=200 + taller, film="x", count=n, names=names, hue="ink",
             low=LOW, high=HIGH, editable=True, step=STEP, digits=digits, title=page["scores"],
             note=page["scores_note"]),
        Bars(name="received", stack="middle", height=150 + taller, film="received", count=n, hue="quiet", fit=True,
             digits=digits, title=page["received"], note=page["received_note"]),
        Bars(name="p", stack="middle", height=200 + taller, film="p", count=n, names=names, hue="q", digits=digits,
             marked=pair[0], title=page["p"], note=page["p_note"]),
        Map(name="jacobian", stack="right", span=4, height=340, film="jacobian", rows=n, cols=n, names=names,
            marked=pair[0], scale="signed", low=-0.25, high=0.25, root=True, ruled=True, says=CELL,
            title=page["jacobian"], note=page["jacobian_note"]),
        Bars(name="eigenvalues", stack="right", height=196 + taller, film="eigenvalues", count=n, names=names, hue="v",
             high=0.5, digits=digits, title=page["eigenvalues"], note=page["eigenvalues_note"]),
        Curves(name="size", span=6, height=210, film="sizes", along="beta", places=BETA_PLACES, low=0.0, high=1.0,
               lines=fading(), title=page["size"], note=page["fading_note"]),
        Curves(name="fading", span=6, height=210, film="measures", along="beta", places=BETA_PLACES, logs=True,
               low=float(min(-3, math.floor(least))), high=0.0, lines=fading(named=False), title=page["fading"]),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cases:
    """The derivative at (i, j), line by line, as TeX: general, then with the reader's numbers."""

    same: str
    same_here: str
    other: str
    other_here: str


def cases(x: Sequence[float], beta: float, shift: float, pair: tuple[int, int]) -> Cases:
    """Both cases. Numbers are e^(z − max z), which leaves every quotient as it is and overflows nowhere."""
    z = beta * (torch.tensor(x, dtype=torch.float64) + shift)
    powers = torch.exp(z - z.max())
    p, rest = torch.softmax(z, dim=-1), complement(torch.softmax(z, dim=-1))
    i, j = pair
    total = _tex(powers.sum())
    others = _tex(rest[i] * powers.sum())
    a, b = f"z_{{{i + 1}}}", f"z_{{{j + 1}}}"
    u, v = f"y_{{{i + 1}}}", f"y_{{{j + 1}}}"
    return Cases(
        same=rf"\frac{{\partial {u}}}{{\partial {a}}}=\frac{{e^{{{a}}}\,\Sigma-e^{{{a}}}e^{{{a}}}}}{{\Sigma^2}}"
        rf"=\frac{{e^{{{a}}}}}{{\Sigma}}\cdot\frac{{\Sigma-e^{{{a}}}}}{{\Sigma}}={u}\,(1-{u})",
        same_here=rf"=\frac{{{_tex(powers[i])}}}{{{total}}}\cdot\frac{{{others}}}{{{total}}}"
        rf"={_tex(p[i])}\cdot{_tex(rest[i])}=\mathbf{{{_tex(p[i] * rest[i])}}}",
        other=rf"\frac{{\partial {u}}}{{\partial {b}}}=\frac{{0\cdot\Sigma-e^{{{a}}}e^{{{b}}}}}{{\Sigma^2}}"
        rf"=-\frac{{e^{{{a}}}}}{{\Sigma}}\cdot\frac{{e^{{{b}}}}}{{\Sigma}}=-{u}\,{v}",
        other_here=rf"=-\frac{{{_tex(powers[i])}}}{{{total}}}\cdot\frac{{{_tex(powers[j])}}}{{{total}}}"
        rf"=-{_tex(p[i])}\cdot{_tex(p[j])}=\mathbf{{{_tex(-p[i] * p[j])}}}",
    )


def _tex(value: Tensor) -> str:
    """4 significant digits as TeX."""
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
    text = re.sub("·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: rf"\cdot10^{{{found[1]}}}", significant(float(value)))
    return text.translate(digits)


# --- three ways to the same matrix -------------------------------------------------------------------------------


def h_slider(at: int, page: Words) -> Slider:
    """The step of the finite differences."""
    ticks = tuple((8 * k, f"10{str(-k).translate(SUPERSCRIPTS)}" if k else "1") for k in range(0, 13, 3))
    return Slider(
        name="h", label=page["h"], readings=tuple(map(significant, H_STOPS)), at=at, ticks=ticks, help=page["h_help"]
    )


def by_autograd(z: Float[Tensor, " n"]) -> Float[Tensor, "n n"]:
    """torch's own Jacobian of torch's own softmax."""
    found = torch.autograd.functional.jacobian(lambda scores: torch.softmax(scores, dim=-1), z)
    assert isinstance(found, Tensor)
    return found


def check_films(x: Sequence[float], beta: float) -> list[Film]:
    """The formula, autograd, and central differences at every h; how far each is from the formula, at most."""
    z = beta * torch.tensor(x, dtype=torch.float64)
    formula, theirs = jacobian(torch.softmax(z, dim=-1)), by_autograd(z)
    differences = torch.stack([central_differences(z, h) for h in H_STOPS])
    errors = (differences - formula).abs().amax(dim=(1, 2))
    away = (formula - theirs).abs().max().expand(len(H_STOPS))
    numbers = torch.stack([errors.log10(), away, errors], dim=-1)  # where softmax moves by less than it rounds: −∞
    return [
        Film("formula", formula.flatten().numpy()),
        Film("autograd", theirs.flatten().numpy()),
        Film("differences", differences.flatten(1).numpy(), ("h",)),
        Film("errors", numbers.numpy(), ("h",)),
    ]


def check_plots(n: int, page: Words) -> list[Plot]:
    """Three matrices side by side, and the error of the differences against h."""
    names = tuple(str(i + 1) for i in range(n))
    maps = [
        Map(name=name, span=2, narrow=2, height=236, film=name, rows=n, cols=n, names=names, scale="signed", low=-0.25,
            high=0.25, root=True, ruled=True, says=CELL, title=page[f"check.{name}"])
        for name in ("formula", "autograd", "differences")
    ]  # fmt: skip
    return [
        Controls(name="controls_h", stack="left", span=3, sliders=("h",)),
        Readouts(
            name="errors",
            stack="left",
            title=page["check.errors"],
            film="errors",
            items=(Item(label=page["check.autograd"], start=1), Item(label=page["check.differences"], start=2)),
        ),
        *maps,
        Curves(
            name="error", span=3, height=236, film="errors", along="h", logs=True, low=-17.0, high=0.0,
            lines=(Line(start=0, hue="k"),), title=page["check.error"],
        ),
    ]  # fmt: skip


# --- what a dtype keeps ------------------------------------------------------------------------------------------


def precision_sliders(gap: int, subtracted: int, page: Words) -> list[Slider]:
    """The gap between two scores, and whether the larger is subtracted."""
    return [
        Slider(
            name="gap",
            label=page["gap"],
            readings=tuple(significant(g) for g in GAPS),
            at=gap,
            ticks=tuple((GAPS.index(tick), significant(tick)) for tick in GAP_TICKS),
            help=page["gap_help"],
        ),
        Slider(
            name="subtracted",
            label=page["subtracted"],
            readings=tuple(page[f"subtract.{name}"] for name in ("on", "off")),
            at=subtracted,
            kind="switch",
            help=page["subtracted_help"],
        ),
    ]


@cache
def precision_films() -> tuple[Film, ...]:
    """Per dtype log₁₀ of |∂p₁/∂x₁| and of p₂, really computed in it; then both without rounding. NaN stays NaN."""
    gaps = torch.tensor(GAPS, dtype=torch.float64)
    small = -gaps - torch.log1p(torch.exp(-gaps))  # ln p₂
    exact = torch.stack([small - torch.log1p(torch.exp(-gaps)), small]) / math.log(10)
    switched = []
    for subtract_max in SUBTRACTED:
        found = []
        for dtype in DTYPES.values():
            p, slope = row_of_two(gaps, dtype, subtract_max=subtract_max)
            found += [slope[:, 0].double().abs().log10(), _log10(p)]
        switched.append(torch.stack([*found, *exact], dim=-1))
    return (Film("precision", torch.stack(switched).numpy(), ("subtracted", "gap")),)


def _log10(p: Float[Tensor, "gaps 2"]) -> Float[Tensor, " gaps"]:
    """log₁₀ of the second, NaN where the row is lost: ∞/∞ leaves 0 beside a NaN."""
    return torch.where(p[:, 0].isnan(), torch.nan, p[:, 1].double()).log10()


def precision_plots(page: Words) -> list[Plot]:
    """The winner's derivative and the loser's probability against the gap, in four dtypes and without rounding."""

    places = tuple(map(math.log2, GAPS))

    def lines(first: int) -> tuple[Line, ...]:
        exact = Line(start=2 * len(DTYPES) + first, hue="ink", name=page["exact"], dash=True)
        own = (Line(start=2 * i + first, hue=HUES[name], name=name) for i, name in enumerate(DTYPES))
        return (exact, *reversed(tuple(own)))  # the coarsest on top: a line is seen to where it dies

    def items(first: int) -> tuple[Item, ...]:
        names = (*DTYPES, page["exact"])
        return tuple(Item(label=name, start=2 * i + first, log=True, lost=False) for i, name in enumerate(names))

    return [
        Controls(name="controls_gap", stack="left", span=3, sliders=("gap", "subtracted")),
        Readouts(name="winner_numbers", stack="left", title=page["winner"], film="precision", items=items(0)),
        Readouts(name="loser_numbers", stack="left", title=page["loser"], film="precision", items=items(1)),
        Curves(
            name="winner", span=5, height=420, film="precision", along="gap", logs=True, low=UNDERFLOW, high=0.0,
            places=places, lines=lines(0), title=page["winner"], below=page["zero"],
        ),
        Curves(
            name="loser", span=4, height=420, film="precision", along="gap", logs=True, low=-450.0, high=0.0,
            places=places, lines=lines(1), title=page["loser"], below=page["zero"],
        ),
    ]  # fmt: skip


@cache
def thresholds() -> dict[str, tuple[float, ...]]:
    """Per dtype: ε, then the least gap of each of the core's LOSSES. Measured, once a process."""
    return {
        name: (torch.finfo(dtype).eps, *(first_gap(loss, dtype) for loss in ROUNDINGS))
        for name, dtype in DTYPES.items()
    }


# --- shared ------------------------------------------------------------------------------------------------------


def _item(name: str, offset: int, page: Words, names: Sequence[str] = MEASURES) -> Item:
    return Item(
        label=page[f"measure.{name}"],
        start=offset + names.index(name),
        log=name.startswith("log_"),
        unit=page.get(f"unit.{name}", ""),
        help=page[f"help.{name}"],
    )


def arrays(x: Sequence[float], beta: float, shift: float) -> dict[str, np.ndarray]:
    """The reader's row, what softmax makes of it, its Jacobian, and the measures at every β."""
    scores = torch.tensor(x, dtype=torch.float64)
    p = torch.softmax(beta * (scores + shift), dim=-1)
    films = {film.name: film.values for film in row_films(x)}
    return {
        "x": scores.numpy(),
        "p": p.numpy(),
        "jacobian": jacobian(p).numpy(),
        "betas": np.asarray(BETAS),
        "measures": films["measures"],
        "eigenvalues": films["eigenvalues"],
    }


def snippet(x: Sequence[float], beta: float, shift: float) -> str:
    """A script that prints the numbers of this row."""
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
import torch

from attention_core.softmax import eigenvalues, entropy, frobenius, jacobian, spectral, trace

x = torch.tensor({list(x)!r}, dtype=torch.float64)
p = torch.softmax({beta!r} * (x + {shift!r}), dim=-1)
print("p", *p.tolist())
print("entropy", float(entropy(p)))
print("trace", float(trace(p)))
print("frobenius", float(frobenius(p)))
print("spectral", float(spectral(p)))
print("eigenvalues", *eigenvalues(p).tolist())
for row in jacobian(p).tolist():
    print("jacobian", *row)
"""
