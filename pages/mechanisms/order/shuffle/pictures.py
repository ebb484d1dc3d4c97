"""The sentence and its shuffled twin → films and pictures. Pure."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Int
from torch import Tensor

from attention_core.shuffling import SCHEMES
from pages.mechanisms.order.shuffle.numbers import COMPARED, MOVED, STOPS, SWAPS, Compared
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Map, Plot, Positions, Readouts, Slider
from ui.text import Words

HUES = dict(zip(SCHEMES, ("ink", "q", "k", "v"), strict=True))
FLOOR, CEILING = -17.0, 1.0  # powers of ten on the axis of residuals
LEFT = Box(stack="left", span=3)
SQUARE = Box(span=3, height=292)
BELOW = Box(height=330)


def sliders(at: Positions, page: Words) -> list[Slider]:
    """Which positions, and how often two words change places."""
    return [
        Slider(
            name="scheme",
            label=page["scheme"],
            readings=tuple(page[f"schemes.{scheme}"] for scheme in SCHEMES),
            at=at["scheme"],
            kind="switch",
            help=page["scheme_help"],
        ),
        Slider(
            name="swaps",
            label=page["swaps"],
            readings=(*STOPS[:-1], page["reversed"]),
            at=at["swaps"],
            ticks=(*((swap, str(swap)) for swap in range(0, SWAPS + 1, 2)), (SWAPS + 1, page["reversed"])),
            help=page["swaps_help"],
        ),
    ]


def films(compared: Compared, orders: Int[Tensor, "orders n"]) -> list[Film]:
    """Maps of one head; residuals over all heads."""
    moving = ("scheme", "swaps")
    return [
        Film("own", compared.own.numpy(), ("scheme",)),
        Film("moved", compared.moved.numpy(), moving),
        Film("back", compared.back.numpy(), moving),
        Film("change", compared.change.numpy(), moving),
        Film("order", orders.numpy(), ("swaps",)),
        Film("numbers", compared.numbers.numpy(), moving, columns=COMPARED),
    ]


def plots(tokens: Sequence[str], query: int, page: Words) -> list[Plot]:
    """The sentence, the shuffled one, the shuffled one put back; then what is left of the difference."""
    square = partial(Map, box=SQUARE, rows=len(tokens), cols=len(tokens), names=tuple(tokens), note=page["axes"])
    return [
        Controls(name="controls", box=LEFT, sliders=("scheme", "swaps")),
        _numbers(len(tokens), page),
        square(name="own", film="own", title=page["own"], marked=query),
        square(name="moved", film="moved", title=page["moved"], order="order"),
        square(name="back", film="back", title=page["back"]),
        square(
            name="change",
            box=BELOW,
            film="change",
            title=page["change"],
            note=page["change_note"],
            scale="signed",
            low=-0.5,
            high=0.5,
            root=True,
        ),
        *_curves(page),
    ]


def _numbers(n: int, page: Words) -> Readouts:
    """How far outputs and weights are from those of the sentence, put into the same order."""
    rounding = partial(Item, log=True, lost=False)
    items = (
        rounding(label=page["residual"], column="residual", help=page["residual_help"]),
        rounding(label=page["weights_residual"], column="weights residual", help=page["weights_residual_help"]),
        Item(label=page.data("moved_weights", least=MOVED), column="moved", unit=page.data("of", count=n * n)),
        Item(label=page["largest"], column="largest"),
    )
    return Readouts(name="readouts", box=LEFT, film="numbers", title=page["readouts"], items=items)


def _curves(page: Words) -> list[Plot]:
    """Every scheme against the number of swaps: the residual, and the largest change of a weight."""
    curves = partial(Curves, box=BELOW, film="numbers", along="swaps", ends=True)
    return [
        curves(
            name="residuals",
            logs=True,
            low=FLOOR,
            high=CEILING,
            title=page["residuals"],
            note=page["residuals_note"],
            lines=_lines("residual", page),
        ),
        curves(
            name="moves", low=0.0, high=1.0, title=page["moves"], note=page["moves_note"], lines=_lines("largest", page)
        ),
    ]


def _lines(column: str, page: Words) -> tuple[Line, ...]:
    return tuple(
        Line(column=column, hue=HUES[scheme], name=page[f"schemes.{scheme}"], fixed={"scheme": index})
        for index, scheme in enumerate(SCHEMES)
    )
