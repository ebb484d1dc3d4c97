"""One row of weights as a law to draw from → the films and pictures of the page on hard and soft attention. Pure.

What follows the temperature and what follows the samples is sent along each, through the place where the others stand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core import attend, hard, hard_sweeps
from attention_core.experiments.hard import bound, bound_gradient, log_likelihood
from attention_core.hard_sweeps import BASELINES
from attention_core.scalings import by
from ui.components.lab import Bars, Controls, Curves, Film, Fork, Item, Line, Plot, Readouts, Slider
from ui.mechanisms.untrained import Head, rebuilt
from ui.numbers import significant
from ui.text import Words

COUNTS = tuple(sorted({round(2 ** (k / 2)) for k in range(25)}))  # samples: 1 … 4096, two to an octave
DRAWS = 16  # sequences of samples to choose from
TEMPERATURES = (0.0, *(float(f"{2 ** (k / 3):.3g}") for k in range(-15, 16)))  # 0 is the arg max
SHOWN_COUNTS = (1, 4, 16, 64, 256, 1024)
SHOWN_TEMPERATURES = (0.0, 0.0625, 0.25, 1.0, 4.0, 16.0)

SAMPLED = ("error", "expected", "within", "chi", "free", "chance", "drawn")
EXACT = ("bound", "likelihood", "gap", "soft", "entropy", "distance")
ESTIMATED = ("off", "expected_off", "within_off")


class Samples(NamedTuple):
    """What N samples give, for every N: shares and means, and SAMPLED."""

    share: Float[Tensor, "*batch counts n"]
    last: Float[Tensor, "*batch counts n"]
    mean: Float[Tensor, "*batch counts d_v"]
    numbers: Float[Tensor, "*batch counts sampled"]


class Estimates(NamedTuple):
    """The score-function gradient from N samples under every baseline, and ESTIMATED."""

    gradient: Float[Tensor, "baselines *batch counts n"]
    numbers: Float[Tensor, "baselines *batch counts estimated"]


def uniform(seed: int) -> Float[Tensor, "draws samples"]:
    """The random numbers behind the samples of a seed: the same at every temperature."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(DRAWS, COUNTS[-1], generator=generator, dtype=torch.float64)


@dataclass(frozen=True)
class View:
    """What the reader looks at: a head, a query and the token to name (from 0), and where the sliders stand."""

    head: Head
    query: int
    target: int
    temperature: int
    count: int
    draw: int
    baseline: int

    @property
    def n(self) -> int:
        """Tokens."""
        return len(self.head.tokens)

    @property
    def at(self) -> dict[str, int]:
        """The sliders as indices of their stops."""
        return {"temperature": self.temperature, "count": self.count, "draw": self.draw, "baseline": self.baseline}

    @cached_property
    def alpha(self) -> Float[Tensor, "temperatures n"]:
        """Soft weights of the query at every temperature; at 0 the arg max."""
        return torch.stack([weights(self.head, self.query, each) for each in TEMPERATURES])

    @cached_property
    def ell(self) -> Float[Tensor, " n"]:
        """log p(y | s): how well the value of each token alone names the token asked for."""
        return naming(self.head.v, self.head.v, self.target)

    @cached_property
    def u(self) -> Float[Tensor, "draws samples"]:
        """Random numbers behind the samples."""
        return uniform(self.head.seed)

    @cached_property
    def choices(self) -> Int[Tensor, "draws samples"]:
        """Every sample of every draw, at the reader's temperature."""
        return hard_sweeps.drawn(self.alpha[self.temperature].expand(DRAWS, -1), self.u)

    @cached_property
    def cooled(self) -> Int[Tensor, "temperatures samples"]:
        """Every sample of the reader's draw, at every temperature."""
        return hard_sweeps.drawn(self.alpha, self.u[self.draw].expand(len(TEMPERATURES), -1))

    @cached_property
    def by_draw(self) -> Samples:
        """At the reader's temperature: every draw, every N."""
        return sampled(self.alpha[self.temperature].expand(DRAWS, -1), self.head.v, self.choices, COUNTS)

    @cached_property
    def by_temperature(self) -> Samples:
        """The reader's draw and N: every temperature."""
        return sampled(self.alpha, self.head.v, self.cooled, (COUNTS[self.count],))

    @cached_property
    def exact(self) -> Float[Tensor, "temperatures exact"]:
        """EXACT at every temperature."""
        alpha, ell = self.alpha, self.ell.expand_as(self.alpha)
        low, high = bound(ell, alpha), log_likelihood(ell, alpha)
        context = alpha @ self.head.v
        numbers = {
            "bound": low,
            "likelihood": high,
            "gap": high - low,
            "soft": naming(context, self.head.v, self.target),
            "entropy": torch.special.entr(alpha).sum(dim=-1),
            "distance": (alpha - alpha[0]).abs().amax(dim=-1),
        }
        return torch.stack([numbers[name] for name in EXACT], dim=-1)

    @cached_property
    def estimates(self) -> Estimates:
        """The gradient from samples, at the reader's temperature: every baseline, draw and N."""
        alpha = self.alpha[self.temperature]
        return estimated(alpha.expand(DRAWS, -1), self.ell, self.choices, COUNTS)


def weights(head: Head, query: int, temperature: float) -> Float[Tensor, " n"]:
    """softmax(q·K / (T √d_k)) of one query; at T = 0 the one-hot row of its best key."""
    q, scale = head.q[query : query + 1], head.q.shape[-1] ** -0.5
    if temperature == 0:
        return attend(q, head.k, head.v, normalize=hard).weights[0]
    return attend(q, head.k, head.v, scaling=by(scale / temperature)).weights[0]


def naming(context: Float[Tensor, "*batch d_v"], v: Float[Tensor, "n d_v"], target: int) -> Float[Tensor, "*batch"]:
    r"""$\log \mathrm{softmax}_j(c\cdot v_j/\sqrt{d_v})_y$: how well a context names token y of the sentence."""
    return (context @ v.mT * v.shape[-1] ** -0.5).log_softmax(dim=-1)[..., target]


def sampled(
    alpha: Float[Tensor, "*batch n"],
    v: Float[Tensor, "n d_v"],
    choices: Int[Tensor, "*batch samples"],
    counts: tuple[int, ...],
) -> Samples:
    r"""Shares and mean contexts of the first N samples, beside what is expected of them.

    A hard context is the value vector of one key, so the mean of N is share·V and its standard error per component is
    $\sqrt{\mathrm{Var}_\alpha(v)/N}$; the root of the summed variances is what ‖mean − soft‖ should be.
    """
    n = alpha.shape[-1]
    tally = hard_sweeps.tallies(choices, n, counts)
    size = torch.tensor(counts, dtype=torch.float64)[:, None]
    share = tally / size
    mean, soft = share @ v, (alpha @ v)[..., None, :]
    spread = (alpha @ v.square() - (alpha @ v).square()).clamp_min(0)[..., None, :] / size
    off = mean - soft
    chi, free, chance = hard_sweeps.chi_square(tally, alpha[..., None, :].expand_as(tally))
    last = choices[..., [count - 1 for count in counts]]
    numbers = {
        "error": off.square().sum(dim=-1).sqrt(),
        "expected": spread.sum(dim=-1).sqrt(),
        "within": (off.abs() <= 4 * spread.sqrt() + 1e-12).double().sum(dim=-1),
        "chi": chi,
        "free": free,
        "chance": chance,
        "drawn": last.double() + 1,
    }
    stacked = torch.stack([numbers[name] for name in SAMPLED], dim=-1)
    return Samples(share, F.one_hot(last, n).double(), mean, stacked)


def estimated(
    alpha: Float[Tensor, "*batch n"],
    ell: Float[Tensor, " n"],
    choices: Int[Tensor, "*batch samples"],
    counts: tuple[int, ...],
) -> Estimates:
    """The score-function gradient under every baseline, and how far from the exact one it is and should be."""
    gradient = hard_sweeps.estimates(alpha, ell, choices, counts)
    every = ell.expand_as(alpha)
    exact = bound_gradient(every, alpha)[..., None, :]
    size = torch.tensor(counts, dtype=torch.float64)
    one = hard_sweeps.variances(alpha, every).movedim(-1, 0)[..., None]  # baselines *batch 1
    off = (gradient - exact).square().sum(dim=-1).sqrt()
    expected = (one / size).sqrt()
    within = (off <= 4 * expected + 1e-12).double()
    return Estimates(gradient, torch.stack([off, expected.expand_as(off), within], dim=-1))


# --- sliders ---


def sample_sliders(view: View, page: Words) -> list[Slider]:
    """Temperature, how many samples, which draw."""
    at = view.at
    return [
        Slider(
            name="temperature", label=page["temperature"], at=at["temperature"],
            readings=tuple(significant(each, 3) if each else page["zero"] for each in TEMPERATURES),
            ticks=tuple((nearest(TEMPERATURES, each), significant(each)) for each in SHOWN_TEMPERATURES),
            help=page["temperature_help"],
        ),
        Slider(
            name="count", label=page["count"], readings=tuple(map(str, COUNTS)), at=at["count"],
            ticks=tuple((COUNTS.index(each), str(each)) for each in SHOWN_COUNTS), help=page["count_help"],
        ),
        Slider(
            name="draw", label=page["draw"], readings=tuple(str(index + 1) for index in range(DRAWS)), at=at["draw"],
            ticks=tuple((index, str(index + 1)) for index in range(0, DRAWS, 3)), help=page["draw_help"],
        ),
    ]  # fmt: skip


def gradient_sliders(view: View, page: Words) -> list[Slider]:
    """The same, and the baseline."""
    baseline = Slider(
        name="baseline", label=page["baseline"], readings=tuple(page[f"baselines.{name}"] for name in BASELINES),
        at=view.baseline, kind="switch", help=page["baseline_help"],
    )  # fmt: skip
    return [*sample_sliders(view, page), baseline]


def nearest(stops: Sequence[int] | Sequence[float], value: float) -> int:
    """The stop closest to a value."""
    return min(range(len(stops)), key=lambda index: abs(stops[index] - value))


# --- films ---


def _others(view: View, *moving: str) -> dict[str, int]:
    return {name: at for name, at in view.at.items() if name not in (*moving, "baseline")}


def widest(view: View) -> int:
    """The component of the context that varies most, from 0, at the reader's temperature."""
    alpha, v = view.alpha[view.temperature], view.head.v
    return int((alpha @ v.square() - (alpha @ v).square()).argmax())


def sample_films(view: View) -> list[Film]:
    """α and the soft context along the temperature; samples along it, and along draw and N."""
    v, alpha = view.head.v, view.alpha
    made = [
        Film("alpha", alpha.numpy(), ("temperature",)),
        Film("soft", (alpha @ v).numpy(), ("temperature",)),
    ]
    moving = ("draw", "count")
    for name in ("share", "last", "mean", "numbers"):
        drawn = getattr(view.by_draw, name)
        cooled = getattr(view.by_temperature, name)[:, 0]
        made += [
            Film(f"{name}_draw", drawn.numpy(), moving, _others(view, *moving)),
            Film(f"{name}_temperature", cooled.numpy(), ("temperature",), _others(view, "temperature")),
        ]
    return [*made, Film("errors", errors(view), moving, _others(view, *moving))]


def errors(view: View) -> Float[np.ndarray, "draws counts 7"]:
    """log₁₀ of ‖mean − soft‖, of what is expected, of 4 times that; then one component, and soft ± 4 s.e. for it."""
    found, component = view.by_draw, widest(view)
    error, expected = (found.numbers[..., SAMPLED.index(name)] for name in ("error", "expected"))
    alpha, v = view.alpha[view.temperature], view.head.v[:, component]
    soft = float(alpha @ v)
    spread = float((alpha @ v.square() - soft**2).clamp_min(0)) ** 0.5
    wide = 4 * spread / torch.tensor(COUNTS, dtype=torch.float64).sqrt()
    band = torch.stack([torch.full_like(wide, soft), soft - wide, soft + wide], dim=-1).expand(DRAWS, -1, -1)
    logs = torch.stack([error.log10(), expected.log10(), (4 * expected).log10()], dim=-1).clamp_min(-99.0)
    return torch.cat([logs, found.mean[..., component, None], band], dim=-1).numpy()


def sample_forks() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    names = ("share", "last", "mean", "numbers")
    return [Fork(name=name, films=(f"{name}_draw", f"{name}_temperature")) for name in names]


def gradient_films(view: View) -> list[Film]:
    """Everything exact along the temperature; the estimates along baseline, draw and N."""
    moving = ("baseline", "draw", "count")
    others = _others(view, *moving)
    ell = view.ell.expand_as(view.alpha)
    exact, variances = bound_gradient(ell, view.alpha), hard_sweeps.variances(view.alpha, ell)
    ratio = variances[:, 1:] / variances[:, :1]  # NaN at T = 0, where nothing varies
    found = view.estimates
    return [
        Film("ell", view.ell.numpy()),
        Film("exact", view.exact.numpy(), ("temperature",)),
        Film("slope", exact.numpy(), ("temperature",)),
        Film("variances", torch.cat([variances, ratio], dim=-1).numpy(), ("temperature",)),
        Film("spread", variances.log10().clamp_min(-99.0).numpy(), ("temperature",)),
        Film("estimate", found.gradient.numpy(), moving, others),
        Film("estimated", found.numbers.numpy(), moving, others),
        Film("off", found.numbers[..., :2].log10().clamp_min(-99.0).numpy(), moving, others),
    ]


# --- pictures ---


def sample_plots(view: View, page: Words) -> list[Plot]:
    """Sliders and numbers; the law, one draw from it, shares of N; the context that comes of it, and its error."""
    n, tokens, v = view.n, view.head.tokens, view.head.v
    alpha, soft = view.alpha[view.temperature], view.alpha[view.temperature] @ v
    component = widest(view)
    around = float(soft[component])
    reach = 1.05 * max(float((v[alpha > 0, component] - around).abs().max()), 1e-3)
    components = tuple(str(index + 1) for index in range(v.shape[-1]))
    most = float(v.abs().max())
    return [
        Controls(name="controls", stack="left", span=3, sliders=("temperature", "count", "draw")),
        Readouts(
            name="numbers", stack="left", title=page["readouts"], film="numbers",
            items=tuple(Item(label=page[f"sampled.{name}"], start=index, help=page[f"sampled_help.{name}"])
                        for index, name in enumerate(SAMPLED)),
        ),
        Bars(name="alpha", stack="middle", span=5, height=170, film="alpha", count=n, hue="q", fit=True,
             marked=view.target, title=page["alpha"], note=page["alpha_note"]),
        Bars(name="last", stack="middle", height=96, film="last", count=n, hue="k", title=page["last"],
             note=page["last_note"]),
        Bars(name="share", stack="middle", height=250, film="share", count=n, names=tokens, hue="k", fit=True,
             ghost="alpha", ghost_name=page["alpha"], digits=2 if n <= 16 else 0, title=page["share"],
             note=page["share_note"]),
        Bars(name="mean", stack="right", span=4, height=190, film="mean", count=len(components), names=components,
             hue="v", low=-most, high=most, ghost="soft", ghost_name=page["soft"], title=page["mean"],
             note=page["mean_note"]),
        Curves(name="funnel", stack="right", height=180, film="errors", along="count", low=around - reach,
               high=around + reach, title=page.data("funnel", number=component + 1), note=page["funnel_note"],
               lines=(Line(start=4, hue="q", band=(5, 6), pale=True), Line(start=3, hue="v"))),
        Curves(name="error", stack="right", height=180, film="errors", along="count", logs=True, low=-3.0, high=1.0,
               title=page["error"], lines=(
                   Line(start=1, hue="q", name=page["law"], dash=True),
                   Line(start=0, hue="v", name=page["this_draw"]))),
    ]  # fmt: skip


def gradient_plots(view: View, page: Words) -> list[Plot]:
    """Sliders and the two sides of the bound; ℓ, the exact gradient and the estimate; variances and the error."""
    n, tokens = view.n, view.head.tokens
    exact = view.exact
    low = math.floor(float(exact[:, :2].min()))
    steep = 1.1 * float(bound_gradient(view.ell.expand_as(view.alpha), view.alpha).abs().max()) or 1.0
    hues = dict(zip(BASELINES, ("k", "v", "q", "ink"), strict=True))
    return [
        Controls(name="controls_gradient", stack="left", span=3,
                 sliders=("temperature", "count", "draw", "baseline")),
        Readouts(name="exact", stack="left", title=page["exact_title"], film="exact",
                 items=tuple(Item(label=page[f"exact.{name}"], start=index, help=page[f"exact_help.{name}"])
                             for index, name in enumerate(EXACT[:4]))),
        Readouts(name="estimated", stack="left", title=page["estimated_title"], film="estimated",
                 items=tuple(Item(label=page[f"estimated.{name}"], start=index, help=page[f"estimated_help.{name}"])
                             for index, name in enumerate(ESTIMATED[:2]))),
        Curves(name="spread", stack="left", height=170, film="spread", along="temperature", logs=True, low=-2.0,
               high=2.0, title=page["spread_title"],
               lines=tuple(Line(start=index, hue=hues[name]) for index, name in enumerate(BASELINES))),
        Bars(name="ell", stack="middle", span=5, height=150, film="ell", count=n, hue="ink", fit=True,
             marked=view.target, title=page["ell"], note=page["ell_note"]),
        Bars(name="estimate", stack="middle", height=300, film="estimate", count=n, names=tokens, hue="k", low=-steep,
             high=steep, ghost="slope", ghost_name=page["slope"], title=page["estimate"], note=page["estimate_note"]),
        Curves(name="bound", stack="right", span=4, height=210, film="exact", along="temperature", low=float(low),
               high=0.0, title=page["bound_title"],
               lines=(Line(start=1, hue="q", name=page["exact.likelihood"]),
                      Line(start=0, hue="k", name=page["exact.bound"]),
                      Line(start=3, hue="v", name=page["exact.soft"], dash=True))),
        Readouts(name="variances", stack="right", title=page["variances_title"], film="variances",
                 items=(*(Item(label=page[f"baselines.{name}"], start=index, help=page[f"baseline_helps.{name}"])
                          for index, name in enumerate(BASELINES)),
                        Item(label=page["ratio"], start=len(BASELINES), help=page["ratio_help"]))),
        Curves(name="off", stack="right", height=170, film="off", along="count", logs=True, low=-3.0, high=1.0,
               title=page["off_title"],
               lines=tuple(Line(start=0, hue=hues[name], name=page[f"baselines.{name}"], fixed={"baseline": index})
                           for index, name in enumerate(BASELINES) if name in ("none", "moving", "optimal"))),
    ]  # fmt: skip


# --- what leaves the page ---


def row_sum_residual(view: View) -> float:
    """max |Σ α − 1| over all temperatures."""
    return float((view.alpha.sum(dim=-1) - 1).abs().max())


def autograd_residual(view: View) -> float:
    """max |α ⊙ (ℓ − E ℓ) − ∂L_s/∂θ by torch's autograd| at every temperature above 0, θ the logits of the softmax."""
    head = view.head
    raw = (head.q[view.query] @ head.k.mT) * head.q.shape[-1] ** -0.5
    theta = (raw / torch.tensor(TEMPERATURES[1:], dtype=torch.float64)[:, None]).requires_grad_()
    theirs = torch.autograd.grad((theta.softmax(dim=-1) * view.ell).sum(), theta)[0]
    return float((theirs - bound_gradient(view.ell.expand_as(theta), view.alpha[1:])).abs().max())


def arrays(view: View) -> dict[str, np.ndarray]:
    """α at every temperature; at the reader's, ℓ, the exact gradient, every sample, and the estimates along N."""
    at = view.temperature
    return {
        "temperature": np.asarray(TEMPERATURES),
        "N": np.asarray(COUNTS),
        "alpha": view.alpha.numpy(),
        "ell": view.ell.numpy(),
        "gradient": bound_gradient(view.ell, view.alpha[at]).numpy(),
        "variances": hard_sweeps.variances(view.alpha, view.ell.expand_as(view.alpha)).numpy(),
        **{name: view.exact[:, column].numpy() for column, name in enumerate(EXACT)},
        "samples": view.choices.numpy(),
        "share": view.by_draw.share[view.draw].numpy(),
        "mean_context": view.by_draw.mean[view.draw].numpy(),
        "estimates": view.estimates.gradient[:, view.draw].numpy(),
    }


def snippet(view: View) -> str:
    """A script that prints the shares and the mean context of N samples, both sides of the bound, and the gradients."""
    temperature, count = TEMPERATURES[view.temperature], COUNTS[view.count]
    rule = "normalize=hard" if temperature == 0 else f"scaling=by(q.shape[-1] ** -0.5 / {temperature!r})"
    return f"""{rebuilt(view.head)}
from attention_core import hard
from attention_core import hard_sweeps
from attention_core.experiments.hard import bound, bound_gradient, log_likelihood

query, target, draw, N = {view.query}, {view.target}, {view.draw}, {count}
alpha = attend(q[query : query + 1], k, v, {rule}).weights[0]
u = torch.rand({DRAWS}, {COUNTS[-1]}, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)[draw]
samples = hard_sweeps.drawn(alpha, u)[:N]
ell = (v @ v.mT * v.shape[-1] ** -0.5).log_softmax(dim=-1)[:, target]

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print("alpha", alpha)
print("share", samples.bincount(minlength=n) / N)
print("mean context", v[samples].mean(dim=0))
print("soft context", alpha @ v)
print("L_s", f"{{bound(ell, alpha):.6f}}", "log p", f"{{log_likelihood(ell, alpha):.6f}}")
print("gradient", bound_gradient(ell, alpha))
for name, estimate in zip(hard_sweeps.BASELINES, hard_sweeps.estimates(alpha, ell, samples, (N,))):
    print(name, estimate[0])
"""
