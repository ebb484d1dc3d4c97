"""The history of aligners → films along the steps, curves, and a map of every alignment beside the right one."""

from collections.abc import Mapping, Sequence

import numpy as np

from attention_core.experiments.alignment import PROBE, Alignment
from attention_core.experiments.base import Record
from pages.training.alignment.numbers import MEASURES, WITHIN, Aligners, Fed, evaluated, on_the_right, task_of
from ui.components.lab import Box, Controls, Curves, Film, Heading, Item, Plot, Readouts, Slider
from ui.text import Words
from ui.training.alignment import LENGTH, LOCAL, alignment_map, center_bars, centers, right, weights
from ui.training.history import History, Look, curve, film, step_slider
from ui.training.scrubber import counted, switch

HUES = {"global": "q", "additive": "v", "local_m": "k", "local_p": "ink", "none": "quiet"}
LEFT = Box(stack="left", span=3)
BELOW = Box(stack="rest", span=4, narrow=2, height=178)  # beside or below the maps
ROOM = {
    "accuracy": Box(stack="accuracy", span=3, narrow=4, height=206),
    "right": Box(stack="right", span=3, narrow=2, height=206),
    "loss": Box(stack="loss", span=3, narrow=2, height=206),
    "entropy": BELOW,
    "row_sum": BELOW,
}


def label(variant: Fed, page: Words) -> str:
    """What a variant is called."""
    return variant.numbered(page[f"mode.{variant.model}"] + (f" {page['with_feed']}" if variant.feed else ""))


def look(variants: Sequence[Fed], page: Words) -> Look[Fed]:
    """How their lines look."""
    return Look(
        hues={variant: HUES[variant.model] for variant in variants},
        labels={variant: label(variant, page) for variant in variants},
        dashed=[variant for variant in variants if variant.feed],
    )


def films(run: Aligners, past: History[Fed], *, all_steps: bool) -> list[Film]:
    """Curves along the steps; alignments and places at every step, or at the newest while it trains; the right ones."""
    target = np.zeros((LENGTH, LENGTH), dtype=np.float32)
    target[np.arange(LENGTH), right(task_of(run))] = 1.0
    out = [past.curves(MEASURES), Film("target", target.reshape(-1))]
    for variant, config in run.experiments.items():
        out += _looks(past, variant, config, all_steps=all_steps)
    return out


def _looks(past: History[Fed], variant: Fed, config: Alignment, *, all_steps: bool) -> list[Film]:
    """Where one variant looks, where it should, and how much of its weight lies there."""

    def maps(record: Record) -> np.ndarray:
        return weights(config, record).reshape(PROBE, -1)

    def places(record: Record) -> np.ndarray:
        return centers(config, record).astype(np.float32)

    def shares(record: Record) -> np.ndarray:
        return np.array([on_the_right(config, record, within) for within in WITHIN], dtype=np.float32)

    alignments = past.frames(variant, maps, (PROBE, LENGTH**2), all_steps=all_steps)
    middles = past.frames(variant, places, (PROBE, LENGTH), all_steps=all_steps)
    parts = past.frames(variant, shares, (len(WITHIN),), all_steps=all_steps)
    return [
        film(f"alignment {variant}", alignments, ("probe",)),
        Film(f"right {variant}", right(config.task).astype(np.float32)),
        film(f"center {variant}", middles, ("probe",)),
        film(f"shares {variant}", parts, (), columns=tuple(map(str, WITHIN))),
    ]


def sliders(past: History[Fed], at: Mapping[str, int], page: Words) -> list[Slider]:
    """The scrubber, and which sequence of the probe."""
    return [step_slider(past, at["step"], page["step"]), switch("probe", page["probe"], counted(PROBE), at["probe"])]


def plots(run: Aligners, past: History[Fed], sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber and the curves; below, the right alignment and that of every variant, and where each looks."""
    lines = look(past.variants, page)
    drawn = _curves(past, sent[0], lines, evaluated(run), page)
    out: list[Plot] = [
        Controls(name="controls", box=LEFT, sliders=("step", "probe")),
        Heading(name="legend", box=LEFT, legend=lines.legend(page["dashed"])),
        Heading(name="beside", box=LEFT, title=page["beside"], note=page["beside_note"]),
        *(drawn[title] for title in ("accuracy", "right", "loss")),
        alignment_map(
            "target", "target", stack="target", title=page[f"target.{task_of(run)}"], note=page["map_note"], narrow=4
        ),
    ]
    for variant in past.variants:
        out += _column(variant, page)
    return [*out, drawn["entropy"], drawn["row_sum"]]


def _curves(past: History[Fed], table: Film, lines: Look[Fed], count: int, page: Words) -> Mapping[str, Curves]:
    return {
        measure.key: curve(
            table,
            past,
            measure,
            lines,
            ROOM[measure.key],
            title=page[f"curve.{measure.key}"],
            note=page.data(f"curve.{measure.key}_note", count=count, length=LENGTH),
        )
        for measure in MEASURES
    }


def _column(variant: Fed, page: Words) -> list[Plot]:
    """One variant: its alignment; below it where it looks, and how much of its weight lies on the right place."""
    stack, mode = str(variant), variant.model
    alignment = alignment_map(f"map_{variant}", f"alignment {variant}", stack=stack, title=label(variant, page))
    if mode == "none":
        return [alignment]
    places = center_bars(
        f"center_{variant}",
        f"center {variant}",
        stack=stack,
        right_film=f"right {variant}",
        right_name=page["right"],
        title=page["center" if mode in LOCAL else "mean_place"],
        hue=HUES[mode],
    )
    shares = Readouts(
        name=f"shares_{variant}",
        box=Box(stack=stack),
        film=f"shares {variant}",
        items=tuple(Item(label=page[f"within.{within}"], column=str(within), digits=2) for within in WITHIN),
        title=page.data("shares", count=PROBE),
    )
    return [alignment, places, shares]
