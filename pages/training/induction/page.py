"""Induction heads: two layers learn to copy what followed last time, at once; without scaling much later, if ever."""

import streamlit as st

from pages.training.induction.films import films
from pages.training.induction.guide import GUIDE, prediction
from pages.training.induction.numbers import Racers, arrays, known, script, seeds_of, variant
from pages.training.induction.pictures import label, plots, sliders
from pages.training.induction.settings import KEY, SEED, SEQUENCE, chosen
from ui.guide import predict
from ui.layout import page_header
from ui.text import words
from ui.training import progress
from ui.training.files import Kind
from ui.training.history import history
from ui.training.live import Training, evidence, take_home, train
from ui.training.recorded import recorded_run
from ui.training.scrubber import scrub, stop


def laboratory(run: Racers) -> None:
    """The curves and maps, and the scrubber that moves them."""
    past = history(run)
    seed = stop(SEED, [str(seed) for seed in seeds_of(past)])
    scrub(KEY, run, past, page, films, plots, sliders, seed=seed, probe=SEQUENCE)


def below(run: Racers) -> None:
    """What was trained, the fingerprints, and what can be taken away."""
    config = next(iter(run.experiments.values()))
    size = {"d_k": config.d_k, "lr": config.lr, "steps": config.steps, "batch": config.batch}
    evidence(training, run, page, [page.format("trained", **size)])
    take_home(run, "induction", lambda: arrays(run), script(run))


page = words("induction")
progress.style(KEY)
predict(page_header(page, GUIDE), prediction(), page)
kind = Kind(known=known, variant=variant, label=lambda name: label(name, page))
training = Training(
    key=KEY, kind=kind, wanted=chosen(page), empty=page["empty"], recording=recorded_run("induction", variant)
)
train(training, laboratory, below)
st.header(page["circuit.title"], anchor="circuit")
st.markdown(page["circuit.text"])
st.markdown(page["circuit.scores"])
