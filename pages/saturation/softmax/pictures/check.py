"""Three ways to one Jacobian: by formula, by autograd, by finite differences with a slider for their step. Pure."""

from pages.saturation.softmax.numbers import ERRORS, H_STOPS, Jacobians
from pages.saturation.softmax.pictures.readings import CELL
from ui.components.lab import Box, Controls, Curves, Film, Item, Line, Map, Plot, Readouts, Slider
from ui.numbers import SUPERSCRIPTS, significant
from ui.text import Words

LEFT = Box(stack="left", span=3)


def sliders(h: float, page: Words) -> list[Slider]:
    """The step of the finite differences."""
    ticks = tuple((8 * k, f"10{str(-k).translate(SUPERSCRIPTS)}" if k else "1") for k in range(0, 13, 3))
    readings = tuple(map(significant, H_STOPS))
    return [
        Slider(name="h", label=page["h"], readings=readings, at=H_STOPS.index(h), ticks=ticks, help=page["h_help"]),
    ]


def films(three: Jacobians) -> list[Film]:
    """The three matrices, the last at every h; how far each is from the formula, at most."""
    return [
        Film("formula", three.formula.ravel()),
        Film("autograd", three.autograd.ravel()),
        Film("differences", three.differences.reshape(len(H_STOPS), -1), ("h",)),
        Film("errors", three.errors, ("h",), columns=ERRORS),
    ]


def plots(n: int, page: Words) -> list[Plot]:
    """Three matrices side by side, and the error of the differences against h."""
    errors = tuple(Item(label=page[f"check.{name}"], column=name) for name in ("autograd", "differences"))
    return [
        Controls(name="controls_h", box=LEFT, sliders=("h",)),
        Readouts(name="errors", box=LEFT, title=page["check.errors"], film="errors", items=errors),
        *(_matrix(name, n, page) for name in ("formula", "autograd", "differences")),
        Curves(
            name="error",
            box=Box(span=3, height=236),
            title=page["check.error"],
            film="errors",
            along="h",
            lines=(Line(column="log_differences", hue="k"),),
            logs=True,
            low=-17.0,
            high=0.0,
        ),
    ]


def _matrix(name: str, n: int, page: Words) -> Map:
    return Map(
        name=name,
        box=Box(span=2, narrow=2, height=236),
        title=page[f"check.{name}"],
        film=name,
        rows=n,
        cols=n,
        names=tuple(str(i + 1) for i in range(n)),
        scale="signed",
        low=-0.25,
        high=0.25,
        root=True,
        ruled=True,
        says=CELL,
    )
