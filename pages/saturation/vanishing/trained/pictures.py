"""The trained model under strain: an atlas of its heads over input scale, and what its output keeps. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from attention_core.models import layer_numbers
from attention_core.models.strain import HEAD_MEASURES, Strain
from pages.saturation.vanishing.trained.numbers import RULES, SCALES, by_stop, cosines, first_dead
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Map, Plot, Readouts, Slider
from ui.controls import Choice
from ui.numbers import significant
from ui.readouts import reading
from ui.text import Words, words

HUES = {"as_built": "q", "none": "k"}
LOW = -9.0  # powers of ten on the axis of gains
AXES = ("rule", "scale")
LEFT = Box(stack="left", span=3)
CURVES = (("log_gain", True, LOW, 0.0), ("dead", False, 0.0, 1.0), ("peak", False, 0.0, 1.0))
CURVES += (("log_d_W_Q", True, -6.0, 3.0), ("log_d_scores", True, -6.0, 2.0))


def rules(choice: Choice, page: Words) -> tuple[str, ...]:
    """What the two rules are called: the first by the name of what the reader chose instead of the model's own."""
    chosen = choice.study.settings.scaling
    first = page["strained.as_built"] if chosen == "model" else words("controls")[f"scalings.{chosen}"]
    return first, page["strained.none"]


def sliders(choice: Choice, scale: float, rule: str, page: Words) -> list[Slider]:
    """Input scale and rule."""
    readings = tuple(significant(stop, 3) for stop in SCALES)
    return [
        Slider(
            name="scale",
            label=page["strained.scale"],
            readings=readings,
            at=SCALES.index(scale),
            ticks=tuple((i, readings[i]) for i in range(0, len(SCALES), 3)),
            help=page["strained.scale_help"],
        ),
        Slider(
            name="rule",
            label=page["strained.rule"],
            readings=rules(choice, page),
            at=RULES.index(rule),
            kind="switch",
        ),
    ]


def films(choice: Choice, strains: Sequence[Strain]) -> list[Film]:
    """Every measure of every head, those of the head in focus, and the cosine of the output."""
    heads = by_stop(strains)
    gain, peak = (heads[:, :, HEAD_MEASURES.index(name)].flatten(2).numpy() for name in ("log_gain", "peak"))
    return [
        Film("gain", gain, AXES),
        Film("peak", peak, AXES),
        Film("head", heads[:, :, :, choice.layer, choice.head].numpy(), AXES, columns=HEAD_MEASURES),
        Film("first", first_dead(heads), ("rule",)),
        Film("cosine", cosines(strains)[..., None].astype(np.float32), AXES),
    ]


def plots(choice: Choice, strains: Sequence[Strain], page: Words) -> list[Plot]:
    """The atlases beside their slider, then the curves of the head in focus."""
    title = page.data("strained.head", layer=choice.number, head=choice.head + 1)
    items = tuple(_reading(name, len(choice.tokens), page) for name in HEAD_MEASURES)
    return [
        Controls(name="controls", box=LEFT, sliders=("scale", "rule")),
        Readouts(name="head", box=LEFT, title=title, film="head", items=items),
        *_atlases(layer_numbers(choice.model.layers), strains[0].heads.shape[-1], page),
        Curves(
            name="cosine",
            box=Box(span=4, height=250),
            title=page["strained.output"],
            note=page["strained.output_note"],
            film="cosine",
            along="scale",
            lines=_lines("", rules(choice, page)),
            low=0.0,
            high=1.0,
        ),
        *(_curve(measure, logs, low, high, title, page) for measure, logs, low, high in CURVES),
    ]


def _reading(name: str, rows: int, page: Words) -> Item:
    """Under its own name; of dead rows, how many of all; of the gradient of W_Q, what it is in a model that may do more
    to q than multiply.
    """
    item = replace(reading(name, page), whole=rows if name == "dead" else 0)
    return replace(item, help=page["strained.help_d_W_Q"]) if name == "log_d_W_Q" else item


def _atlases(numbers: Sequence[int], cols: int, page: Words) -> list[Plot]:
    """One cell a head, layers down: the gain, the largest weight, and where half of the rows die."""
    layers, heads = tuple(map(str, numbers)), tuple(str(index + 1) for index in range(cols))
    atlas = partial(
        Map, rows=len(numbers), cols=cols, names=layers, col_names=heads, says=page["strained.cell"], key=True
    )
    return [
        atlas(
            name="gain",
            box=Box(span=5, height=300),
            title=page["strained.atlas"],
            note=page["strained.atlas_note"],
            hint=page["strained.atlas_hint"],
            film="gain",
            scale="positive",
            low=LOW,
            high=0.0,
            value="log10",
            missing=page["strained.unread"],
        ),
        atlas(
            name="peak",
            box=Box(span=4, height=300),
            title=page["strained.peak_atlas"],
            note=page["strained.peak_note"],
            film="peak",
            missing=page["strained.absent"],
        ),
        atlas(
            name="first",
            box=Box(span=4, height=250),
            title=page["strained.first"],
            note=page["strained.first_note"],
            film="first",
            scale="positive",
            low=4.0,
            high=0.0,
            value="log2",
            missing=page["strained.never"],
        ),
    ]


def _curve(measure: str, logs: bool, low: float, high: float, title: str, page: Words) -> Curves:
    return Curves(
        name=f"curve_{measure}",
        title=page[f"measure.{measure}"],
        note=title,
        film="head",
        along="scale",
        lines=_lines(measure),
        logs=logs,
        low=low,
        high=high,
    )


def _lines(column: str, names: Sequence[str] = ("", "")) -> tuple[Line, ...]:
    """One line for each of the two rules."""
    return tuple(
        Line(column=column, hue=HUES[rule], name=name, fixed={"rule": index})
        for index, (rule, name) in enumerate(zip(RULES, names, strict=True))
    )
