"""A training run of the pages about mechanisms: it waits its turn in the queue of all runs as soon as it is made."""

from collections.abc import Mapping

from attention_core.experiments.base import Experiment
from ui.session import queue
from ui.training.runs import Run


class Training(Run):
    """Experiments by name, trained in turns: each makes one record, then the next."""

    def __init__(self, experiments: Mapping[str, Experiment]) -> None:
        super().__init__(experiments)
        queue().enter(self)
