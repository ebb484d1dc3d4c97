"""A scene → the past with attention on it, the future beside it; every model's forecast, and the errors by step."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from pages.training.time_series.films import (
    ENDS,
    REPEATED,
    TRUTH,
    axis,
    error_columns,
    errors,
    modes,
    seeds_columns,
)
from pages.training.time_series.numbers import NAIVE, Seeded
from pages.training.time_series.results import Row, rows, spread
from pages.training.time_series.scene import Scene
from ui.components.lab import Bars, Box, Controls, Curves, Heading, Line, Map, Plot, Slider
from ui.text import Words
from ui.training.history import NICE, TICKS
from ui.training.scrubber import counted, switch

HUES = {"attention": "k", "attention+trend": "q", "linear": "v", "linear+trend": "v"}
LEFT = Box(stack="left", span=3)
PAST = Box(span=6, narrow=4, height=334)
FUTURE = Box(span=3, narrow=4, height=360)
SPANS = {3: 4, 4: 3, 5: 2, 6: 2}  # of so many forecasts, so that rows are full


def label(variant: Seeded, page: Words) -> str:
    """What a variant is called, with its seed."""
    return variant.numbered(page.data("variant", model=page[f"model.{variant.model}"], seed=str(variant.seed)))


def sliders(scene: Scene, at: Mapping[str, int], page: Words) -> list[Slider]:
    """The scrubber, the window, the time step that is forecast, whose weights, which head."""
    of, last = scene.world.config, scene.steps[-1]
    size = next((size for size in NICE if size >= max(last / TICKS, 1)), 1)
    quarter = of.horizon // 4
    out = [
        Slider(
            name="step",
            label=page["step"],
            readings=tuple(map(str, scene.steps)),
            at=at["step"],
            ticks=tuple(
                (scene.steps.index(step), str(step)) for step in range(0, last + 1, size) if step in scene.steps
            ),
        ),
        Slider(
            name="ahead",
            label=page["ahead"],
            readings=tuple(f"+{step}" for step in range(1, of.horizon + 1)),
            at=at["ahead"],
            ticks=((0, "+1"), *((step - 1, f"+{step}") for step in range(quarter, of.horizon + 1, quarter))),
        ),
        switch("window", page["window"], tuple(map(str, scene.world.starts)), at["window"]),
    ]
    if scene.attentions:
        names = [page[f"short.{model}"] for model in scene.attentions]
        out.append(switch("which", page["which"], names, at["which"]))
        out.append(switch("head", page["head"], counted(of.n_head), at["head"]))
    return out


def plots(scene: Scene, page: Words) -> list[Plot]:
    """The past with attention on it, the future beside it; below, every model's forecast, and the errors by step."""
    trained = {row.model: row for row in rows(scene)}
    room = axis(scene)
    names = ("step", "ahead", "window", "which", "head") if scene.attentions else ("step", "ahead", "window")
    legend = (("ink", page["truth"]), ("quiet", page[f"model.{NAIVE}"]), ("v", page["forecast"]))
    out: list[Plot] = [
        Controls(name="controls", box=LEFT, sliders=names),
        Heading(name="legend", box=LEFT, legend=legend),
    ]
    if scene.attentions:
        out += [_past(scene, trained, page), _future(scene, room, trained, page)]
    forecasts = [_forecast(model, scene, room, trained, page) for model in scene.models]
    by_step = _errors(scene, page)
    out += [*forecasts, by_step] if scene.attentions else [by_step, *forecasts]
    return [*out, *_lags(scene, trained, page), *_frequencies(scene, trained, page)]


def _noted(note: str, shown: Sequence[str], trained: Collection[str], page: Words) -> str:
    """The note of a picture, and before it which of the models that are shown are untouched."""
    idle = [model for model in shown if model not in trained]
    if not idle:
        return note
    untrained = page["untrained"]
    if len(idle) < len(shown):
        models = ", ".join(page[f"short.{model}"] for model in idle)
        untrained = page.data("untrained_of", models=models, untrained=untrained)
    return f"{untrained} · {note}"


def _past(scene: Scene, trained: Collection[str], page: Words) -> Bars:
    """Where attention looks, on the line of the past."""
    past = scene.world.config.past
    return Bars(
        name="over_past",
        box=PAST,
        film="weights",
        count=past,
        fit=True,
        hue="q",
        over="past",
        title=page["past"],
        note=_noted(page.data("past_note", count=past), scene.attentions, trained, page),
    )


def _future(scene: Scene, room: tuple[float, float], trained: Collection[str], page: Words) -> Curves:
    """The forecast of the attention that is looked at."""
    low, high = room
    return Curves(
        name="own",
        box=FUTURE,
        film="own",
        along="ahead",
        low=low,
        high=high,
        legend=False,
        lines=_lines(ENDS, page),
        title=page["future"],
        note=_noted(page["future_note"], scene.attentions, trained, page),
    )


def _forecast(model: str, scene: Scene, room: tuple[float, float], trained: Mapping[str, Row], page: Words) -> Curves:
    """The forecast of one model, and its error where it is trained."""
    (low, high), row = room, trained.get(model)
    return Curves(
        name=f"forecast_{model}",
        box=Box(span=SPANS.get(len(scene.models), 3), narrow=2, height=200),
        film="forecast",
        along="ahead",
        low=low,
        high=high,
        legend=False,
        lines=_lines(seeds_columns(model), page),
        title=page[f"plot.{model}"],
        note=page.data("error_of", error=spread(row.mse, row.mse_sd)) if row else page["untrained"],
    )


def _lines(columns: tuple[str, str, str], page: Words) -> tuple[Line, ...]:
    """A forecast between the ends of its seeds, with what it is compared with."""
    mean, least, most = columns
    return (
        Line(column=REPEATED, hue="quiet", name=page[f"model.{NAIVE}"], pale=True),
        Line(column=mean, band=(least, most), hue="v", name=page["forecast"]),
        Line(column=TRUTH, hue="ink", name=page["truth"]),
    )


def _errors(scene: Scene, page: Words) -> Curves:
    """The test error of every trained model by step, and that of repeating the season."""
    table, columns = errors(scene), error_columns(scene)
    finite = table[np.isfinite(table)]
    bottom, top = float(np.floor(4 * finite.min()) / 4), float(np.ceil(finite.max()))
    lines = []
    for model in scene.models:
        mean, least, most = seeds_columns(model)
        if np.isfinite(table[:, columns.index(mean)]).any():
            hue, name = HUES.get(model, "quiet"), page[f"end.{model}"]
            lines.append(Line(column=mean, band=(least, most), hue=hue, name=name))
    lines.append(Line(column=REPEATED, hue="ink", dash=True, name=page[f"end.{NAIVE}"]))
    return Curves(
        name="errors",
        box=Box(span=12 - 3 * _beside(scene), narrow=4, height=300),
        film="errors",
        along="step",
        lines=tuple(lines),
        low=bottom,
        high=max(top, bottom + 1),
        logs=True,
        places=tuple(map(float, scene.steps)),
        ends=True,
        title=page["errors"],
        note=page["errors_note_own" if scene.world.config.values else "errors_note"],
    )


def _beside(scene: Scene) -> int:
    """How many pictures stand beside the errors: weights of models without heads, or the controls."""
    if not scene.attentions:
        return 1
    return sum(bool(scene.with_core(core)) for core in ("auto_correlation", "frequency_attention"))


def _side(scene: Scene) -> Box:
    """Beside the errors, or in a row of their own."""
    return Box(span=3 if scene.attentions else 6, narrow=4, height=300)


def _lags(scene: Scene, trained: Collection[str], page: Words) -> list[Bars]:
    """What auto-correlation weighs."""
    models = scene.with_core("auto_correlation")
    bars = Bars(
        name="lags",
        box=_side(scene),
        film="auto_correlation",
        count=scene.world.config.past,
        fit=True,
        hue="k",
        title=page["lags"],
        note=_noted(page["lags_note"], models, trained, page),
    )
    return [bars] if models else []


def _frequencies(scene: Scene, trained: Collection[str], page: Words) -> list[Map]:
    """What attention between frequencies weighs."""
    models, count = scene.with_core("frequency_attention"), modes(scene.world.config)
    weights = Map(
        name="frequencies",
        box=_side(scene),
        film="frequency_attention",
        rows=count,
        cols=count,
        root=True,
        title=page["frequencies"],
        says=page["frequencies_says"],
        note=_noted(page["frequencies_note"], models, trained, page),
    )
    return [weights] if models else []
