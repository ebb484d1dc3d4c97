"""What a reader chooses on the page Alignment, and where it stands in the link."""

import streamlit as st

from attention_core.experiments.alignment import PROBE, TASKS, Alignment
from pages.training.alignment.numbers import ATTENTIONS, FEEDING, MOST_STEPS, RADII, RATES, Fed, race
from ui.controls import switch, whole_number
from ui.text import Words
from ui.training.controls import pick, several
from ui.training.scrubber import counted, stop

KEY = "al"
SEQUENCE = stop("al_probe", counted(PROBE))
DEFAULTS = ("global", "local_m", "local_p")


def chosen(page: Words) -> dict[Fed, Alignment]:
    """The task, and which variants learn it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="al_settings"):
        task = switch("al_task", TASKS[::-1], page["task"], lambda name: page[f"task_of.{name}"])
        attentions = several("al_variants", ATTENTIONS, DEFAULTS, page["variants"], lambda name: page[f"mode.{name}"])
        feeding = switch(
            "al_feed", tuple(FEEDING), page["feeding"], lambda name: page[f"feeding_of.{name}"], page["feed_help"]
        )
        D = pick("al_D", RADII, 2, "D", 80, page["D_help"])
        lr = pick("al_lr", RATES, 5e-3, page["lr"], 110)
        steps = whole_number("al_steps", 5, MOST_STEPS, 500, page["steps"], 115)
        seed = whole_number("al_seed", 0, 9999, 0, page["seed"], 110)
    st.caption(page["local_note"])
    return race(attentions, feeding, task=task, D=D, lr=lr, steps=steps, seed=seed)
