"""The films and pictures of the page on hard and soft attention. Pure.

What follows the temperature and what follows the samples is sent along each, through the place where the others stand.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from attention_core import sampling as hard_sweeps
from attention_core.experiments.hard import bound_gradient
from attention_core.sampling import BASELINES
from pages.mechanisms.hard_soft.numbers import COUNTS, DRAWS, ESTIMATED, EXACT, SAMPLED, TEMPERATURES, View
from ui.components.lab import Bars, Controls, Curves, Film, Fork, Item, Line, Plot, Readouts, Slider
from ui.numbers import significant
from ui.text import Words

SHOWN_COUNTS = (1, 4, 16, 64, 256, 1024)
SHOWN_TEMPERATURES = (0.0, 0.0625, 0.25, 1.0, 4.0, 16.0)

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
    logs = torch.stack([error.log10(), expected.log10(), (4 * expected).log10()], dim=-1)
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
        Film("off", found.numbers[..., :2].log10().numpy(), moving, others),
    ]


# --- pictures ---


def nothing(view: View, page: Words) -> str:
    """At T = 0 every distance is 0: the name of the band in which these stand; else there is none."""
    return "" if TEMPERATURES[view.temperature] else page["nothing"]


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
            items=tuple(Item(label=page[f"sampled.{name}"], start=index, help=page[f"sampled_help.{name}"],
                             unit=page.data("of", count=v.shape[-1]) if name == "within" else "")
                        for index, name in enumerate(SAMPLED)),
        ),
        Bars(name="alpha", stack="middle", span=5, height=180, film="alpha", count=n, names=tokens, hue="q", fit=True,
             marked=view.target, title=page["alpha"], note=page["alpha_note"]),
        Bars(name="last", stack="middle", height=106, film="last", count=n, names=tokens, hue="k", title=page["last"],
             note=page["last_note"]),
        Bars(name="share", stack="middle", height=220, film="share", count=n, names=tokens, hue="k", fit=True,
             marked=view.target, ghost="alpha", ghost_name=page["alpha"], digits=2 if n <= 16 else 0,
             title=page["share"], note=page["share_note"]),
        Bars(name="mean", stack="right", span=4, height=190, film="mean", count=len(components), names=components,
             hue="v", low=-most, high=most, ghost="soft", ghost_name=page["soft"], title=page["mean"],
             note=page["mean_note"]),
        Curves(name="funnel", stack="right", height=180, film="errors", along="count", low=around - reach,
               high=around + reach, title=page.data("funnel", number=component + 1), note=page["funnel_note"],
               lines=(Line(start=4, hue="q", band=(5, 6), pale=True), Line(start=3, hue="v"))),
        Curves(name="error", stack="right", height=180, film="errors", along="count", logs=True, low=-3.0, high=1.0,
               below=nothing(view, page), title=page["error"], lines=(
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
               below=nothing(view, page), title=page["off_title"],
               lines=tuple(Line(start=0, hue=hues[name], name=page[f"baselines.{name}"], fixed={"baseline": index})
                           for index, name in enumerate(BASELINES) if name in ("none", "moving", "optimal"))),
    ]  # fmt: skip
