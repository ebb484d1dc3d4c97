"""Where the scrubber of a run stands: at the newest step while it trains, then where the reader has left it."""

from ui.compute.runs import Run
from ui.link import recall, remember
from ui.training.history import History


def standing(key: str, made: History, run: Run) -> int:
    """The index of the step that the link names, once the run rests and has recorded it; else the newest."""
    wanted, recorded = recall(f"{key}_step", ""), [str(step) for step in made.steps[: made.newest + 1]]
    return recorded.index(wanted) if not run.running and wanted in recorded else made.newest


def left(key: str, made: History, run: Run, at: int) -> None:
    """The reader has left it there: that stands in the link, unless it is the newest anyway or moves by itself."""
    if not run.running:
        remember(f"{key}_step", "" if at == made.newest else str(made.steps[at]))
