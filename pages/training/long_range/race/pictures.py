"""The timeline of the race → curves against the clock, and below them where attention looks."""

from collections.abc import Sequence

from attention_core.experiments.needle import SHOWN
from pages.training.long_range.hues import DASHED, HUES
from pages.training.long_range.race.numbers import (
    MEASURES,
    PARTS,
    Racers,
    attending,
    budget,
    clock,
    evaluated,
    needle,
    timeline,
    weights,
)
from pages.training.long_range.race.results import label
from ui.components.lab import Bars, Box, Controls, Curves, Film, Heading, Plot, Slider
from ui.compute.runs import Variant
from ui.numbers import significant
from ui.text import Words
from ui.training.history import History, Look, curve, film
from ui.training.scrubber import counted, switch

LEFT = Box(stack="left", span=3)
WIDE = Box(span=12, height=170)


def look(variants: Sequence[Variant], page: Words) -> Look[Variant]:
    """How their lines look."""
    return Look(
        hues={variant: HUES[variant.model] for variant in variants},
        labels={variant: label(variant, page) for variant in variants},
        dashed=[variant for variant in variants if variant.model in DASHED],
    )


def films(run: Racers) -> list[Film]:
    """Curves along the clock; the weights of the token that asks, and where the needle is."""
    out = [timeline(run).curves(MEASURES)]
    held = timeline(run, held=True)
    for name in attending(run):
        frames = held.frames(name, weights, (SHOWN, run.experiments[name].length + 1), all_steps=True)
        out += [film(f"weights {name}", frames, ("probe",)), Film(f"needle {name}", needle(run, name), ("probe",))]
    return out


def sliders(run: Racers, at: int, probe: int, page: Words) -> list[Slider]:
    """The clock, and which sequence of the probe."""
    readings = tuple(significant(stop, 3) for stop in clock(budget(run)))
    return [
        Slider(name="step", label=page["clock"], readings=readings, at=at, ticks=_ticks(clock(budget(run)))),
        switch("probe", page["probe"], counted(SHOWN), probe),
    ]


def _ticks(stops: Sequence[float]) -> tuple[tuple[int, str], ...]:
    """0, then stops at least three times as late as the one before, and the last."""
    ticks, last = [(0, "0")], 0.0
    for part, stop in enumerate(stops[1:], start=1):
        if stop >= 3 * last or part == PARTS:
            ticks.append((part, significant(stop, 2)))
            last = stop
    if len(ticks) > 2 and ticks[-1][0] - ticks[-2][0] < 5:
        ticks.pop(-2)
    return tuple(ticks)


def plots(run: Racers, sent: Sequence[Film], page: Words) -> list[Plot]:
    """The clock and who races; accuracy, loss and steps against it; below, where attention looks."""
    past, looking = timeline(run), attending(run)
    lines = look(past.variants, page)
    return [
        Controls(name="controls", box=LEFT, sliders=("step", "probe") if looking else ("step",)),
        Heading(name="legend", box=LEFT, legend=lines.legend(page["dashed"])),
        *_curves(past, sent[0], lines, evaluated(run), page),
        *(_looks(name, run.experiments[name].length, page) for name in looking),
    ]


def _curves(past: History[Variant], table: Film, lines: Look[Variant], count: int, page: Words) -> list[Curves]:
    drawn = []
    for measure in MEASURES:
        box = Box(stack=measure.key, span=3, narrow=4, height=270)
        note = page.data(f"curve.{measure.key}_note", count=count)
        drawn.append(curve(table, past, measure, lines, box, title=page[f"curve.{measure.key}"], note=note))
    return drawn


def _looks(variant: Variant, length: int, page: Words) -> Bars:
    return Bars(
        name=f"looks_{variant}",
        box=WIDE,
        film=f"weights {variant}",
        count=length + 1,
        hue="q",
        ghost=f"needle {variant}",
        ghost_name=page["needle"],
        title=label(variant, page),
        note=page["looks"],
    )
