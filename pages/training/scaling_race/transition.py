"""The section about the transition: a batch of trainings, each a point, and every point this session has."""

from collections.abc import Mapping

import streamlit as st

from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import Sort
from pages.training.scaling_race.numbers import (
    BREAK,
    MOST_STEPS,
    SWEEP_LR,
    SWEPT_D_K,
    SWEPT_SCALES,
    Place,
    Point,
    place,
    points,
    sweep,
)
from pages.training.scaling_race.settings import DEFAULTS
from pages.training.scaling_race.transition_figure import Mark, transition_figure
from ui.chart import chart
from ui.compute.runs import Run
from ui.controls import whole_number
from ui.layout import mode
from ui.palette import RULE_HUES
from ui.text import Words, words
from ui.training.controls import buttons, several, watch
from ui.training.progress import progress
from ui.training.recorded import recorded_run

RUN, POINTS = "sr_sweep", "sr_points"
MOST_POINTS = 400  # kept in a session


def section(page: Words) -> None:
    """Heading, text, the batch and its points."""
    st.header(page["transition.title"], anchor="transition")
    swept = {"narrow": SWEPT_D_K[0], "wide": SWEPT_D_K[-1], "small": SWEPT_SCALES[0], "large": SWEPT_SCALES[-1]}
    task = Sort()
    st.markdown(page.format("transition.text", **swept, d_k=task.d_k, lr=SWEEP_LR, line=BREAK, n=task.length))
    watch(RUN, lambda run: _batch(run, page))


def collected() -> dict[Sort, Point]:
    """Every point this session has; those of the recording where it has none."""
    return _own() or dict(_recorded())


def _own() -> dict[Sort, Point]:
    return st.session_state.setdefault(POINTS, {})


def _recorded() -> dict[Sort, Point]:
    recording = recorded_run("scaling_race_transition", place)
    return points(recording) if recording else {}


def _batch(run: Run[Place, Sort] | None, page: Words) -> None:
    own = _own()
    with st.container(horizontal=True, vertical_alignment="bottom", key="sr_sweep_buttons"):
        rules = several("sr_swept", RULES, DEFAULTS, page["transition.rules"], lambda rule: page[f"rule.{rule}"])
        steps = whole_number("sr_sweep_steps", 10, MOST_STEPS, 300, page["steps"], 115)
        seed = whole_number("sr_sweep_seed", 0, 9999, 0, page["seed"], 110)
        start = "start_batch" if own else "train_yourself_batch"
        buttons(RUN, sweep(rules, steps=steps, seed=seed), in_turns=False, start=start)
    if run is not None:
        progress(run, lambda place: _label(place, page))
        own |= points(run)
        while len(own) > MOST_POINTS:
            own.pop(next(iter(own)))
    drawn = collected()
    _chart(drawn, page)
    count = page.format("transition.count", count=len(drawn)) if drawn else page["transition.empty"]
    st.caption(count if own or not drawn else f"{words('training')['recorded_too']} {count}")


def _label(place: Place, page: Words) -> str:
    return page.data("transition.point", rule=page[f"rule.{place.rule}"], d_k=place.d_k, scale=place.scale)


def _chart(everything: Mapping[Sort, Point], page: Words) -> None:
    marks: dict[str, list[Mark]] = {}
    for config, (std, accuracy) in everything.items():
        marks.setdefault(config.rule, []).append((std, accuracy, _note(config, page)))
    figure = transition_figure(
        marks,
        mode(),
        hues=RULE_HUES,
        labels={rule: page[f"rule.{rule}"] for rule in RULES},
        x_title=page["transition.x"],
        y_title=page["transition.y"],
        line=BREAK,
        line_title=page["transition.line"],
    )
    chart(figure, key="sr_transition", alt=page.data("transition.alt", count=len(everything)))


def _note(config: Sort, page: Words) -> str:
    values = {"d_k": config.d_k, "scale": config.input_scale, "seed": config.seed, "steps": config.steps}
    return f"{page[f'rule.{config.rule}']}, {page.data('transition.told', **values)}"
