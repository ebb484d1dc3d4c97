"""The history of the race → curves along the steps, and for every rule what one head does with the probe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from pages.training.pronoun.numbers import (
    ASKS,
    LAW,
    MATRICES,
    MEASURES,
    PROBE,
    largest,
    matrices,
    on_law,
    weights,
    width,
)
from pages.training.pronoun.reading import HEADS
from ui.components.lab import Bars, Box, Controls, Curves, Film, Heading, Map, Plot, Slider
from ui.compute.runs import Variant
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import SIDE, History, Look, curve, film, step_slider
from ui.training.scrubber import counted, switch

VIEWS = ("values", "change")  # of a matrix: as it is, or what training has added to it
LEFT = Box(stack="left", span=3)
FIRST, SECOND = (Box(stack=stack, span=3, narrow=2, height=150) for stack in ("left", "second"))
WHOLE = "weights"  # the one column of a film that is one matrix


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
    """The scrubber, what is shown of the matrices, which head."""
    return [
        step_slider(past, at["step"], page["step"]),
        switch("view", page["matrices"], [page[f"view.{name}"] for name in VIEWS], at["view"]),
        switch("head", page["which_head"], counted(HEADS), at["head"]),
    ]


def films(past: History[Variant], *, all_steps: bool) -> list[Film]:
    """Curves along the steps; maps at every step, or at the newest while it trains."""
    law = [past.frames(variant, on_law, (HEADS,), all_steps=True)[0] for variant in past.variants]
    columns = tuple(_law(variant, head) for variant in past.variants for head in range(HEADS))
    out = [past.curves(MEASURES), Film("law", np.concatenate(law, axis=1), ("step",), columns=columns)]
    for variant in past.variants:
        looks = past.frames(variant, weights, (HEADS, len(PROBE) ** 2), all_steps=all_steps)
        out.append(film(f"weights {variant}", looks, ("head",), columns=(WHOLE,)))
        out += [_matrix_film(past, variant, matrix, all_steps=all_steps) for matrix in MATRICES]
    return out


def _matrix_film(past: History[Variant], variant: Variant, matrix: str, *, all_steps: bool) -> Film:
    kept, wide = past.kept(variant), width(past)
    before = kept[0].arrays[f"{matrix}.0"] if kept else torch.empty(0)
    read = partial(matrices, matrix=matrix, before=before, wide=wide)
    frames = past.frames(variant, read, (len(VIEWS), HEADS, wide * SIDE), all_steps=all_steps)
    return film(f"{matrix} {variant}", frames, ("view", "head"))


def _law(variant: Variant, head: int) -> str:
    return f"{variant} {head + 1}"


def plots(past: History[Variant], sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber and the curves; for every variant the map of the probe, the row of its, W_Q and W_K."""
    lines = look(past.variants, page)
    out: list[Plot] = [
        Controls(name="controls", box=LEFT, sliders=("step", "head", "view")),
        Heading(name="legend", box=LEFT, legend=lines.legend()),
        _law_curves(past, lines, page),
        *_curves(past, sent[0], lines, page),
    ]
    by_name = {film.name: film.values for film in sent}
    high = largest([by_name[f"{matrix} {variant}"] for variant in past.variants for matrix in MATRICES])
    for variant in past.variants:
        out += [_map(variant, page), _row(variant, page)]
        out += [_matrix(variant, matrix, width(past), high, page) for matrix in MATRICES]
    return out


def _law_curves(past: History[Variant], lines: Look[Variant], page: Words) -> Curves:
    """The weight from its to law, of both heads of every variant."""
    drawn = []
    for variant in past.variants:
        for head in range(HEADS):
            name = page.data("law_line", variant=lines.labels[variant], number=head + 1)
            drawn.append(replace(lines.line(variant, _law(variant, head)), name=name, dash=head > 0))
    return Curves(
        name="curve_law",
        box=FIRST,
        film="law",
        along="step",
        lines=tuple(drawn),
        low=0.0,
        high=1.0,
        places=tuple(map(float, past.steps)),
        title=page["curve.law"],
        note=page["curve.law_note"],
        legend=False,
    )


def _curves(past: History[Variant], table: Film, lines: Look[Variant], page: Words) -> list[Curves]:
    drawn = []
    for measure in MEASURES:
        words = {"title": page[f"curve.{measure.key}"], "note": page[f"curve.{measure.key}_note"]}
        drawn.append(curve(table, past, measure, lines, FIRST if measure.key == "loss" else SECOND, **words))
    return drawn


def _map(variant: Variant, page: Words) -> Map:
    """What the chosen head does with the probe."""
    return Map(
        name=f"map_weights_{variant}",
        box=Box(stack=f"sentence {variant}", span=3, height=318),
        film=f"weights {variant}",
        rows=len(PROBE),
        cols=len(PROBE),
        names=PROBE,
        marked=ASKS,
        title=label(variant, page),
        note=page["map.probe"],
        says=page["map.says"],
    )


def _row(variant: Variant, page: Words) -> Bars:
    """The row of its."""
    return Bars(
        name=f"bars_{variant}",
        box=Box(stack=f"sentence {variant}", height=178),
        film=f"weights {variant}",
        column=WHOLE,
        row=ASKS,
        count=len(PROBE),
        names=PROBE,
        marked=LAW,
        hue=RULE_HUES[variant.model],
        title=page["probe_row"],
    )


def _matrix(variant: Variant, matrix: str, wide: int, high: float, page: Words) -> Map:
    """W_Q or W_K of the chosen head, turned, on one scale for all variants."""
    return Map(
        name=f"map_{matrix}_{variant}",
        box=Box(stack=f"matrix {variant}", span=3, height=46 + 5 * wide),
        film=f"{matrix} {variant}",
        rows=wide,
        cols=SIDE,
        scale="signed",
        low=-high,
        high=high,
        title=page.data("map.matrix", variant=label(variant, page), matrix=matrix),
        note=page["map.matrix_note"],
        missing=page["map.no_column"],
        says=page["map.cell"],
    )
