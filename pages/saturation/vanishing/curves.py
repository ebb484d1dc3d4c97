"""Every measure of the untrained layer against d_k and against α, the median and the band over all seeds. Pure."""

import math

import numpy as np

from attention_core.saturation import N_HEAD, SWEPT_RULES
from pages.saturation.vanishing.numbers import Place, Summary, quantiles_of
from ui.components.lab import UNDERFLOW, Box, Curves, Heading, Line, Plot
from ui.palette import RULE_HUES
from ui.stops import lowest, sunk
from ui.text import Words

WHOLE = Box(span=12)
# Measure, whether it is a logarithm, and the ends of its axis (None: the data's). The first three lead.
LEADING = 3
CURVES: tuple[tuple[str, bool, float, float | None], ...] = (
    ("log_gain", True, UNDERFLOW, 0.0),
    ("dead", False, 0.0, 1.0),
    ("log_d_W_Q", True, UNDERFLOW, None),
    ("log_d_W_K", True, UNDERFLOW, None),
    ("log_d_W_V", True, -1.0, None),
    ("log_d_scores", True, UNDERFLOW, None),
    ("snr", False, 0.0, None),
    ("frobenius", False, 0.0, 0.5),
    ("peak", False, 0.0, 1.0),
    ("entropy", False, 0.0, None),
    ("support", False, 0.0, None),
    ("score_std", True, -2.0, None),
)


def curves(summarised: Summary, place: Place, seeds: int, page: Words) -> list[Plot]:
    """Every measure against d_k and against α: those that lead, then the others, folded away."""
    note = page.data("curves_note" if seeds > 1 else "curves_first", heads=N_HEAD, seeds=seeds, head=place.head + 1)
    legend = tuple((RULE_HUES[rule], page[f"rules.{rule}"]) for rule in SWEPT_RULES)
    drawn = {along: [_against(along, *curve, summarised, page) for curve in CURVES] for along in ("d_k", "alpha")}
    return [
        Heading(name="curves", box=WHOLE, title=page["curves"], note=note, legend=legend),
        *(curve for of_slider in drawn.values() for curve in of_slider[:LEADING]),
        Heading(name="more", box=WHOLE, title=page["more"], fold=True),
        *(curve for pair in list(zip(*drawn.values(), strict=True))[LEADING:] for curve in pair),
    ]


def _against(
    along: str, measure: str, logs: bool, low: float, high: float | None, summarised: Summary, page: Words
) -> Curves:
    if high is None:
        top = float(np.nanmax(quantiles_of(measure, summarised)))
        high = float(math.ceil(max(top, low + 1))) if logs else _round_up(top)
    lines = tuple(_line(measure, rule, page) for rule in SWEPT_RULES)
    if measure == "snr":
        lines += (Line(column="alone", hue="quiet", name="1/√(n−1)", dash=True),)
    return Curves(
        name=f"{measure}_{along}",
        title=page.data(f"against.{along}", measure=page[f"measure.{measure}"]),
        film="curves",
        along=along,
        lines=lines,
        logs=logs,
        low=lowest(along, low),
        high=high,
        below=sunk(along, low, page),
        legend=False,
    )


def _line(measure: str, rule: str, page: Words) -> Line:
    return Line(
        column=f"{measure}.median",
        band=(f"{measure}.low", f"{measure}.high"),
        fixed={"rule": SWEPT_RULES.index(rule)},
        hue=RULE_HUES[rule],
        name=page[f"rules.{rule}"],
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * power for step in (1, 2, 5, 10, 20) if step * power >= value)
