"""The first picture of hard and soft attention: samples from a row of weights, and the contexts they give. Pure.

What follows the temperature and what follows the samples is sent along each, through the place where the others stand.
"""

from functools import partial

import numpy as np
import torch
from jaxtyping import Float

from pages.mechanisms.hard_soft.draws import COUNTS, DRAWS, SAMPLED
from pages.mechanisms.hard_soft.numbers import TEMPERATURES, View
from ui.components.lab import Bars, Box, Controls, Curves, Film, Fork, Item, Line, Plot, Readouts, Slider
from ui.numbers import nearest, significant
from ui.text import Words

SHOWN_COUNTS = (1, 4, 16, 64, 256, 1024)
SHOWN_TEMPERATURES = (0.0, 0.0625, 0.25, 1.0, 4.0, 16.0)
FORKED = ("share", "last", "mean", "numbers")  # films of Samples, which follow all three sliders
MOVING = ("draw", "count")
FUNNEL = ("component", "soft", "soft.low", "soft.high")  # the widest component, of the samples and of the soft context
ERRORS = ("error", "expected", "4 expected", *FUNNEL)
LEFT = Box(stack="left", span=3)
MIDDLE, RIGHT = partial(Box, stack="middle", span=5), partial(Box, stack="right", span=4)


def sliders(view: View, page: Words) -> list[Slider]:
    """Temperature, how many samples, which draw."""
    at = view.at
    return [
        Slider(
            name="temperature",
            label=page["temperature"],
            at=at["temperature"],
            readings=tuple(significant(stop, 3) if stop else page["zero"] for stop in TEMPERATURES),
            ticks=tuple((nearest(TEMPERATURES, stop), significant(stop)) for stop in SHOWN_TEMPERATURES),
            help=page["temperature_help"],
        ),
        Slider(
            name="count",
            label=page["count"],
            at=at["count"],
            readings=tuple(map(str, COUNTS)),
            ticks=tuple((COUNTS.index(count), str(count)) for count in SHOWN_COUNTS),
            help=page["count_help"],
        ),
        Slider(
            name="draw",
            label=page["draw"],
            at=at["draw"],
            readings=tuple(str(index + 1) for index in range(DRAWS)),
            ticks=tuple((index, str(index + 1)) for index in range(0, DRAWS, 3)),
            help=page["draw_help"],
        ),
    ]


def films(view: View) -> list[Film]:
    """α and the soft context along the temperature; samples along it, and along draw and N."""
    along_samples = [
        Film(f"{name}_draw", getattr(view.by_draw, name).numpy(), MOVING, view.others(*MOVING), columns=_columns(name))
        for name in FORKED
    ]
    along_temperature = [
        Film(
            f"{name}_temperature",
            getattr(view.by_temperature, name)[:, 0].numpy(),
            ("temperature",),
            view.others("temperature"),
            columns=_columns(name),
        )
        for name in FORKED
    ]
    return [
        Film("alpha", view.alpha.numpy(), ("temperature",)),
        Film("soft", (view.alpha @ view.head.v).numpy(), ("temperature",)),
        *along_samples,
        *along_temperature,
        Film("errors", errors(view), MOVING, view.others(*MOVING), columns=ERRORS),
    ]


def _columns(film: str) -> tuple[str, ...]:
    return SAMPLED if film == "numbers" else ()


def errors(view: View) -> Float[np.ndarray, "draws counts errors"]:
    """log₁₀ of ‖mean − soft‖, of what is expected, of 4 times that; then one component, and soft ± 4 s.e. for it."""
    component, spread = view.widest
    error, expected = (view.by_draw.numbers[..., SAMPLED.index(name)] for name in ("error", "expected"))
    soft = float(view.soft[component])
    wide = 4 * spread / torch.tensor(COUNTS, dtype=torch.float64).sqrt()
    band = torch.stack([torch.full_like(wide, soft), soft - wide, soft + wide], dim=-1).expand(DRAWS, -1, -1)
    logs = torch.stack([error.log10(), expected.log10(), (4 * expected).log10()], dim=-1)
    return torch.cat([logs, view.by_draw.mean[..., component, None], band], dim=-1).numpy()


def computed() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    return [Fork(name=name, films=(f"{name}_draw", f"{name}_temperature")) for name in FORKED]


def nothing(view: View, page: Words) -> str:
    """At T = 0 every distance is 0: the name of the band in which these stand; else there is none."""
    return "" if TEMPERATURES[view.temperature] else page["nothing"]


def plots(view: View, page: Words) -> list[Plot]:
    """Sliders and numbers; the law, one draw from it, shares of N; the context that comes of it, and its error."""
    d_v = view.head.v.shape[-1]
    items = tuple(
        Item(
            label=page[f"sampled.{name}"],
            column=name,
            help=page[f"sampled_help.{name}"],
            unit=page.data("of", count=d_v) if name == "within" else "",
        )
        for name in SAMPLED
    )
    return [
        Controls(name="controls", box=LEFT, sliders=("temperature", "count", "draw")),
        Readouts(name="numbers", box=LEFT, title=page["readouts"], film="numbers", items=items),
        *_rows(view, page),
        _mean(view, page),
        _funnel(view, page),
        Curves(
            name="error",
            box=RIGHT(height=180),
            film="errors",
            along="count",
            logs=True,
            low=-3.0,
            high=1.0,
            below=nothing(view, page),
            title=page["error"],
            lines=(
                Line(column="expected", hue="q", name=page["law"], dash=True),
                Line(column="error", hue="v", name=page["this_draw"]),
            ),
        ),
    ]


def _rows(view: View, page: Words) -> list[Plot]:
    """One bar per token: the weights, the last sample, the shares of N samples."""
    tokens = view.head.tokens
    bars = partial(Bars, count=len(tokens), names=tokens)
    return [
        bars(
            name="alpha",
            box=MIDDLE(height=180),
            film="alpha",
            hue="q",
            fit=True,
            marked=view.target,
            title=page["alpha"],
            note=page["alpha_note"],
            hint=page["alpha_hint"],
        ),
        bars(name="last", box=MIDDLE(height=106), film="last", title=page["last"], note=page["last_note"]),
        bars(
            name="share",
            box=MIDDLE(),
            film="share",
            fit=True,
            marked=view.target,
            ghost="alpha",
            ghost_name=page["alpha"],
            digits=2 if len(tokens) <= 16 else 0,
            title=page["share"],
            note=page["share_note"],
        ),
    ]


def _mean(view: View, page: Words) -> Bars:
    """The mean of N hard contexts, the soft one as an outline."""
    v = view.head.v
    most = float(v.abs().max())
    return Bars(
        name="mean",
        box=RIGHT(height=190),
        film="mean",
        count=v.shape[-1],
        names=tuple(str(index + 1) for index in range(v.shape[-1])),
        hue="v",
        low=-most,
        high=most,
        ghost="soft",
        ghost_name=page["soft"],
        title=page["mean"],
        note=page["mean_note"],
    )


def _funnel(view: View, page: Words) -> Curves:
    """The component that varies most: its mean over N samples, within four standard errors of the soft context's."""
    component, _ = view.widest
    soft = float(view.soft[component])
    possible = view.head.v[view.alpha[view.temperature] > 0, component]
    radius = 1.05 * max(float((possible - soft).abs().max()), 1e-3)
    return Curves(
        name="funnel",
        box=RIGHT(height=180),
        film="errors",
        along="count",
        low=soft - radius,
        high=soft + radius,
        title=page.data("funnel", number=component + 1),
        note=page["funnel_note"],
        lines=(
            Line(column="soft", band=("soft.low", "soft.high"), hue="q", pale=True),
            Line(column="component", hue="v"),
        ),
    )
