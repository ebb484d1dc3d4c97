"""What a reader chooses on the page about time series, and where it stands in the link."""

from collections.abc import Callable, Mapping

import streamlit as st

from attention_core.experiments.series import Series
from pages.training.time_series.numbers import (
    MOST_STEPS,
    NOISES,
    PASTS,
    SEASONS,
    SEEDS,
    SEGMENTS,
    SLOPES,
    SLOW,
    WORLD,
    base,
)
from pages.training.time_series.scene import Scene
from ui.controls import choose, switch, whole_number
from ui.state import Setting
from ui.text import Words
from ui.training.controls import pick, several

KEY, MANY = "ts", "ts_many"
DEFAULTS = ("attention", "attention+trend", "auto_correlation+trend", "frequency")
QUICK = ("auto_correlation+trend", "frequency")  # of the batch
STEP = Setting(key="ts_step", default="", parse=str)  # "": the newest
AHEAD = Setting(key="ts_ahead", default="1", parse=str)
WINDOW = Setting(key="ts_window", default="1", parse=str)
WHICH = Setting(key="ts_which", default="", parse=str)  # attention; "": the first
HEAD = Setting(key="ts_head", default="1", parse=str)


def chosen(page: Words, own: Callable[[Words, int], tuple[float, ...]]) -> tuple[Series, list[str], int]:
    """The series, the models that are trained on demand, with how many seeds; `own` asks for the reader's numbers."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="ts_settings"):
        source = switch("ts_source", ("made", "own"), page["source"], lambda name: page[f"sources.{name}"])
        place = st.container(horizontal=True, vertical_alignment="bottom", width="content")
        past = pick("ts_past", PASTS, 96, page["past_pick"], 105, page["past_pick_help"])
        steps = whole_number("ts_steps", 10, MOST_STEPS, 400, page["steps"], 115)
        seeds = pick("ts_seeds", SEEDS, 1, page["seeds"], 90, page["seeds_help"])
    models = several("ts_models", SLOW, DEFAULTS, page["models"], lambda model: page[f"model.{model}"])
    if source == "made":
        with place:
            return _made(page, past, steps), models, seeds
    values = own(page, past)
    return base(values=values, past=past, steps=steps), models, seeds


def _made(page: Words, past: int, steps: int) -> Series:
    """The pieces of a made series."""
    slope = pick("ts_slope", SLOPES, 1.0, page["slope"], 90, page["slope_help"])
    season = pick("ts_season", SEASONS, 1.0, page["season"], 90, page["season_help"])
    segment = _segment(page)
    noise = pick("ts_noise", NOISES, 0.3, page["noise"], 90, page["noise_help"])
    world = whole_number("ts_world", 0, 9999, WORLD, page["world"], 120)
    return base(slope=slope, season=season, segment=segment, noise=noise, world=world, past=past, steps=steps)


def _segment(page: Words) -> int:
    """How often the trend changes."""
    options = ("500", *(str(segment) for segment in SEGMENTS if segment != 500))
    names = {option: page[f"segments.{option}"] for option in options}
    return int(choose("ts_segment", options, page["segment"], names.__getitem__, page["segment_help"], 160))


def places(scene: Scene, last: int, *, resting: bool) -> Mapping[str, int]:
    """Where the sliders stand; `last`: the newest step, where they stand while it trains."""
    step, which = STEP.value(), WHICH.value()
    pinned = resting and step in map(str, scene.steps)
    return {
        "step": scene.steps.index(int(step)) if pinned else last,
        "ahead": _place(AHEAD, scene.world.config.horizon),
        "window": _place(WINDOW, len(scene.world.starts)),
        "which": scene.attentions.index(which) if which in scene.attentions else 0,
        "head": _place(HEAD, scene.world.config.n_head),
    }


def moved(scene: Scene, last: int, at: Mapping[str, int], *, resting: bool) -> None:
    """The reader has left the sliders there."""
    AHEAD.put(str(at["ahead"] + 1))
    WINDOW.put(str(at["window"] + 1))
    if scene.attentions:
        WHICH.put(scene.attentions[at["which"]] if at["which"] else "")
        HEAD.put(str(at["head"] + 1))
    if resting:
        STEP.put("" if at["step"] == last else str(scene.steps[at["step"]]))


def _place(setting: Setting[str], count: int) -> int:
    spelling = setting.value()
    return int(spelling) - 1 if spelling in map(str, range(1, count + 1)) else 0
