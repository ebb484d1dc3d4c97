"""The article's row [a, a, 2a]: its slider, what follows it, and the pictures. Pure."""

from pages.saturation.softmax.numbers import (
    A_STOPS,
    DTYPES,
    FAVOURITE,
    MEASURES,
    article_numbers,
    article_rows,
    softmax_is_one,
)
from ui.components.lab import Bars, Box, Controls, Curves, Film, Heading, Item, Line, Plot, Readouts, Slider, Softmax
from ui.numbers import significant
from ui.readouts import reading
from ui.text import Words

TICKS = (0, 1, 5, 10, 20, 30, 40, 60, 80, 100)
READ = ("entropy", "support", "log_trace", "log_frobenius", "log_spectral")
LEFT = Box(stack="left", span=3)


def sliders(a: float, page: Words) -> list[Slider]:
    """The slider for a."""
    ticks = tuple((A_STOPS.index(tick), str(tick)) for tick in TICKS)
    readings = tuple(map(significant, A_STOPS))
    return [
        Slider(name="a", label="a", readings=readings, at=A_STOPS.index(a), ticks=ticks, help=page["a_help"]),
    ]


def films() -> list[Film]:
    """The row, y₃ and 1 − y₃, and the measures, at every a."""
    return [
        Film("row", article_rows(), ("a",)),
        Film("article", article_numbers(), ("a",), columns=(*FAVOURITE, *MEASURES)),
    ]


def computed() -> list[Softmax]:
    """y, in the browser."""
    return [Softmax(name="y", scores="row", cols=3, size=3)]


def plots(page: Words) -> list[Plot]:
    """The slider and numbers, the row and its softmax, y₃ on a linear axis, 1 − y₃ on a logarithmic one."""
    return [
        Controls(name="controls_a", box=LEFT, sliders=("a",)),
        Readouts(name="numbers_a", box=LEFT, title=page["at_a"], film="article", items=_items(page)),
        Heading(name="more_a", box=LEFT, title=page["more"], fold=True),
        Readouts(name="measures_a", box=LEFT, film="article", items=tuple(reading(name, page) for name in READ)),
        *_bars(page),
        *_curves(page),
    ]


def _items(page: Words) -> tuple[Item, ...]:
    return (
        Item(label=page["y3"], column="y3"),
        Item(label=page["rest3"], column="log_rest3", log=True),
        Item(label=page["y1"], column="log_y1", log=True),
    )


def _bars(page: Words) -> list[Plot]:
    """The row above its softmax."""
    return [
        Bars(
            name="row",
            box=Box(stack="middle", span=4, height=200),
            title=page["row"],
            note=page["row_note"],
            film="row",
            count=3,
            names=("a", "a", "2a"),
            hue="ink",
            fit=True,
            digits=4,
        ),
        Bars(
            name="y",
            box=Box(stack="middle", span=4, height=240),
            title=page["y"],
            note=page["y_note"],
            film="y",
            count=3,
            names=("1", "2", "3"),
            hue="q",
            digits=4,
        ),
    ]


def _curves(page: Words) -> list[Plot]:
    """y₃ on a linear axis, 1 − y₃ on a logarithmic one, with the a from which on each dtype says 1."""
    return [
        Curves(
            name="linear",
            box=Box(stack="right", span=5, height=190),
            title=page["linear"],
            note=page["linear_note"],
            film="article",
            along="a",
            places=A_STOPS,
            lines=(Line(column="y3", hue="q"),),
            low=0.0,
            high=1.0,
        ),
        Curves(
            name="logarithm",
            box=Box(stack="right", span=5, height=270),
            title=page["logarithm"],
            note=page["logarithm_note"],
            film="article",
            along="a",
            places=A_STOPS,
            lines=(Line(column="log_rest3", hue="q"),),
            logs=True,
            low=-45.0,
            high=0.0,
            marks=tuple(sorted((softmax_is_one(dtype), dtype) for dtype in DTYPES)),
        ),
    ]
