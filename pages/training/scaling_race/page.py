"""The scaling race: the same layer learns to sort under several scaling rules, live, and why some of them cannot."""

from pages.training.scaling_race import anatomy, transition
from pages.training.scaling_race.guide import GUIDE, prediction
from pages.training.scaling_race.numbers import Sorters, arrays, known, script, variant
from pages.training.scaling_race.pictures import films, label, plots, sliders
from pages.training.scaling_race.settings import KEY, MATRIX, SEQUENCE, chosen
from ui.guide import predict
from ui.layout import page_header
from ui.text import words
from ui.training import progress
from ui.training.files import Kind
from ui.training.history import history
from ui.training.live import Training, evidence, take_home, train
from ui.training.recorded import recorded_run
from ui.training.scrubber import scrub


def laboratory(run: Sorters) -> None:
    """The curves and maps, and the scrubber that moves them."""
    scrub(KEY, run, history(run), page, films, plots, sliders, matrix=MATRIX, probe=SEQUENCE)


def below(run: Sorters) -> None:
    """What was trained, the fingerprints, and what can be taken away."""
    config = next(iter(run.experiments.values()))
    size = {"d_k": config.d_k, "scale": config.input_scale, "lr": config.lr}
    evidence(training, run, page, [page.format("trained", **size, steps=config.steps, batch=config.batch)])
    points = transition.collected()  # a download runs outside the session
    take_home(run, "scaling_race", lambda: arrays(run, points), script(run))


page = words("scaling_race")
progress.style(KEY)
predict(page_header(page, GUIDE), prediction(), page)
kind = Kind(known=known, variant=variant, label=lambda name: label(name, page))
training = Training(
    key=KEY, kind=kind, wanted=chosen(page), empty=page["empty"], recording=recorded_run("scaling_race", variant)
)
train(training, laboratory, below)
transition.section(page)
anatomy.section(page)
