"""Alignment: encoder and decoder learn to copy or to reverse, live, and with them where to look."""

import streamlit as st

from attention_core.experiments.alignment import PROBE, TASKS
from attention_core.experiments.base import Experiment
from ui.components.lab import Positions, lab
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import switch, whole_number
from ui.layout import page_header, take_away, trust_line
from ui.link import recall, remember
from ui.text import Words, words
from ui.training import panel
from ui.training.alignment import (
    ATTENTIONS,
    FEEDING,
    MOST_STEPS,
    RADII,
    RATES,
    aligned,
    arrays,
    evaluated,
    films,
    known,
    label,
    plots,
    race,
    sliders,
    snippet,
    task_of,
    variant_of,
    variants,
)
from ui.training.fingerprints import fingerprints
from ui.training.scrubber import left, standing
from ui.training.style import progress_style
from ui.training.untouched import untouched

KEY = "al"
DEFAULTS = ("global", "local_m", "local_p")
# On a telephone the pills go on in a second row.
STYLE = '<style>.st-key-al_variants [data-testid="stButtonGroup"] > div { flex-wrap: wrap; }</style>'


def chosen(page: Words) -> dict[str, Experiment]:
    """The settings: the task, and which variants learn it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="al_settings"):
        task = switch("al_task", TASKS[::-1], page["task"], lambda name: page[f"task_of.{name}"])
        attentions = panel.several(
            "al_variants", ATTENTIONS, DEFAULTS, page["variants"], lambda name: page[f"mode.{name}"]
        )
        feeding = switch(
            "al_feed", FEEDING, page["feeding"], lambda name: page[f"feeding_of.{name}"], page["feed_help"]
        )
        D = panel.pick("al_D", RADII, 2, "D", 80, page["D_help"])
        lr = panel.pick("al_lr", RATES, 5e-3, page["lr"], 110)
        steps = whole_number("al_steps", 5, MOST_STEPS, 500, page["steps"], 115)
        drawn = whole_number("al_seed", 0, 9999, 0, page["seed"], 110)
    st.caption(page["local_note"])
    return race(variants(attentions, feeding), task=task, D=D, lr=lr, steps=steps, drawn=drawn)


def trained(run: Run | None, wanted: dict[str, Experiment], page: Words) -> None:
    """The panel: buttons, progress, curves and alignments, and what can be taken away."""

    def named(name: str) -> str:
        return label(name, page)

    panel.bar(KEY, run, wanted, named, empty=page["empty"], check=known, name_of=variant_of)
    if run is None or not any(run.records(name) for name in run.experiments):
        laboratory(untouched(wanted), page)
        return
    laboratory(run, page)
    told = page.format("bounded", most=MOST_BYTES // panel.MEGABYTE)
    if run.state == "ended":
        same = " · ".join(f"{named(name)} `{digest}`" for name, digest in fingerprints(KEY, run).items())
        told = f"{page['identical']} {same} {told}"
    st.caption(told)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=next(iter(run.experiments.values())).seed, dtype="float32", device="cpu")
        take_away("alignment", arrays=lambda: arrays(run), snippet=snippet(list(run.experiments.values())))


def laboratory(run: Run, page: Words) -> None:
    """While it trains the newest step, then every step under the finger."""
    made = aligned(run)
    sent = films(run, made, all_steps=not run.running)
    probe = recall("al_probe", "1")

    def moved(at: Positions) -> None:
        remember("al_probe", str(at["probe"] + 1))
        left(KEY, made, run, at["step"])

    lab(
        plots(made, sent, task_of(run), evaluated(run), page),
        key="al_lab",
        sliders=sliders(
            made,
            standing(KEY, made, run),
            int(probe) - 1 if probe in map(str, range(1, PROBE + 1)) else 0,
            page,
        ),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


page = words("alignment")
progress_style(KEY)
panel.style()
st.html(STYLE)
page_header(page)
wanted = chosen(page)
panel.arrive(KEY, lambda: wanted)
panel.live(KEY, lambda run: trained(run, wanted, page))
