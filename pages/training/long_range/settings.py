"""What a reader chooses on the page about long range, and where it stands in the link."""

import streamlit as st

from attention_core.experiments.needle import SHOWN, Needle
from pages.training.long_range.race.numbers import BUDGETS, LENGTHS, MODELS, RATES, race
from pages.training.long_range.reach.numbers import BATCH, LONGEST
from ui.compute.runs import Variant
from ui.controls import whole_number
from ui.controls.table import TEXT
from ui.controls.widgets import pills
from ui.state import Setting
from ui.text import Words
from ui.training.controls import pick, several
from ui.training.scrubber import counted, stop

KEY = "lg"
SEQUENCE = stop("lg_probe", counted(SHOWN))
PART = Setting(key="lg_part", default="", parse=str)  # of the clock; "": the newest
MANY = Setting(key="lg_many", default="", parse=str)  # the n of the laws; "": the reader's own
DEFAULTS = ("attention", "gru", "lstm")
SOURCES = ("sentence", "noise")


def source() -> Setting[str]:
    """Whose vectors: random ones, which show the reach at a glance; a reader's own sentence where there is one."""
    default = "noise" if TEXT.peek() == TEXT.default else "sentence"
    return Setting(key="lg_source", default=default, parse=str, options=SOURCES)


def distance(n: int) -> Setting[str]:
    """How far the gradient has come; half of the way where a link says nothing."""
    return Setting(key="lg_distance", default=str(n // 2), parse=str)


def vectors(page: Words) -> tuple[str, int, int]:
    """Whose vectors, how many of them if they are random, and the first seed."""
    whose = pills(
        source(), page["source"], lambda name: page[f"source_of.{name}"], page.format("source_help", count=BATCH)
    )
    n = 64
    if whose == "noise":
        n = whole_number("lg_n", 2, LONGEST, 64, page["drawn"], 145)
    return whose, n, whole_number("lg_drawn", 0, 9999, 0, page["first_seed"], 110)


def chosen(page: Words) -> dict[Variant, Needle]:
    """Which models race, how long the sequence is, and how long each may train."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="lg_settings"):
        kinds = several("lg_models", MODELS, DEFAULTS, page["models"], lambda kind: page[f"kind.{kind}"])
        length = pick("lg_length", LENGTHS, 128, page["length"], 185, page["length_help"])
        seconds = pick("lg_seconds", BUDGETS, 20, page["seconds"], 120, page["seconds_help"])
        lr = pick("lg_lr", RATES, 3e-3, page["lr"], 110)
        seed = whole_number("lg_seed", 0, 9999, 0, page["seed"], 110)
    return race(kinds, length=length, seconds=seconds, lr=lr, seed=seed)
