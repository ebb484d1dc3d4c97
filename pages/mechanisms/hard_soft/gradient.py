"""The second picture of hard and soft attention: both sides of the bound, its gradient, and estimates of it. Pure."""

import math
from functools import partial

import torch

from attention_core.sampling import BASELINES
from pages.mechanisms.hard_soft import samples
from pages.mechanisms.hard_soft.draws import ESTIMATED
from pages.mechanisms.hard_soft.numbers import EXACT, View
from pages.mechanisms.hard_soft.samples import LEFT, MIDDLE, RIGHT, nothing
from ui.components.lab import Bars, Box, Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.text import Words

HUES = dict(zip(BASELINES, ("k", "v", "q", "ink"), strict=True))
COMPARED = ("none", "moving", "optimal")  # baselines whose error is drawn against N
MOVING = ("baseline", "draw", "count")


def sliders(view: View, page: Words) -> list[Slider]:
    """Temperature, how many samples, which draw, and the baseline."""
    baseline = Slider(
        name="baseline",
        label=page["baseline"],
        readings=tuple(page[f"baselines.{name}"] for name in BASELINES),
        at=view.baseline,
        kind="switch",
        help=page["baseline_help"],
    )
    return [*samples.sliders(view, page), baseline]


def films(view: View) -> list[Film]:
    """Everything exact along the temperature; the estimates along baseline, draw and N."""
    estimates, variances = view.estimates, view.variances
    none, moving = (variances[:, BASELINES.index(name), None] for name in ("none", "moving"))
    ratio = moving / none  # NaN at T = 0, where nothing varies
    exact = partial(Film, axes=("temperature",))
    sampled = partial(Film, axes=MOVING, at=view.others(*MOVING))
    return [
        Film("ell", view.ell.numpy()),
        exact("exact", view.exact.numpy(), columns=EXACT),
        exact("slope", view.slope.numpy()),
        exact("variances", torch.cat([variances, ratio], dim=-1).numpy(), columns=(*BASELINES, "ratio")),
        exact("spread", variances.log10().clamp_min(-99.0).numpy(), columns=BASELINES),
        sampled("estimate", estimates.gradient.numpy()),
        sampled("estimated", estimates.numbers.numpy(), columns=ESTIMATED),
        sampled("off", estimates.numbers[..., :2].log10().numpy(), columns=ESTIMATED[:2]),
    ]


def plots(view: View, page: Words) -> list[Plot]:
    """Sliders and the two sides of the bound; ℓ, the exact gradient and the estimate; variances and the error."""
    return [
        Controls(name="controls_gradient", box=LEFT, sliders=("temperature", "count", "draw", "baseline")),
        *_numbers(page),
        Curves(
            name="spread",
            box=Box(stack="left", height=170),
            film="spread",
            along="temperature",
            logs=True,
            low=-2.0,
            high=2.0,
            title=page["spread_title"],
            lines=tuple(Line(column=name, hue=HUES[name]) for name in BASELINES),
        ),
        *_rows(view, page),
        _bound(view, page),
        _variances(page),
        Curves(
            name="off",
            box=RIGHT(height=170),
            film="off",
            along="count",
            logs=True,
            low=-3.0,
            high=1.0,
            below=nothing(view, page),
            title=page["off_title"],
            lines=tuple(
                Line(
                    column="off",
                    hue=HUES[name],
                    name=page[f"baselines.{name}"],
                    fixed={"baseline": BASELINES.index(name)},
                )
                for name in COMPARED
            ),
        ),
    ]


def _numbers(page: Words) -> list[Plot]:
    """Both sides of the bound and their gap; how far the estimate is from the gradient, and should be."""
    return [
        Readouts(
            name=film,
            box=LEFT,
            title=page[f"{film}_title"],
            film=film,
            items=tuple(
                Item(label=page[f"{film}.{name}"], column=name, help=page[f"{film}_help.{name}"]) for name in names
            ),
        )
        for film, names in (("exact", EXACT[:4]), ("estimated", ESTIMATED[:2]))
    ]


def _rows(view: View, page: Words) -> list[Plot]:
    """One bar per token: ℓ, and the estimated gradient with the exact one as an outline."""
    tokens = view.head.tokens
    steep = 1.1 * float(view.slope.abs().max()) or 1.0
    return [
        Bars(
            name="ell",
            box=MIDDLE(height=150),
            film="ell",
            count=len(tokens),
            hue="ink",
            fit=True,
            marked=view.target,
            title=page["ell"],
            note=page["ell_note"],
        ),
        Bars(
            name="estimate",
            box=MIDDLE(height=300),
            film="estimate",
            count=len(tokens),
            names=tokens,
            low=-steep,
            high=steep,
            ghost="slope",
            ghost_name=page["slope"],
            title=page["estimate"],
            note=page["estimate_note"],
        ),
    ]


def _bound(view: View, page: Words) -> Curves:
    """Both sides of the bound and the soft context, against the temperature."""
    sides = view.exact[:, [EXACT.index("bound"), EXACT.index("likelihood")]]
    return Curves(
        name="bound",
        box=RIGHT(height=210),
        film="exact",
        along="temperature",
        low=float(math.floor(float(sides.min()))),
        high=0.0,
        title=page["bound_title"],
        lines=(
            Line(column="likelihood", hue="q", name=page["exact.likelihood"]),
            Line(column="bound", hue="k", name=page["exact.bound"]),
            Line(column="soft", hue="v", name=page["exact.soft"], dash=True),
        ),
    )


def _variances(page: Words) -> Readouts:
    """The variance of one sample under every baseline, and what the moving one leaves of it."""
    under = (
        Item(label=page[f"baselines.{name}"], column=name, help=page[f"baseline_helps.{name}"]) for name in BASELINES
    )
    ratio = Item(label=page["ratio"], column="ratio", help=page["ratio_help"])
    return Readouts(
        name="variances", box=RIGHT(), title=page["variances_title"], film="variances", items=(*under, ratio)
    )
