"""Masks on the sentence → films and pictures. Pure."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from attention_core.hearing import MASK_KINDS
from pages.mechanisms.order.masks.numbers import LAYERS, Masked, prefixes, radii
from pages.mechanisms.order.reading import evenly
from ui.components.lab import Bars, Box, Controls, Curves, Film, Item, Line, Map, Plot, Positions, Readouts, Slider
from ui.text import Words

HUES = dict(zip(MASK_KINDS, ("ink", "k", "q", "v"), strict=True))
WORST = ("appended", "replaced")
LEFT = Box(stack="left", span=3)
SQUARE = Box(span=3, height=350)
WIDE = Box(height=230)


def sliders(n: int, at: Positions, page: Words) -> list[Slider]:
    """The mask, its half-width, the number of layers, and how much of the sentence is read alone."""
    numbers = {"radius": radii(n), "layers": range(1, LAYERS + 1), "prefix": prefixes(n)}
    kinds = tuple(page[f"masks.{kind}"] for kind in MASK_KINDS)
    return [
        Slider(name="mask", label=page["mask"], readings=kinds, at=at["mask"], kind="switch"),
        *(
            Slider(
                name=name,
                label=page[name],
                readings=tuple(map(str, stops)),
                at=at[name],
                ticks=tuple((index, str(stops[index])) for index in evenly(len(stops), 5)),
                help=page[f"{name}_help"],
            )
            for name, stops in numbers.items()
        ),
    ]


def films(masked: Masked) -> list[Film]:
    """Weights under every mask; who reaches whom; what the rest of the sentence does to the tokens before it."""
    one = ("mask", "radius")
    return [
        Film("weights", masked.weights.numpy(), one),
        Film("reached", masked.reached.numpy().astype(np.uint8), (*one, "layers"), codes=1),
        Film("counts", masked.counts.numpy(), one, columns=("allowed", "formula", "share")),
        Film("shares", masked.shares[..., None].numpy(), (*one, "layers"), columns=("share",)),
        Film("changes", masked.changes.numpy(), (*one, "prefix")),
        Film("worst", masked.worst.numpy(), (*one, "prefix"), columns=WORST),
    ]


def plots(tokens: Sequence[str], page: Words) -> list[Plot]:
    """The weights, who is reached, what a suffix changes; then the same over half-width, layers and prefix."""
    n, names = len(tokens), tuple(tokens)
    square = partial(Map, box=SQUARE, rows=n, cols=n, names=names, note=page["axes"])
    return [
        Controls(name="mask_controls", box=LEFT, sliders=("mask", "radius", "layers", "prefix")),
        *_numbers(n, page),
        square(name="masked", film="weights", title=page["masked"], hatched=True),
        square(name="reached", film="reached", title=page["reached"]),
        Bars(
            name="changes",
            box=SQUARE,
            film="changes",
            count=n,
            names=names,
            hue="v",
            fit=True,
            title=page["changes"],
            note=page["changes_note"],
        ),
        *_curves(page),
    ]


def _numbers(n: int, page: Words) -> list[Plot]:
    """Allowed pairs, counted and by formula; what a suffix changes."""
    allowed = Item(label=page["pairs"], column="allowed", unit=page.data("of", count=n * n))
    formula = Item(label=page["pairs_formula"], column="formula", help=page["pairs_help"])
    suffix = tuple(
        Item(label=page[name], column=name, log=True, lost=False, help=page[f"{name}_help"]) for name in WORST
    )
    return [
        Readouts(name="mask_readouts", box=LEFT, film="counts", items=(allowed, formula)),
        Readouts(name="prefix_readouts", box=LEFT, film="worst", title=page["prefix_title"], items=suffix),
    ]


def _curves(page: Words) -> list[Plot]:
    """Every mask: pairs over the half-width, reached pairs over layers, the change over the prefix."""
    share, appended = _lines("share", page), _lines("appended", page)
    curves = partial(Curves, box=WIDE, high=1.0, ends=True)
    return [
        curves(name="pair_counts", film="counts", along="radius", low=0.0, title=page["pair_share"], lines=share),
        curves(name="reach_shares", film="shares", along="layers", low=0.0, title=page["reach_share"], lines=share),
        curves(
            name="prefix_changes",
            film="worst",
            along="prefix",
            low=-17.0,
            logs=True,
            title=page["prefix_curve"],
            lines=appended,
        ),
    ]


def _lines(column: str, page: Words) -> tuple[Line, ...]:
    return tuple(
        Line(column=column, hue=HUES[kind], name=page[f"masks.{kind}"], fixed={"mask": index})
        for index, kind in enumerate(MASK_KINDS)
    )
