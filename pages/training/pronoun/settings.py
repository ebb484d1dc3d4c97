"""What a reader chooses on the page its → Law, and where it stands in the link."""

import streamlit as st

from attention_core.experiments.pronoun import EXAMPLE, Pronoun
from pages.training.pronoun.numbers import D_K, MOST_STEPS, RATES, RULES, race
from pages.training.pronoun.pictures import VIEWS
from pages.training.pronoun.reading import HEADS
from ui.compute.runs import Variant
from ui.controls import whole_number
from ui.state import Setting
from ui.text import Words
from ui.training.controls import pick, several
from ui.training.scrubber import counted, stop

KEY = "pr"
TEXT = Setting(key="pr_text", default=EXAMPLE, parse=str)
ROW = Setting(key="pr_row", default="", parse=str)  # the word in focus, from 1; "": the first pronoun
LAYER = Setting(key="pr_layer", default="", parse=str)  # which one reads: its default and options are what there is
VIEW, HEAD = stop("pr_view", VIEWS), stop("pr_head", counted(HEADS))


def chosen(page: Words) -> dict[Variant, Pronoun]:
    """Which rules race, and at what size; what is chosen at first is the recipe of the shipped layer."""
    recipe = Pronoun()
    with st.container(horizontal=True, vertical_alignment="bottom", key="pr_settings"):
        rules = several("pr_rules", RULES, (recipe.rule,), page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = pick("pr_dk", D_K, recipe.d_k, page["d_k"], 90, page["d_k_help"])
        lr = pick("pr_lr", RATES, recipe.lr, page["lr"], 110)
        steps = whole_number("pr_steps", 10, MOST_STEPS, recipe.steps, page["steps"], 120)
        seed = whole_number("pr_seed", 0, 9999, recipe.seed, page["seed"], 110)
    return race(rules, d_k=d_k, lr=lr, steps=steps, seed=seed)
