"""The reader's row: bars to pull, sliders for β and c, and everything that follows from them. Pure."""

import math

import numpy as np
from jaxtyping import Float

from pages.saturation.softmax.numbers import (
    BETAS,
    BOUNDS,
    HIGH,
    LOW,
    MEASURES,
    SHIFTS,
    STEP,
    Row,
    spectra,
)
from pages.saturation.softmax.pictures.readings import CELL
from ui.components.lab import (
    Bars,
    Box,
    Controls,
    Curves,
    Film,
    Jacobian,
    Line,
    Map,
    Plot,
    Readouts,
    Scaled,
    Slider,
    Softmax,
)
from ui.numbers import significant
from ui.readouts import reading
from ui.text import Words

BETA_PLACES = (-3.5, *(math.log2(beta) for beta in BETAS[1:]))  # of curves: logarithmic, 0 just left of the least
BETA_TICKS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SHIFT_TICKS = (-100.0, 0.0, 100.0)
FADING = {"log_trace": "v", "log_frobenius": "q", "log_spectral": "k"}
MANY, TALLER = 8, 60  # from so many bars on numbers stand on end, and take so much more height
LEFT = Box(stack="left", span=3)
HALF = Box(span=6, height=210)


def sliders(beta: float, shift: float, page: Words) -> list[Slider]:
    """The scale β and the constant c."""
    return [
        Slider(
            name="beta",
            label=page["beta"],
            readings=tuple(map(significant, BETAS)),
            at=BETAS.index(beta),
            ticks=tuple((BETAS.index(tick), significant(tick)) for tick in BETA_TICKS),
            help=page["beta_help"],
        ),
        Slider(
            name="shift",
            label=page["shift"],
            readings=tuple(map(significant, SHIFTS)),
            at=SHIFTS.index(shift),
            ticks=tuple((SHIFTS.index(tick), significant(tick)) for tick in SHIFT_TICKS),
            help=page["shift_help"],
        ),
    ]


def films(x: Row, measured: Float[np.ndarray, "beta columns"]) -> list[Film]:
    """The scores, and what was `measured` of softmax(β·x) at every β; "sizes" are no logarithms."""
    return [
        Film("x", np.array(x), ()),
        Film("beta", np.array(BETAS)[:, None], ("beta",)),
        Film("shift", np.array(SHIFTS)[:, None], ("shift",)),
        Film("measures", measured, ("beta",), columns=(*MEASURES, *BOUNDS)),
        Film("sizes", 10.0 ** measured[:, : len(MEASURES)], ("beta",), columns=MEASURES),
        Film("eigenvalues", spectra(x), ("beta",)),
    ]


def computed(n: int) -> list[Scaled | Softmax | Jacobian]:
    """What follows a bar under the finger: what softmax receives, its answer, the Jacobian."""
    return [
        Scaled(name="received", scores="x", shift="shift", factor="beta", size=n),
        Softmax(name="p", scores="received", cols=n, size=n),
        Jacobian(name="jacobian", of="p", n=n),
    ]


def plots(measured: Float[np.ndarray, "beta columns"], n: int, chosen: int, page: Words) -> list[Plot]:
    """Sliders and numbers; the bars from scores to probabilities; the Jacobian, its eigenvalues, and how it fades.

    `chosen`: the component in focus.
    """
    names = tuple(str(i + 1) for i in range(n))
    items = tuple(reading(name, page) for name in (*MEASURES, *BOUNDS))
    return [
        Controls(name="controls", box=LEFT, sliders=("beta", "shift")),
        Readouts(name="readouts", box=LEFT, title=page["readouts"], film="measures", items=items),
        *_bars(names, chosen, page),
        *_matrix(names, chosen, page),
        *_fading(measured, page),
    ]


def _bars(names: tuple[str, ...], chosen: int, page: Words) -> list[Plot]:
    """From the scores over what softmax receives to the probabilities."""
    n = len(names)

    def box(height: int) -> Box:
        return Box(stack="middle", span=5, height=height + (TALLER if n >= MANY else 0))

    return [
        Bars(
            name="scores",
            box=box(200),
            title=page["scores"],
            note=page["scores_note"],
            film="x",
            count=n,
            names=names,
            hue="ink",
            low=LOW,
            high=HIGH,
            editable=True,
            step=STEP,
            digits=4,
        ),
        Bars(
            name="received",
            box=box(150),
            title=page["received"],
            note=page["received_note"],
            film="received",
            count=n,
            hue="quiet",
            fit=True,
            digits=4,
        ),
        Bars(
            name="p",
            box=box(200),
            title=page["p"],
            note=page["p_note"],
            film="p",
            count=n,
            names=names,
            marked=chosen,
            hue="q",
            digits=4,
        ),
    ]


def _matrix(names: tuple[str, ...], chosen: int, page: Words) -> list[Plot]:
    """The Jacobian above its eigenvalues."""
    n = len(names)
    return [
        Map(
            name="jacobian",
            box=Box(stack="right", span=4, height=340),
            title=page["jacobian"],
            note=page["jacobian_note"],
            hint=page["jacobian_hint"],
            film="jacobian",
            rows=n,
            cols=n,
            names=names,
            marked=chosen,
            scale="signed",
            low=-0.25,
            high=0.25,
            root=True,
            ruled=True,
            says=CELL,
        ),
        Bars(
            name="eigenvalues",
            box=Box(stack="right", span=4, height=196 + (TALLER if n >= MANY else 0)),
            title=page["eigenvalues"],
            note=page["eigenvalues_note"],
            film="eigenvalues",
            count=n,
            names=names,
            hue="v",
            high=0.5,
            digits=4,
        ),
    ]


def _fading(measured: Float[np.ndarray, "beta columns"], page: Words) -> list[Plot]:
    """Three sizes of the Jacobian against β, on a linear and on a logarithmic axis."""
    columns = [MEASURES.index(name) for name in FADING]
    least = float(measured[:, columns].min())
    named = tuple(Line(column=name, hue=hue, name=page[f"measure.{name}"]) for name, hue in FADING.items())
    return [
        Curves(
            name="size",
            box=HALF,
            title=page["size"],
            hint=page["fading_hint"],
            film="sizes",
            along="beta",
            places=BETA_PLACES,
            lines=named,
            low=0.0,
            high=1.0,
        ),
        Curves(
            name="fading",
            box=HALF,
            title=page["fading"],
            film="measures",
            along="beta",
            places=BETA_PLACES,
            lines=tuple(Line(column=name, hue=hue) for name, hue in FADING.items()),
            logs=True,
            low=float(min(-3, math.floor(least))),
            high=0.0,
        ),
    ]
