"""What a place is worth → the film and its pictures. Pure."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from pages.mechanisms.order.offsets.numbers import NUMBERS, OFFSETS, PLACES, WAYS
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Plot, Positions, Readouts, Slider
from ui.text import Words

HUES = dict(zip(WAYS, ("q", "k", "q"), strict=True))
TICKED = (0, 4, 7, 10, 13)  # places with a number below the slider
LEFT = Box(stack="left", span=3)
CURVES = Box(span=3, height=260)


def sliders(at: Positions, page: Words) -> list[Slider]:
    """The place p of the query and how many places later the key stands."""
    return [
        Slider(
            name="place",
            label=page["place"],
            readings=tuple(str(place + 1) for place in PLACES),
            at=at["place"],
            ticks=tuple((index, str(PLACES[index] + 1)) for index in TICKED),
            help=page["place_help"],
        ),
        Slider(
            name="offset",
            label=page["offset"],
            readings=tuple(map(str, OFFSETS)),
            at=at["offset"],
            ticks=tuple((offset, str(offset)) for offset in range(0, len(OFFSETS), 9)),
            help=page["offset_help"],
        ),
    ]


def films(scores: Float[Tensor, "places offsets numbers"]) -> list[Film]:
    """Every number at every place and distance."""
    return [Film("offsets", scores.numpy(), ("place", "offset"), columns=NUMBERS)]


def plots(
    scores: Float[Tensor, "places offsets numbers"], tokens: Sequence[str], pair: tuple[int, int], page: Words
) -> list[Plot]:
    """Three curves over the distance; drag the place, and see which of them stay."""
    asks, answers = (tokens[token] for token in pair)
    titles = {
        "similarity": page["similarity"],
        "rope": page.data("rope_score", asks=asks, answers=answers),
        "added": page.data("added_score", asks=asks, answers=answers),
    }
    return [
        Controls(name="offset_controls", box=LEFT, sliders=("place", "offset")),
        _numbers(page),
        *(
            Curves(
                name=way,
                box=CURVES,
                film="offsets",
                along="offset",
                title=titles[way],
                note=page[f"{way}_note"],
                low=float(scores[..., NUMBERS.index(way)].min().floor()),
                high=float(scores[..., NUMBERS.index(way)].max().ceil()),
                lines=(Line(column=way, hue=HUES[way]),),
            )
            for way in WAYS
        ),
    ]


def _numbers(page: Words) -> Readouts:
    """The scores and ALiBi's bias, and how far each of the scores moves with the place."""
    scores = (
        Item(label=page[f"offset_item.{name}"], column=name, help=page[f"offset_help_of.{name}"])
        for name in (*WAYS, "alibi")
    )
    spreads = (
        Item(
            label=page[f"offset_item.{way}_spread"],
            column=f"{way} spread",
            log=True,
            lost=False,
            help=page["spread_help"],
        )
        for way in WAYS
    )
    return Readouts(name="offset_readouts", box=LEFT, film="offsets", items=(*scores, *spreads))
