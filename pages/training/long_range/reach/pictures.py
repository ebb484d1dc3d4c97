"""How far a gradient reaches → its curves against the distance, and the laws of depth and path against n."""

import math
from collections.abc import Sequence

import numpy as np

from attention_core.experiments.gradient_reach import ATTENTION
from pages.training.long_range.hues import DASHED, HUES
from pages.training.long_range.reach.numbers import ENDS, LAWS, LENGTHS, REACHED, Reaches, laws, lengths
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.text import Words

DEEPEST = -40.0  # log₁₀, of the axis: what is below is an arrow
SHOWN = (4, 16, 64, 256, 1024)  # lengths written along the slider
LEFT = Box(stack="left", span=3)
NUMBERS = Box(stack="left", height=190)
MIDDLE = Box(stack="middle", span=6, height=470)
RIGHT = Box(stack="right", span=3)
LAW = Box(stack="right", span=3, height=168)
COUNTS = Box(stack="right", height=110)


def films(reaches: Reaches, n: int) -> list[Film]:
    """Reach along the distance; ρ; depth and path along n."""
    counts, columns = laws(n), tuple(_column(kind, end) for kind in REACHED for end in ENDS)
    return [
        Film("reach", reaches.logs.reshape(len(reaches.logs), -1), ("distance",), columns=columns),
        Film("factors", reaches.factors, columns=REACHED),
        Film("laws", np.log10(counts), ("n",), columns=tuple(LAWS)),
        Film("counts", counts, ("n",), columns=tuple(LAWS)),
    ]


def _column(kind: str, end: str) -> str:
    return f"{kind}.{end}"


def distances(n: int, tokens: Sequence[str] | None, page: Words) -> tuple[str, ...]:
    """How the stops of the distance are written: with the token of a sentence that stands there."""
    if tokens is None:
        return tuple(map(str, range(n)))
    return tuple(page.data("distance_of", distance=at, token=tokens[n - 1 - at]) for at in range(n))


def sliders(n: int, at: int, n_at: int, tokens: Sequence[str] | None, page: Words) -> list[Slider]:
    """The distance, and the n of the laws."""
    apart = next(step for step in (1, 2, 4, 8, 16, 32, 64) if n / step <= 9)
    stops = lengths(n)
    return [
        Slider(
            name="distance",
            label=page["distance"],
            readings=distances(n, tokens, page),
            at=at,
            ticks=tuple((distance, str(distance)) for distance in range(0, n, apart)),
        ),
        Slider(
            name="n",
            label=page["compared"],
            readings=tuple(map(str, stops)),
            at=n_at,
            ticks=tuple((index, str(length)) for index, length in enumerate(stops) if length in SHOWN),
        ),
    ]


def plots(reaches: Reaches, n: int, page: Words) -> list[Plot]:
    """The distance and what is left there; the curves; how long one waits, and how long the way is, against n."""
    return [
        Controls(name="controls", box=LEFT, sliders=("distance",)),
        Readouts(name="left_over", box=NUMBERS, film="reach", title=page["left_over"], items=_left_over(page)),
        Readouts(name="factor", box=NUMBERS, film="factors", title=page["factor"], items=_factors(page)),
        _curves(reaches, page),
        Controls(name="controls_n", box=RIGHT, sliders=("n",)),
        *_laws(n, page),
        Readouts(name="counts", box=COUNTS, film="counts", items=_counts(page)),
    ]


def _left_over(page: Words) -> tuple[Item, ...]:
    return tuple(
        Item(label=page[f"kind.{kind}"], column=_column(kind, "median"), log=True, lost=False) for kind in REACHED
    )


def _factors(page: Words) -> tuple[Item, ...]:
    return tuple(Item(label=page[f"kind.{kind}"], column=kind, digits=3) for kind in REACHED)


def _counts(page: Words) -> tuple[Item, ...]:
    return (
        Item(label=page["count.depth"], column="depth", digits=6),
        Item(label=page["count.path"], column="path", digits=6),
        Item(label=page["count.both"], column="path.both_ways", digits=6),
        Item(label=page["count.attention"], column="path.attention"),
    )


def _laws(n: int, page: Words) -> list[Curves]:
    """How long one waits, and how long the way is."""
    attention = page["kind.attention"]
    depth = (
        Line(column="depth", hue="k", name=page["law.recurrent"]),
        Line(column="depth.attention", hue=HUES[ATTENTION], name=attention),
    )
    path = (
        Line(column="path", hue="k", name=page["law.one_way"]),
        Line(column="path.both_ways", hue="focus", name=page["law.both_ways"]),
        Line(column="path.attention", hue=HUES[ATTENTION], name=attention),
    )
    return [_law("depth", depth, n, page), _law("path", path, n, page)]


def _curves(reaches: Reaches, page: Words) -> Curves:
    finite = reaches.logs[np.isfinite(reaches.logs)]

    def line(kind: str) -> Line:
        median, least, most = (_column(kind, end) for end in ENDS)
        name = page[f"kind.{kind}"]
        return Line(column=median, hue=HUES[kind], name=name, band=(least, most), dash=kind in DASHED)

    return Curves(
        name="reach",
        box=MIDDLE,
        film="reach",
        along="distance",
        logs=True,
        low=max(DEEPEST, float(math.floor(min(-1.0, float(finite.min()))))),
        high=float(math.ceil(max(0.0, float(finite.max())) * 2) / 2),
        ends=True,
        legend=False,
        title=page["reach"],
        note=page["reach_note"],
        lines=tuple(map(line, REACHED)),
    )


def _law(name: str, lines: tuple[Line, ...], n: int, page: Words) -> Curves:
    """One law against n."""
    return Curves(
        name=name,
        box=LAW,
        film="laws",
        along="n",
        logs=True,
        low=0.0,
        high=math.log10(LENGTHS[-1]) + 0.1,
        places=tuple(map(math.log2, lengths(n))),
        ends=True,
        legend=False,
        title=page[f"law.{name}"],
        lines=lines,
    )
