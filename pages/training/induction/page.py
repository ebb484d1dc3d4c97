"""Induction heads: two layers learn to copy what followed last time, at once; without scaling much later, if ever."""

import streamlit as st

from attention_core.experiments.base import Experiment
from attention_core.experiments.induction import Induction
from attention_core.experiments.layers import RULES
from pages.training.induction import pictures as induction
from pages.training.induction.pictures import (
    D_K,
    MOST_STEPS,
    RATES,
    SEEDS,
    SHOWN,
    arrays,
    films,
    known,
    label,
    name_of,
    plots,
    seeds_of,
    sliders,
    snippet,
)
from ui.components.lab import Positions, lab
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import whole_number
from ui.layout import page_header, take_away, trust_line
from ui.link import recall, remember
from ui.text import Words, words
from ui.training import panel
from ui.training.fingerprints import fingerprints
from ui.training.history import history
from ui.training.scrubber import left, standing
from ui.training.style import progress_style
from ui.training.untouched import untouched

KEY = "in"
DEFAULTS = ("none", "inverse_sqrt")


def chosen(page: Words) -> dict[str, Experiment]:
    """The settings: which rules race, at what size, and with how many seeds."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="in_settings"):
        rules = panel.several("in_rules", RULES, DEFAULTS, page["variants"], lambda rule: page[f"rule.{rule}"])
        d_k = panel.pick("in_dk", D_K, 32, page["d_k"], 90, page["d_k_help"])
        lr = panel.pick("in_lr", RATES, 3e-3, page["lr"], 110)
        steps = whole_number("in_steps", 10, MOST_STEPS, 350, page["steps"], 115)
        drawn = whole_number("in_seed", 0, 9999, 0, page["first_seed"], 115)
        seeds = panel.pick("in_seeds", SEEDS, 1, page["seeds"], 100, page["seeds_help"])
    return induction.race(rules, d_k=d_k, lr=lr, steps=steps, drawn=drawn, seeds=seeds)


def race(run: Run | None, wanted: dict[str, Experiment], page: Words) -> None:
    """The panel: buttons, progress, curves and maps, and what can be taken away."""

    def named(name: str) -> str:
        return label(name, page)

    panel.bar(KEY, run, wanted, named, empty=page["empty"], check=known, name_of=name_of)
    if run is None or not any(run.records(name) for name in run.experiments):
        scrubber(untouched(wanted), page)
        return
    scrubber(run, page)
    config = next(iter(run.experiments.values()))
    assert isinstance(config, Induction)
    told = page.format("trained", d_k=config.d_k, lr=config.lr, steps=config.steps, batch=config.batch)
    if run.state == "ended":
        same = " · ".join(f"{named(name)} `{digest}`" for name, digest in fingerprints(KEY, run).items())
        told += f" {page['identical']} {same}"
    st.caption(f"{told} {page.format('bounded', most=MOST_BYTES // panel.MEGABYTE)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(seed=config.seed, dtype="float32", device="cpu")
        take_away("induction", arrays=lambda: arrays(run), snippet=snippet(run))


def scrubber(run: Run, page: Words) -> None:
    """The laboratory: while it trains the newest step, then every step under the finger."""
    made = history(run)
    sent = films(made, all_steps=not run.running)
    seeds, probes = [str(seed) for seed in seeds_of(made)], [str(index + 1) for index in range(SHOWN)]
    seed, probe = recall("in_shown", ""), recall("in_probe", "1")

    def moved(at: Positions) -> None:
        remember("in_probe", probes[at["probe"]])
        remember("in_shown", seeds[at["seed"]] if at["seed"] else "")
        left(KEY, made, run, at["step"])

    lab(
        plots(made, sent, page),
        key="in_lab",
        sliders=sliders(
            made,
            standing(KEY, made, run),
            seeds.index(seed) if seed in seeds else 0,
            probes.index(probe) if probe in probes else 0,
            page,
        ),
        films=sent,
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
    )


page = words("induction")
progress_style(KEY)
panel.style()
page_header(page)
wanted = chosen(page)
panel.arrive(KEY, lambda: wanted)
panel.live(KEY, lambda run: race(run, wanted, page))
st.header(page["circuit.title"], anchor="circuit")
st.markdown(page["circuit.text"])
st.markdown(page["circuit.scores"])
