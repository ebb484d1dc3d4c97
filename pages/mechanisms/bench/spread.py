"""Additive scores and dot products as d_k grows → films, the slider, pictures. Pure."""

from functools import partial

import torch

from attention_core.mechanisms.bench import SPREADING, WIDTHS, Spread
from pages.mechanisms.bench.wording import title
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.text import Words

KEYS = tuple(SPREADING)
HUES = {"dot": "k", "scaled_dot": "q", "additive": "v"}
ROOT = "√d_k"  # what the deviation of a dot product is said to be
TICKED = (1, 4, 16, 64, 256, 1024)
LEFT = Box(stack="left", span=3)
CURVES = Box(span=3, height=300)


def films(spread: Spread) -> list[Film]:
    """log₁₀ of the standard deviations, largest weights and traces at every d_k."""
    roots = torch.tensor([WIDTHS], dtype=torch.float64).log10().mT / 2
    film = partial(Film, axes=("width",))
    return [
        film("std", torch.cat((spread.std.log10(), roots), dim=-1).float().numpy(), columns=(*KEYS, ROOT)),
        film("peak", spread.peak.float().numpy(), columns=KEYS),
        film("trace", spread.trace.float().numpy(), columns=KEYS),
    ]


def sliders(at: int, page: Words) -> list[Slider]:
    """d_k, two stops to an octave."""
    return [
        Slider(
            name="width",
            label="d_k",
            readings=tuple(map(str, WIDTHS)),
            at=at,
            ticks=tuple((WIDTHS.index(width), str(width)) for width in TICKED),
            help=page["width_help"],
        )
    ]


def plots(page: Words) -> list[Plot]:
    """The slider and its read-outs, then the three curves."""
    names = {key: title(key, mechanism, page) for key, mechanism in SPREADING.items()}
    lines = tuple(Line(column=key, hue=HUES[key], name=name) for key, name in names.items())
    root = Line(column=ROOT, hue="ink", name=ROOT, dash=True)
    logs = tuple(Item(label=name, column=key, log=True) for key, name in names.items())
    items = tuple(Item(label=name, column=key) for key, name in names.items())
    curves = partial(Curves, box=CURVES, along="width")
    shares = partial(curves, low=0.0, high=1.0, lines=lines)
    return [
        Controls(name="controls", box=LEFT, sliders=("width",)),
        Readouts(name="stds", box=LEFT, title=page["spread.std"], film="std", items=logs),
        Readouts(name="peaks", box=LEFT, title=page["spread.peak"], film="peak", items=items),
        curves(name="std", film="std", logs=True, low=-0.5, high=1.75, title=page["spread.std"], lines=(*lines, root)),
        shares(name="peak", film="peak", title=page["spread.peak"]),
        shares(name="trace", film="trace", title=page["spread.trace"]),
    ]
