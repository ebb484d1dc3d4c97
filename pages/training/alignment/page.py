"""Alignment: encoder and decoder learn to copy or to reverse, live, and with them where to look."""

from functools import partial
from pathlib import Path

from pages.training.alignment.guide import GUIDE, prediction
from pages.training.alignment.numbers import Aligners, aligned, arrays, known, script, variant
from pages.training.alignment.pictures import films, label, plots, sliders
from pages.training.alignment.settings import KEY, SEQUENCE, chosen
from ui.guide import predict
from ui.layout import page_header, style
from ui.text import words
from ui.training import progress
from ui.training.files import Kind
from ui.training.live import Training, evidence, take_home, train
from ui.training.recorded import recorded_run
from ui.training.scrubber import scrub


def laboratory(run: Aligners) -> None:
    """The curves and maps, and the scrubber that moves them."""
    scrub(KEY, run, aligned(run), page, partial(films, run), partial(plots, run), sliders, probe=SEQUENCE)


def below(run: Aligners) -> None:
    """The fingerprints, and what can be taken away."""
    evidence(training, run, page)
    take_home(run, "alignment", lambda: arrays(run), script(run))


page = words("alignment")
progress.style(KEY)
style(Path(__file__).with_name("style.css"))
predict(page_header(page, GUIDE), prediction(), page)
kind = Kind(known=known, variant=variant, label=lambda name: label(name, page))
training = Training(
    key=KEY, kind=kind, wanted=chosen(page), empty=page["empty"], recording=recorded_run("alignment", variant)
)
train(training, laboratory, below)
