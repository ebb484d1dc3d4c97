"""The untrained layer's laboratory: sliders, the films that follow them, and the pictures. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attention_core.saturation import D_K_STOPS, DEAD, MEASURE_NAMES, N_HEAD, SWEPT_RULES, Probe, Table, factors
from pages.saturation.vanishing.curves import curves
from pages.saturation.vanishing.numbers import (
    BINS,
    GAINS,
    LOUDER,
    SUMMARY,
    Place,
    Summary,
    critical,
    histogram,
    living,
    louder,
)
from ui.components.lab import (
    Bars,
    Box,
    Contour,
    Controls,
    Film,
    Gauge,
    Grid,
    Heading,
    Histogram,
    Item,
    Jacobian,
    Map,
    Phase,
    Plot,
    Readouts,
    Remark,
    Slider,
    Softmax,
)
from ui.numbers import significant
from ui.readouts import reading
from ui.stops import d_k_slider, scale_slider
from ui.text import Words, words

AXES = ("rule", "d_k", "alpha")
HEADS = tuple(f"head {number}" for number in range(1, N_HEAD + 1))  # columns of scores and weights
CELL = "∂p({name}) / ∂s({key_name}) = {value}"  # what is told of a cell of the Jacobian
LEFT, MIDDLE, RIGHT = (Box(stack=stack, span=span) for stack, span in (("left", 3), ("middle", 5), ("right", 4)))
FIRST = "log_d_W_Q"  # the read-out that is not folded away
READ = (FIRST, "log_d_W_K", "log_d_W_V", "log_d_scores", "snr", "log_gain_low", "log_gain", "log_gain_high", "dead")
READ += ("peak", "entropy", "support", "score_std")


def sliders(place: Place, page: Words) -> list[Slider]:
    """d_k, α and the rule."""
    return [
        d_k_slider(place.d_k, page),
        scale_slider(place.alpha, page),
        Slider(
            name="rule",
            label=page["rule"],
            readings=tuple(page[f"rules.{rule}"] for rule in SWEPT_RULES),
            at=place.rule,
            kind="switch",
            help=page["rule_help"],
        ),
    ]


def films(probe: Probe, own: Table, summarised: Summary, place: Place) -> list[Film]:
    """The table of the reader's own seed, and the `summary` of the tables of all seeds."""
    scores = np.stack([probe.scores(d_k).numpy() for d_k in D_K_STOPS])
    factor = np.stack([np.reshape(factors(d_k), (len(SWEPT_RULES), -1)) for d_k in D_K_STOPS], axis=1)
    gains = own.log_gains[..., place.head, :].numpy()
    alone = np.full((*summarised.shape[:3], 1), (len(probe.x) - 1) ** -0.5, np.float32)  # the SNR of one row by itself
    curves = np.concatenate([summarised, alone], axis=-1)
    return [
        Film("scores", scores, ("d_k",), columns=HEADS),
        Film("factor", factor[..., None].astype(np.float32), AXES),
        Film("living", living(own, place.head)[..., None], AXES),
        Film("louder", louder(own, place.head), AXES, columns=LOUDER),
        Film("head", own.measures[..., place.head].numpy(), AXES, columns=MEASURE_NAMES),
        Film("row", gains[..., place.query : place.query + 1], AXES),
        Film("gains", histogram(own.log_gains.flatten(3).numpy()), AXES),
        Film("curves", curves, AXES, columns=(*SUMMARY, "alone")),
        *(Film(_critical(rule), critical(own, index), ()) for index, rule in enumerate(SWEPT_RULES)),
    ]


def computed(n: int, place: Place) -> list[Softmax | Jacobian]:
    """What the browser computes under the finger: the weights of all heads, and the Jacobian of the row in focus."""
    return [
        Softmax(name="weights", scores="scores", factor="factor", cols=n, size=N_HEAD * n * n),
        Jacobian(name="jacobian", of="weights", n=n, column=HEADS[place.head], row=place.query),
    ]


def plots(summarised: Summary, tokens: Sequence[str], place: Place, seeds: int, page: Words) -> list[Plot]:
    """The pictures: weights and read-outs first, then where they stand among all stops, then the curves of `seeds`."""
    return [
        *_numbers(tokens, place, page),
        *_weights(tokens, place, page),
        *_head(tokens, place, page),
        *_all_stops(len(tokens), page),
        *curves(summarised, place, seeds, page),
    ]


def _numbers(tokens: Sequence[str], place: Place, page: Words) -> list[Plot]:
    """The sliders, how many rows of the chosen head can learn, and its ‖∂L/∂W_Q‖; its other numbers and the gain of the
    row in focus are folded away.
    """
    n, label = len(tokens), page.data("row_gain", number=place.query + 1, token=tokens[place.query])
    first, *others = (_item(name, n, page) for name in READ)
    return [
        Controls(name="controls", box=LEFT, sliders=("d_k", "alpha", "rule")),
        Gauge(
            name="gauge",
            box=LEFT,
            film="living",
            count=n,
            title=page.data("gauge", number=place.head + 1),
            says=page["living"],
        ),
        Readouts(name="d_W_Q", box=LEFT, film="head", items=(first,)),
        *(_remark(along, page) for along in ("d_k", "alpha")),
        Heading(name="others", box=LEFT, title=page.data("readouts", number=place.head + 1), fold=True),
        Readouts(name="readouts", box=LEFT, film="head", items=tuple(others)),
        Readouts(
            name="row_gain",
            box=LEFT,
            film="row",
            items=(Item(label=label, log=True, help=page["help.log_gain"]),),
        ),
    ]


def _remark(along: str, page: Words) -> Remark:
    """What has to be said where ‖∂L/∂W_Q‖ has grown along this slider while rows have died."""
    numbers = (("before", True), ("at", False), ("lived", False), ("alive", False))
    return Remark(
        name=f"louder_{along}",
        box=LEFT,
        film="louder",
        items=tuple(Item(label=name, column=f"{along}.{name}", log=log, lost=False) for name, log in numbers),
        says=page[f"louder.{along}"],
    )


def _item(name: str, rows: int, page: Words) -> Item:
    """Under its own name; of dead rows, how many of all."""
    return replace(reading(name, page), whole=rows if name == "dead" else 0)


def _weights(tokens: Sequence[str], place: Place, page: Words) -> list[Plot]:
    """All heads as thumbnails above the row in focus."""
    n = len(tokens)
    return [
        Grid(
            name="heads",
            box=_high(MIDDLE, 385),
            title=page["heads"],
            note=page["heads_note"],
            hint=page["heads_hint"],
            film="weights",
            count=N_HEAD,
            rows=n,
            cols=n,
            titles=tuple(page.data("head_title", number=number + 1) for number in range(N_HEAD)),
            chosen=place.head,
        ),
        Bars(
            name="row",
            box=_high(MIDDLE, 180),
            title=page.data("row", number=place.query + 1, token=tokens[place.query]),
            note=page["row_note"],
            film="weights",
            column=HEADS[place.head],
            row=place.query,
            count=n,
            names=tuple(tokens),
            hue="q",
        ),
    ]


def _head(tokens: Sequence[str], place: Place, page: Words) -> list[Plot]:
    """The weights of the chosen head above the Jacobian of the row in focus."""
    n, names = len(tokens), tuple(tokens)
    return [
        Map(
            name="weights",
            box=_high(RIGHT, 320),
            title=page.data("map", number=place.head + 1),
            note=page["map_note"],
            key=True,
            hint=page["map_hint"],
            film="weights",
            column=HEADS[place.head],
            rows=n,
            cols=n,
            names=names,
            marked=place.query,
            says=words("canvas", page.language)["pair"],
        ),
        Map(
            name="jacobian",
            box=_high(RIGHT, 240),
            title=page["jacobian"],
            note=page["jacobian_note"],
            key=True,
            film="jacobian",
            rows=n,
            cols=n,
            names=names,
            scale="signed",
            low=-0.25,
            high=0.25,
            root=True,
            ruled=True,
            says=CELL,
        ),
    ]


def _all_stops(n: int, page: Words) -> list[Plot]:
    """The sliders' position among all stops, and how the gains of all rows lie there."""
    low, high = GAINS
    return [
        Phase(
            name="phase",
            box=Box(span=5, height=330),
            title=page["phase"],
            note=page["phase_note"],
            hint=page["phase_hint"],
            film="curves",
            column="log_gain.median",
            x="alpha",
            y="d_k",
            low=low,
            high=high,
            logs=True,
            lines=tuple(
                Contour(film=_critical(rule), name="σ = √(2 ln n)", fixed={"rule": index})
                for index, rule in enumerate(SWEPT_RULES)
            ),
        ),
        Histogram(
            name="gains",
            box=Box(span=7, height=330),
            title=page["gains"],
            note=page["gains_note"],
            film="gains",
            count=BINS,
            low=low,
            high=high,
            ticks=tuple((float(power), _power(power)) for power in range(-12, 1, 2)),
            axis=page.data("gains_axis", rows=N_HEAD * n),
            mark=math.log10(DEAD),
        ),
    ]


def _high(box: Box, height: int) -> Box:
    return replace(box, height=height)


def _critical(rule: str) -> str:
    """The film of the critical line under this rule."""
    return f"critical_{rule}"


def _power(power: int) -> str:
    """The tick at this power of ten; what lies below the first is counted there."""
    if power == GAINS[0]:
        return "≤ 10⁻¹²"
    return significant(10.0**power) if power > -3 else f"10{significant(10.0**power)[4:]}"
