"""What seven kinds of layer cost → films, pictures, a table and a sentence. Pure."""

import math
from functools import partial, reduce

import numpy as np

from attention_core.costs import LAYERS
from pages.mechanisms.order.costs.numbers import COUNTED, STOPS, counts
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Plot, Positions, Readouts, Slider
from ui.numbers import whole
from ui.text import Words

COLUMNS = tuple(LAYERS)
HUES = dict(zip(LAYERS, ("q", "k", "k", "k", "k", "v", "ink"), strict=True))
PALE, DASHED = ("gru", "bilstm"), ("lstm", "bilstm")
ENDS = {"parameters": (1.0, 12.0), "multiplications": (2.0, 12.0), "depth": (0.0, 3.0), "path": (0.0, 3.0)}
LEFT = Box(stack="left", span=3)


def sliders(at: Positions, page: Words) -> list[Slider]:
    """d, k and n."""
    return [
        Slider(
            name=name,
            label=page[f"cost.{name}"],
            readings=tuple(map(str, stops)),
            at=at[name],
            ticks=tuple((index, str(stop)) for index, stop in enumerate(stops)),
            help=page[f"cost.{name}_help"],
        )
        for name, stops in STOPS.items()
    ]


def films() -> list[Film]:
    """Counts, and their logarithms, at every stop of the three sliders; NaN where a path never arrives."""
    film = partial(Film, axes=tuple(STOPS), columns=COLUMNS)
    tables = {quantity: counts(quantity) for quantity in COUNTED}
    with np.errstate(divide="ignore"):
        logs = {quantity: np.where(np.isinf(table), np.nan, np.log10(table)) for quantity, table in tables.items()}
    return [
        *(film(quantity, table) for quantity, table in tables.items()),
        *(film(f"log_{quantity}", table) for quantity, table in logs.items()),
    ]


def plots(page: Words) -> list[Plot]:
    """Read-outs of all layers; then parameters over d, over n, multiplications, depth and path over n."""
    items = tuple(
        Item(label=page[f"layer.{name}"], column=name, digits=7, help=layer.torch) for name, layer in LAYERS.items()
    )
    return [
        Controls(name="cost_controls", box=LEFT, sliders=tuple(STOPS)),
        Readouts(name="cost_readouts", box=LEFT, film="parameters", title=page["cost.parameters"], items=items),
        _curves("parameters", "d", page, span=5),
        *(_curves(quantity, "length", page) for quantity in COUNTED),
    ]


def _curves(quantity: str, along: str, page: Words, *, span: int = 4) -> Curves:
    low, high = ENDS[quantity]
    return Curves(
        name=f"{quantity}_{along}",
        box=Box(span=span, height=290),
        film=f"log_{quantity}",
        along=along,
        logs=True,
        low=low,
        high=high,
        ends=True,
        title=page[f"cost.{quantity}"],
        note=page[f"cost.{quantity}_note"],
        lines=tuple(
            Line(column=name, hue=HUES[name], name=page[f"layer.{name}"], pale=name in PALE, dash=name in DASHED)
            for name in LAYERS
        ),
    )


def table(d: int, k: int, n: int, page: Words) -> str:
    """Every layer with its formula and its exact numbers, as Markdown."""
    head = "| " + " | ".join(page[f"cost.{name}"] for name in ("layer", "formula", *COUNTED)) + " |"
    rows = [head, "|---|---|" + "---:|" * len(COUNTED)]
    for name, layer in LAYERS.items():
        numbers = " | ".join(_exactly(getattr(layer, quantity)(d, k, n)) for quantity in COUNTED)
        rows.append(f"| {page[f'layer.{name}']} | ${layer.formula}$ | {numbers} |")
    return "\n".join(rows)


def claim(d: int, k: int, n: int, page: Words) -> str:
    """Which recurrent and convolutional layers have fewer parameters than attention at these sizes."""
    parameters = {name: layer.parameters(d, k, n) for name, layer in LAYERS.items()}
    attention = parameters.pop("attention")
    fewer = [name for name, count in parameters.items() if count < attention]
    more = [name for name in parameters if name not in fewer]

    def listed(names: list[str]) -> str:
        parts = [f"{page[f'layer.{name}']} ({_exactly(parameters[name])})" for name in names]
        return reduce(lambda first, second: page["list"].format(first=first, second=second), parts) if parts else "–"

    head = page["claim"].format(attention=_exactly(attention), d=d, k=k, n=n)
    return f"{head} {page['claim_more'].format(names=listed(more))} {page['claim_fewer'].format(names=listed(fewer))}"


def _exactly(count: int | float) -> str:
    """All digits, in groups of three."""
    return "∞" if math.isinf(count) else whole(count)
