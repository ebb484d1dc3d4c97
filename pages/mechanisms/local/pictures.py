"""The Local page: a row of weights, all queries and what they cost, against D and p_t. Pure.

A row follows two sliders, D and p_t; what is sent is the row along each of them through the place where both stand.
Single numbers are sent for every pair of stops.
"""

import math
from functools import partial

import torch
from torch import Tensor

from attention_core.sliding import NUMBERS
from pages.mechanisms.local.numbers import COSTS, MAPPED, PARTS, View, centers, costs, gaussians, radii
from ui.components.lab import Bars, Box, Controls, Curves, Film, Fork, Item, Line, Map, Plot, Readouts, Slider
from ui.numbers import significant
from ui.text import Words

FORKED = ("inside", "weights", "bell")  # films of the row, which follows both sliders
LEFT = partial(Box, stack="left", span=3)
MIDDLE, RIGHT = partial(Box, stack="middle", span=5), partial(Box, stack="right", span=4)
HALF = Box(span=6)


def sliders(view: View, kind: str, page: Words) -> list[Slider]:
    """D, p_t, and which mechanism the map of all queries shows."""
    n, stops, places = view.n, radii(view.n), centers(view.n)
    return [
        Slider(
            name="radius",
            label=page["D"],
            readings=tuple(map(str, stops)),
            at=view.at["radius"],
            ticks=tuple((index, str(stops[index])) for index in range(0, len(stops), max(1, len(stops) // 8))),
            help=page["D_help"],
        ),
        Slider(
            name="center",
            label=page["p"],
            readings=tuple(f"{significant(place + 1)} · {_token(view.head.tokens, place)}" for place in places),
            at=view.at["center"],
            ticks=tuple((PARTS * index, str(index + 1)) for index in range(0, n, max(1, math.ceil(n / 13)))),
            help=page["p_help"],
        ),
        Slider(
            name="kind",
            label=page["kind"],
            readings=tuple(page[f"kinds.{kind}"] for kind in MAPPED),
            at=MAPPED.index(kind),
            kind="switch",
            help=page["kind_help"],
        ),
    ]


def _token(tokens: tuple[str, ...], place: float) -> str:
    """The token at or nearest to a place, cut to what fits a read-out."""
    token = tokens[min(len(tokens) - 1, max(0, round(place)))]
    return token if len(token) <= 12 else f"{token[:11]}…"


def films(view: View) -> list[Film]:
    """The row along each slider; its numbers, for every pair of stops; all queries and what they cost, at every D."""
    rows = dict(zip(FORKED, (view.row.inside, view.row.weights, gaussians(view)), strict=True))
    radius, center = view.at["radius"], view.at["center"]
    maps = torch.stack([view.maps(kind) for kind in MAPPED])
    return [
        *(_along("radius", {"center": center}, name, row[:, center]) for name, row in rows.items()),
        *(_along("center", {"radius": radius}, name, row[radius]) for name, row in rows.items()),
        Film("numbers", view.row.numbers.numpy(), ("radius", "center"), columns=NUMBERS),
        Film("maps", maps.flatten(2).numpy(), ("kind", "radius")),
        Film("costs", costs(view.n).numpy(), ("radius",), columns=COSTS),
        Film("predicted", (view.predicted + 1).numpy()),  # counted from 1, as a reader does
    ]


def _along(slider: str, others: dict[str, int], name: str, frames: Tensor) -> Film:
    return Film(f"{name}_{slider}", frames.numpy(), (slider,), others)


def computed() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    return [Fork(name=name, films=(f"{name}_center", f"{name}_radius")) for name in FORKED]


def plots(view: View, page: Words) -> list[Plot]:
    """Sliders and numbers, the row and the gradient below it, all queries; then loss, row sum, cost."""
    items = tuple(Item(label=page[f"number.{name}"], column=name, help=page[f"number_help.{name}"]) for name in NUMBERS)
    return [
        Controls(name="controls", box=LEFT(), sliders=("radius", "center")),
        Readouts(name="readouts", box=LEFT(), title=page["readouts"], film="numbers", items=items),
        _row(view, page),
        _slope(page),
        Controls(name="controls_map", box=RIGHT(), sliders=("kind",)),
        *_all_queries(view, page),
        _loss(view, page),
        _sums(page),
        _cost(view.n, page),
    ]


def _row(view: View, page: Words) -> Bars:
    """The row of the query: softmax inside the window as outlines, the Gaussian as a line, their product as bars."""
    return Bars(
        name="row",
        box=MIDDLE(height=300),
        film="weights",
        count=view.n,
        names=view.head.tokens,
        hue="q",
        fit=True,
        marked=view.target,
        digits=2 if view.n <= 16 else 0,
        ghost="inside",
        ghost_name=page["inside"],
        over="bell",
        title=page["row"],
        note=page["row_note"],
    )


def _slope(page: Words) -> Curves:
    """The gradient to p_t, against p_t."""
    return Curves(
        name="slope",
        box=MIDDLE(height=200),
        film="numbers",
        along="center",
        low=-1.0,
        high=1.0,
        fit=True,
        lines=(Line(column="closed", hue="k"),),
        title=page["slope"],
        note=page["slope_note"],
    )


def _all_queries(view: View, page: Words) -> list[Plot]:
    """The map of the chosen mechanism, and the p_t that local-p predicts for every query."""
    return [
        Map(
            name="map",
            box=RIGHT(height=360),
            film="maps",
            rows=view.n,
            cols=view.n,
            names=view.head.tokens,
            marked=view.query,
            hatched=True,
            title=page["map"],
            note=page["map_note"],
        ),
        Bars(
            name="predicted",
            box=RIGHT(height=150),
            film="predicted",
            count=view.n,
            marked=view.query,
            high=float(view.n),
            title=page["predicted"],
            note=page["predicted_note"],
        ),
    ]


def _loss(view: View, page: Words) -> Curves:
    """The loss, against p_t."""
    return Curves(
        name="loss",
        box=LEFT(height=190),
        film="numbers",
        along="center",
        low=0.0,
        high=float(view.row.numbers[..., NUMBERS.index("loss")].max()) or 1.0,
        lines=(Line(column="loss", hue="ink"),),
        title=page["loss"],
    )


def _sums(page: Words) -> Curves:
    """The sum of the row, and how far the window is from attention without one, against D."""
    hues = {"row_sum": "q", "apart": "k"}
    return Curves(
        name="sum",
        box=HALF,
        film="numbers",
        along="radius",
        low=0.0,
        high=1.0,
        lines=tuple(Line(column=name, hue=hue, name=page[f"number.{name}"]) for name, hue in hues.items()),
        title=page["against_D"],
    )


def _cost(n: int, page: Words) -> Curves:
    """Pairs of a query and a key, against D."""
    hues = zip(COSTS, ("v", "v", "quiet"), strict=True)
    return Curves(
        name="cost",
        box=HALF,
        film="costs",
        along="radius",
        low=0.0,
        high=float(n * n),
        lines=tuple(Line(column=name, hue=hue, name=page[f"cost.{name}"], dash=name == "bound") for name, hue in hues),
        title=page["cost_title"],
    )
