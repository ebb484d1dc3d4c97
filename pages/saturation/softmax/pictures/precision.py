"""What four dtypes keep of a row of two, against the gap between its scores. Pure."""

import math

from pages.saturation.softmax.numbers import DTYPES, GAPS, KEPT, ROUND_GAPS, SUBTRACTED, kept_by_dtypes
from ui.components.lab import UNDERFLOW, Box, Controls, Curves, Film, Item, Line, Plot, Readouts, Slider
from ui.numbers import significant
from ui.text import Words

HUES = {"fp16": "#CC79A7", "bf16": "k", "fp32": "q", "fp64": "v"}  # the first is Okabe–Ito's too
PLACES = tuple(map(math.log2, GAPS))
LEFT = Box(stack="left", span=3)


def sliders(gap: float, subtract_max: bool, page: Words) -> list[Slider]:
    """The gap between two scores, and whether the larger is subtracted."""
    return [
        Slider(
            name="gap",
            label=page["gap"],
            readings=tuple(map(significant, GAPS)),
            at=GAPS.index(gap),
            ticks=tuple((GAPS.index(tick), significant(tick)) for tick in ROUND_GAPS),
            help=page["gap_help"],
        ),
        Slider(
            name="subtracted",
            label=page["subtracted"],
            readings=tuple(page[f"subtract.{name}"] for name in ("on", "off")),
            at=SUBTRACTED.index(subtract_max),
            kind="switch",
            help=page["subtracted_help"],
        ),
    ]


def films() -> list[Film]:
    """What each dtype keeps at every gap, and what there would be without rounding."""
    columns = tuple(f"{dtype}.{what}" for dtype, what in KEPT)
    return [Film("precision", kept_by_dtypes(), ("subtracted", "gap"), columns=columns)]


def plots(page: Words) -> list[Plot]:
    """The winner's derivative and the loser's probability against the gap, in four dtypes and without rounding."""
    return [
        Controls(name="controls_gap", box=LEFT, sliders=("gap", "subtracted")),
        _readouts("winner", page),
        _readouts("loser", page),
        _curves("winner", Box(span=5, height=420), UNDERFLOW, page),
        _curves("loser", Box(span=4, height=420), -450.0, page),
    ]


def _readouts(what: str, page: Words) -> Readouts:
    names = {dtype: dtype for dtype in DTYPES} | {"exact": page["exact"]}
    items = tuple(Item(label=label, column=f"{dtype}.{what}", log=True, lost=False) for dtype, label in names.items())
    return Readouts(name=f"{what}_numbers", box=LEFT, title=page[what], film="precision", items=items)


def _curves(what: str, box: Box, low: float, page: Words) -> Curves:
    exact = Line(column=f"exact.{what}", hue="ink", name=page["exact"], dash=True)
    rounded = [Line(column=f"{dtype}.{what}", hue=hue, name=dtype) for dtype, hue in HUES.items()]
    return Curves(
        name=what,
        box=box,
        title=page[what],
        below=page["zero"],
        film="precision",
        along="gap",
        places=PLACES,
        lines=(exact, *reversed(rounded)),  # the coarsest on top: a line is seen to where it dies
        logs=True,
        low=low,
        high=0.0,
    )
