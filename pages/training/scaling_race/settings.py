"""What a reader chooses in the scaling race, and where it stands in the link."""

import streamlit as st

from attention_core.experiments.layers import RULES
from attention_core.experiments.sort import SHOWN, Sort
from pages.training.scaling_race.numbers import D_K, MATRICES, MOST_STEPS, RATES, SCALES, race
from ui.compute.runs import Variant
from ui.controls import whole_number
from ui.text import Words
from ui.training.controls import pick, several
from ui.training.scrubber import counted, stop

KEY = "sr"
MATRIX, SEQUENCE = stop("sr_matrix", MATRICES), stop("sr_probe", counted(SHOWN))
DEFAULTS = ("none", "inverse_sqrt")


def chosen(page: Words) -> dict[Variant, Sort]:
    """Which rules race, and at what size."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="sr_settings"):
        rules = several("sr_rules", RULES, DEFAULTS, page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = pick("sr_dk", D_K, 64, page["d_k"], 90, page["d_k_help"])
        scale = pick("sr_scale", SCALES, 1.0, page["scale"], 110, page["scale_help"])
        lr = pick("sr_lr", RATES, 3e-3, page["lr"], 110)
        steps = whole_number("sr_steps", 10, MOST_STEPS, 300, page["steps"], 115)
        seed = whole_number("sr_seed", 0, 9999, 0, page["seed"], 110)
    return race(rules, d_k=d_k, scale=scale, lr=lr, steps=steps, seed=seed)
