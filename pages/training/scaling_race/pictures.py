"""The history of the race → curves along the steps, and for every rule its weights, its matrices, their gradients."""

from collections.abc import Mapping, Sequence
from functools import partial

from attention_core.experiments.sort import SHOWN, Sort
from pages.training.scaling_race.numbers import (
    ACCURACY,
    DEAD,
    ENTROPY,
    GAIN,
    LOSS,
    MATRICES,
    MEASURES,
    NORM,
    SNR,
    largest,
    matrices,
    norms,
    tokens,
    weights,
)
from ui.components.lab import Box, Controls, Curves, Film, Heading, Map, Plot, Slider
from ui.compute.runs import Variant
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import SIDE, History, Look, Measure, column, curve, film, step_slider
from ui.training.scrubber import counted, switch

LEFT = Box(stack="left", span=3)
SECOND, THIRD, FOURTH = (Box(stack=stack, span=3, narrow=2, height=188) for stack in ("second", "third", "fourth"))
FIRST = Box(stack="left", span=3, narrow=4, height=176)  # below the controls
DRAWN = {  # measure → title and room
    LOSS: ("loss", FIRST),
    ACCURACY: ("accuracy", SECOND),
    ENTROPY: ("entropy", SECOND),
    GAIN: ("gain", THIRD),
    DEAD: ("dead", THIRD),
    SNR: ("snr", FOURTH),
}
WEIGHTS = Box(span=2, narrow=4, height=236)
MATRIX = Box(span=2, narrow=2, height=236)
SYMBOLS = counted(Sort().symbols)


def label(variant: Variant, page: Words) -> str:
    """What a variant is called."""
    return variant.numbered(page[f"rule.{variant.model}"])


def look(variants: Sequence[Variant], page: Words) -> Look[Variant]:
    """How their lines look."""
    return Look(
        hues={variant: RULE_HUES[variant.model] for variant in variants},
        labels={variant: label(variant, page) for variant in variants},
    )


def sliders(past: History[Variant], at: Mapping[str, int], page: Words) -> list[Slider]:
    """The scrubber, which matrix, which sequence of the probe."""
    return [
        step_slider(past, at["step"], page["step"]),
        switch("matrix", page["matrix"], MATRICES, at["matrix"]),
        switch("probe", page["probe"], counted(SHOWN), at["probe"]),
    ]


def films(past: History[Variant], *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps at every step, or at the newest while it trains."""
    lines = tuple(column(NORM, variant) for variant in past.variants)
    out = [
        past.curves(MEASURES),
        Film("norms", norms(past), ("step", "matrix"), columns=lines),
        Film("tokens", tokens(past), ("probe",)),
    ]
    size = len(MATRICES), SIDE * SIDE
    for variant in past.variants:
        looks = past.frames(variant, weights, (SHOWN, Sort().length ** 2), all_steps=all_steps)
        values = past.frames(variant, matrices, size, all_steps=all_steps)
        gradients = past.frames(variant, partial(matrices, prefix="grad."), size, all_steps=all_steps)
        out += [
            film(f"weights {variant}", looks, ("probe",)),
            film(f"W {variant}", values, ("matrix",)),
            film(f"dW {variant}", gradients, ("matrix",)),
        ]
    return out


def plots(past: History[Variant], sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber and the curves; below them, for every variant, its weights on the probe, a matrix, its gradient."""
    by_name = {film.name: film for film in sent}
    lines = look(past.variants, page)

    def drawn(measure: Measure, title: str, box: Box, film: str = "curves") -> Curves:
        words = {"title": page[f"curve.{title}"], "note": page[f"curve.{title}_note"], "below": page["exactly_0"]}
        return curve(by_name[film], past, measure, lines, box, **words)

    out: list[Plot] = [
        Controls(name="controls", box=LEFT, sliders=("step", "matrix", "probe")),
        Heading(name="legend", box=LEFT, legend=lines.legend()),
        *(drawn(measure, title, box) for measure, (title, box) in DRAWN.items()),
        drawn(NORM, "norm", FOURTH, "norms"),
    ]
    sizes = [by_name[f"W {variant}"].values for variant in past.variants]
    slopes = [by_name[f"dW {variant}"].values for variant in past.variants]
    for variant in past.variants:
        out.append(_weights(variant, page))
        out.append(_matrix("W", variant, largest(sizes, 1.0), page))
        out.append(_matrix("dW", variant, largest(slopes, 0.995), page))
    return out


def _weights(variant: Variant, page: Words) -> Map:
    return Map(
        name=f"map_weights_{variant}",
        box=WEIGHTS,
        film=f"weights {variant}",
        rows=len(SYMBOLS),
        cols=len(SYMBOLS),
        names=SYMBOLS,
        order="tokens",
        title=label(variant, page),
        note=page["map.weights"],
    )


def _matrix(kind: str, variant: Variant, high: float, page: Words) -> Map:
    """The chosen matrix, or its gradient, on one scale for all variants."""
    return Map(
        name=f"map_{kind}_{variant}",
        box=MATRIX,
        film=f"{kind} {variant}",
        rows=SIDE,
        cols=SIDE,
        scale="signed",
        low=-high,
        high=high,
        title=label(variant, page),
        note=page[f"map.{kind}"],
        missing=page["map.no_column"],
        says=page["map.says"],
    )
