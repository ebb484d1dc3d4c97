"""What a reader chooses on the page about induction heads, and where it stands in the link."""

import streamlit as st

from attention_core.experiments.induction import SHOWN, Induction
from attention_core.experiments.layers import RULES
from pages.training.induction.numbers import D_K, MOST_STEPS, RATES, SEEDS, Seeded, race
from ui.controls import whole_number
from ui.text import Words
from ui.training.controls import pick, several
from ui.training.scrubber import counted, stop

KEY = "in"
SEQUENCE = stop("in_probe", counted(SHOWN))
SEED = "in_shown"  # the key; which there are depends on the run
DEFAULTS = ("none", "inverse_sqrt")


def chosen(page: Words) -> dict[Seeded, Induction]:
    """Which rules race, at what size, and with how many seeds."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="in_settings"):
        rules = several("in_rules", RULES, DEFAULTS, page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = pick("in_dk", D_K, 32, page["d_k"], 90, page["d_k_help"])
        lr = pick("in_lr", RATES, 3e-3, page["lr"], 110)
        steps = whole_number("in_steps", 10, MOST_STEPS, 350, page["steps"], 115)
        seed = whole_number("in_seed", 0, 9999, 0, page["first_seed"], 115)
        seeds = pick("in_seeds", SEEDS, 1, page["seeds"], 100, page["seeds_help"])
    return race(rules, d_k=d_k, lr=lr, steps=steps, seed=seed, seeds=seeds)
