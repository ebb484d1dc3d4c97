"""One head of an untrained layer under every remedy: sliders, the films that follow them, and the pictures. Pure.

While one slider moves the others stand still, so there is a film for each slider through the place where all stand.
"""

import math
from collections.abc import Sequence

from attention_core.remedy_curves import COLUMNS, Axis, Place
from pages.saturation.remedies.numbers import AXES, BASELINE, CODES, KEYS, Sweeps, coded
from ui.components.lab import (
    UNDERFLOW,
    Box,
    Controls,
    Curves,
    Film,
    Fork,
    Grid,
    Item,
    Line,
    Map,
    Plot,
    Readouts,
    Slider,
)
from ui.stops import d_k_slider, lowest, scale_slider, sunk
from ui.text import Words, words

LEFT = Box(stack="left", span=3)
# Curves: column, whether it is a logarithm, and the ends of its axis (None: the data's).
CURVES: tuple[tuple[str, bool, float, float | None], ...] = (
    ("log_gain", True, UNDERFLOW, 0.0),
    ("log_d_scores", True, UNDERFLOW, None),
    ("peak", False, 0.0, 1.0),
    ("entropy", False, 0.0, None),
)


def sliders(place: Place, n: int, page: Words) -> list[Slider]:
    """d_k, α, and how many of the n tokens."""
    at = place.at()
    shown = range(0, n - 1, max(1, math.ceil(n / 8)))
    return [
        d_k_slider(at["d_k"], page),
        scale_slider(at["alpha"], page),
        Slider(
            name="n",
            label=page["n"],
            readings=tuple(map(str, range(2, n + 1))),
            at=at["n"],
            ticks=tuple((index, str(index + 2)) for index in shown),
            help=page["n_help"],
        ),
    ]


def films(sweeps: Sweeps, place: Place, chosen: str) -> list[Film]:
    """Thumbnails as codes, the chosen remedy in full, and the table; each along every slider."""
    columns = tuple(f"{key}.{column}" for key in KEYS for column in COLUMNS)
    along_all: list[Film] = []
    for along, swept in sweeps.items():
        others = {name: index for name, index in place.at().items() if name != along}
        along_all += [
            Film(f"thumbs_{along}", coded(swept.weights), (along,), others, codes=CODES),
            Film(f"chosen_{along}", swept.weights[:, KEYS.index(chosen)], (along,), others),
            Film(f"table_{along}", swept.table, (along,), others, columns=columns),
        ]
    return along_all


def computed() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    return [Fork(name=name, films=tuple(f"{name}_{along}" for along in AXES)) for name in ("thumbs", "chosen", "table")]


def plots(sweeps: Sweeps, tokens: Sequence[str], chosen: str, page: Words) -> list[Plot]:
    """Sliders and read-outs, the thumbnails, the chosen one; then the curves, a row of three for every measure."""
    name = page[f"remedy.{chosen}.name"]
    items = tuple(_item(column, chosen, page) for column in COLUMNS)
    return [
        Controls(name="controls", box=LEFT, sliders=AXES),
        Readouts(name="readouts", box=LEFT, title=page.data("readouts", name=name), film="table", items=items),
        Grid(
            name="thumbs",
            box=Box(span=5, height=400),
            title=page["thumbs"],
            hint=page["thumbs_hint"],
            film="thumbs",
            count=len(KEYS),
            rows=len(tokens),
            cols=len(tokens),
            titles=tuple(page[f"remedy.{key}.short"] for key in KEYS),
            chosen=KEYS.index(chosen),
        ),
        Map(
            name="chosen",
            box=Box(span=4, height=400),
            title=name,
            note=page["chosen_note"],
            key=True,
            film="chosen",
            rows=len(tokens),
            cols=len(tokens),
            names=tuple(tokens),
            says=words("canvas", page.language)["pair"],
        ),
        *(_curves(*curve, along, sweeps, chosen, page) for curve in CURVES for along in AXES),
    ]


def _item(column: str, chosen: str, page: Words) -> Item:
    return Item(
        label=page[f"column.{column}"],
        column=f"{chosen}.{column}",
        log=column.startswith("log_"),
        unit=page["nats"] if column == "entropy" else "",
        help=page[f"help.{column}"],
        whole="n" if column == "dead" else 0,
    )


def _curves(
    column: str, logs: bool, low: float, high: float | None, along: Axis, sweeps: Sweeps, chosen: str, page: Words
) -> Curves:
    if high is None:
        top = max(float(swept.table[..., COLUMNS.index(column)].max()) for swept in sweeps.values())
        high = float(math.ceil(top)) if logs else math.ceil(2 * top) / 2
    lines = [_line(column, key, chosen, page) for key in KEYS]
    return Curves(
        name=f"{column}_{along}",
        box=Box(span=4, height=240),
        title=page.data(f"against.{along}", measure=page[f"column.{column}"]),
        film=f"table_{along}",
        along=along,
        lines=tuple(sorted(lines, key=lambda line: (not line.pale, line.hue != "q"))),
        logs=logs,
        low=lowest(along, low),
        high=high,
        below=sunk(along, low, page),
        ends=True,
    )


def _line(column: str, key: str, chosen: str, page: Words) -> Line:
    """The chosen remedy and the baseline stand out."""
    return Line(
        column=f"{key}.{column}",
        hue="k" if key == chosen else "q" if key == BASELINE else "quiet",
        name=page[f"remedy.{key}.short"],
        pale=key not in (chosen, BASELINE),
    )
