"""Monotonic against predictive local attention, learning to copy and to reverse, while the reader looks on."""

from pages.mechanisms.local.training.pictures import arrays, experiments, films, label, plots, script, variant
from ui.components.lab import lab
from ui.compute.runs import Run
from ui.text import Words, words
from ui.training import scrubber
from ui.training.history import history, step_slider
from ui.training.live import live, take_home
from ui.training.recorded import recorded_run


def training(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    live("align", page, experiments, lambda name: label(name, page), _alignments, recorded_run("local", variant))


def _alignments(run: Run, page: Words) -> None:
    recorded = history(run)
    at = scrubber.standing("lo", recorded, run)
    lab(
        plots(page),
        key="align_lab",
        sliders=[step_slider(recorded, at, page["align.step"])],
        films=films(run),
        words=words("canvas"),
        summary=page["align.summary"],
        on_move=lambda positions: scrubber.left("lo", recorded, run, positions["step"]),
    )
    take_home(run, "alignment", lambda: arrays(run), script(next(iter(run.experiments.values())).seed))
