"""The history of the race → the verdict, four curves; for every rule the maps of two heads, the scores of all."""

from collections.abc import Mapping, Sequence

import numpy as np

from attention_core.experiments.induction import SHOWN, Induction
from pages.training.induction.films import head_column, spelled
from pages.training.induction.numbers import (
    HEADS,
    KINDS,
    LENGTH,
    MEASURES,
    Past,
    Seeded,
    best_heads,
    columns,
    guessing,
    latest,
    passage,
    seeds_of,
)
from ui.components.lab import Box, Controls, Curves, Film, Heading, Item, Line, Map, Plot, Readouts, Slider
from ui.compute.runs import Variant
from ui.palette import RULE_HUES
from ui.text import Words
from ui.training.history import Look, Measure, curve, ends, step_slider
from ui.training.scrubber import counted, switch

LEFT = Box(stack="left", span=3)
SHORT = Box(stack="curves", span=3, narrow=2, height=144)
EVERY = Box(span=3, narrow=2, height=190)
SYMBOLS = tuple(map(str, range(Induction().vocabulary)))  # the tokens, as the Explore pages write them


def column_label(column: Variant, page: Words) -> str:
    """What a rule is called."""
    return column.numbered(page[f"rule.{column.model}"])


def label(variant: Seeded, page: Words) -> str:
    """What a variant is called."""
    return page.data("run", rule=column_label(variant.column, page), seed=variant.seed)


def sliders(past: Past, at: Mapping[str, int], page: Words) -> list[Slider]:
    """The scrubber, which seed, which sequence of the probe."""
    return [
        step_slider(past, at["step"], page["step"]),
        switch("seed", page["seed"], tuple(map(str, seeds_of(past))), at["seed"]),
        switch("probe", page["probe"], counted(SHOWN), at["probe"]),
    ]


def plots(past: Past, sent: Sequence[Film], page: Words) -> list[Plot]:
    """The scrubber, the verdict, four curves; for every rule the two maps and the score of every head."""
    table, *_ = sent
    rules, several = columns(past), len(seeds_of(past)) > 1
    legend = tuple((RULE_HUES[column.model], column_label(column, page)) for column in rules)
    out: list[Plot] = [
        Controls(name="controls", box=LEFT, sliders=("step", "seed", "probe") if several else ("step", "probe")),
        Heading(name="legend", box=LEFT, legend=legend, note=page["legend_seeds"] if several else ""),
        *(_verdict(past, column, page) for column in rules),
        Readouts(name="period", box=LEFT, film="period", items=(Item(label=page["period"], help=page["period_help"]),)),
        *_curves(past, table, page),
    ]
    for column, runs in rules.items():
        out += _column(past, column, runs, page)
    out.append(Heading(name="every_head", box=Box(span=12), title=page["every.title"], note=page["every.note"]))
    by_name = {film.name: film.values for film in sent}
    scored = np.concatenate([by_name[f"heads {column}"].ravel() for column in rules])
    high = ends(scored, Measure(key="score"))[1]
    return [*out, *(_every_head(past, column, kind, high, page) for column in rules for kind in KINDS)]


def verdict(past: Past, column: Variant, page: Words) -> tuple[str, str]:
    """Whether the phase change happened under this rule, as a title and a sentence: what the records say, no more."""
    name, come = column_label(column, page), passage(past, column)
    if come is None or come.step == 0:
        title = page.data("verdict.before", variant=name)
        return title, page.data("verdict.before_note", accuracy=come.accuracy) if come else ""
    numbers = {"step": come.step, "accuracy": come.accuracy, "induction": come.induction}
    if not come.passed:
        key = "verdict.no" if come.step == past.steps[-1] else "verdict.not_yet"
        title = page.data(key, variant=name, step=come.step, steps=past.steps[-1])
        return title, page.data("verdict.no_note", **numbers)
    title = page.data("verdict.yes", variant=name)
    if come.seeds == 1:
        return title, page.data("verdict.yes_note", passed=come.passed[0], **numbers)
    passed = {"passed": ", ".join(map(str, come.passed)), "some": len(come.passed), "all": come.seeds}
    return title, page.data("verdict.several_note", **passed, **numbers)


def _verdict(past: Past, column: Variant, page: Words) -> Heading:
    title, note = verdict(past, column, page)
    return Heading(name=f"verdict_{column}", box=LEFT, title=title, note=note)


def _curves(past: Past, table: Film, page: Words) -> list[Curves]:
    """Further seeds stay behind the first."""
    first = min(seeds_of(past))
    lines = Look(
        hues={variant: RULE_HUES[variant.model] for variant in past.variants},
        labels={variant: label(variant, page) for variant in past.variants},
        pale=[variant for variant in past.variants if variant.seed != first],
    )
    notes = {measure.key: page[f"curve.{measure.key}_note"] for measure in MEASURES if measure.key != "accuracy"}
    notes["accuracy"] = page.data("curve.accuracy_note", guess=float(f"{guessing():.2g}"))
    return [
        curve(table, past, measure, lines, SHORT, title=page[f"curve.{measure.key}"], note=notes[measure.key])
        for measure in MEASURES
    ]


def _column(past: Past, column: Variant, runs: Mapping[int, Seeded], page: Words) -> list[Plot]:
    """One rule: its previous-token head, its induction head, and the scores of all its heads."""
    behind = _behind(past, runs, page)
    return [*(_map(past, column, runs, kind, behind, page) for kind in KINDS), _table(column, behind, page)]


def _map(past: Past, column: Variant, runs: Mapping[int, Seeded], kind: str, behind: str, page: Words) -> Map:
    """The weights of the head that is best of this kind, of the chosen seed."""
    heads = [best_heads(past, name)[kind] for _, name in sorted(runs.items())]
    names = ", ".join(dict.fromkeys(map(spelled, heads)))
    return Map(
        name=f"map_{kind}_{column}",
        box=Box(stack=f"column {column}", span=3, narrow=4, height=282),
        film=f"weights {column}",
        column=kind,
        rows=LENGTH,
        cols=LENGTH,
        names=SYMBOLS,
        order="tokens",
        title=page.data(f"map.{kind}", variant=column_label(column, page)),
        note=page.data("map.head", heads=names) + behind,
        says=page["map.says"],
        hatched=True,
    )


def _table(column: Variant, behind: str, page: Words) -> Map:
    """Two rows of scores, one column a head: the head of each map above is the largest number of its row."""
    return Map(
        name=f"table_{column}",
        box=Box(stack=f"column {column}", height=150),
        film=f"scores {column}",
        rows=len(KINDS),
        cols=len(HEADS),
        names=tuple(page[f"score.{kind}"] for kind in KINDS),
        col_names=tuple(map(spelled, HEADS)),
        ruled=True,
        title=page["table.title"],
        note=page["table.note"] + behind,
        says=page["table.says"],
        missing=page["map.missing"],
    )


def _behind(past: Past, runs: Mapping[int, Seeded], page: Words) -> str:
    """Of which step what is drawn is, where that is not the newest step of all."""
    steps = [latest(past, name) for _, name in sorted(runs.items())]
    if min(steps) < 0 or min(steps) == past.steps[past.newest]:
        return ""
    return " · " + page.data("map.behind", steps=", ".join(map(str, dict.fromkeys(steps))))


def _every_head(past: Past, column: Variant, kind: str, high: float, page: Words) -> Curves:
    """One score of every head of a rule against the step, named where its line ends; layer 2 is dashed."""

    def line(head: tuple[int, int]) -> Line:
        name = page.data("head", head=spelled(head))
        return Line(column=head_column(kind, head), hue=RULE_HUES[column.model], name=name, dash=head[0] > 0)

    return Curves(
        name=f"every_{kind}_{column}",
        box=EVERY,
        film=f"heads {column}",
        along="step",
        lines=tuple(map(line, HEADS)),
        low=0.0,
        high=high,
        places=tuple(map(float, past.steps)),
        ends=True,
        title=page.data(f"every.{kind}", variant=column_label(column, page)),
    )
