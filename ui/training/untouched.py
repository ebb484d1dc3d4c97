"""Before the first run of a page: step 0 of every variant, whose numbers are known without training."""

from collections.abc import Mapping

from attention_core.experiments.base import Experiment, Record
from ui.compute.runs import Run
from ui.session import answer


def untouched(wanted: Mapping[str, Experiment]) -> Run:
    """A run that has recorded step 0 and nothing more."""
    return Run.finished(wanted, {name: [first(config)] for name, config in wanted.items()})


def first(config: Experiment) -> Record:
    """The record of step 0, kept for everybody."""
    return answer(("step 0", config), lambda: next(config.records()))
