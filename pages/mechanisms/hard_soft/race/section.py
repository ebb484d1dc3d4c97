"""Soft against hard attention, trained side by side while the reader looks on."""

from attention_core.experiments.hard import Hard
from pages.mechanisms.hard_soft.race.pictures import arrays, experiments, films, mode_of, plots, script, sliders
from ui.components.lab import lab
from ui.compute.runs import Run
from ui.text import Words, words
from ui.training.history import history
from ui.training.live import live, take_home
from ui.training.recorded import recorded_run


def race(page: Words) -> None:
    """The panel: it looks again every half second while something trains."""
    recording = recorded_run("hard_soft", mode_of)
    live("race", page, experiments, lambda mode: page[f"race.{mode}"], _curves, recording)


def _curves(run: Run[str, Hard], page: Words) -> None:
    recorded = history(run)
    lab(
        plots(page),
        key="race_lab",
        sliders=sliders(recorded, page),
        films=films(recorded),
        words=words("canvas"),
        summary=page["race.summary"],
    )
    take_home(run, "race", lambda: arrays(recorded), script(run.experiments["soft"].seed))
