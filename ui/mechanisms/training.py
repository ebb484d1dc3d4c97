"""Training runs in a thread of their own, so that the page they belong to stays awake. Streamlit is not used here."""

import logging
import os
import threading
import time
from collections.abc import Mapping

from attention_core.experiments.base import Diverged, Experiment, Record, close

_log = logging.getLogger("headlight")
_turn = threading.Semaphore(os.cpu_count() or 1)  # more runs than cores only make everyone wait longer


class Training:
    """Experiments by name, trained in turns: each does as much as one record takes, then the next.

    What was recorded can be read at any time. A run that diverges ends alone; its step stands in `diverged`.
    """

    def __init__(self, experiments: Mapping[str, Experiment]) -> None:
        self.experiments = dict(experiments)
        self.diverged: dict[str, int] = {}
        self.failed = False
        self.seconds = 0.0
        self._found: dict[str, list[Record]] = {name: [] for name in self.experiments}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def records(self, name: str) -> tuple[Record, ...]:
        """What this run has recorded so far."""
        return tuple(self._found[name])

    @property
    def running(self) -> bool:
        """Whether it trains, or waits for its turn."""
        return self._thread.is_alive()

    @property
    def share(self) -> float:
        """The share of all steps that is done."""
        done = sum(found[-1].step for found in self._found.values() if found)
        return done / sum(experiment.steps for experiment in self.experiments.values())

    @property
    def remaining(self) -> float:
        """Seconds it will still take, by its pace so far; NaN before there is one."""
        return self.seconds * (1 - self.share) / self.share if self.share else float("nan")

    def stop(self) -> None:
        """End after the record that is being made. What was recorded stays."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with _turn:
                self._train()
        except Exception:
            self.failed = True
            _log.exception("A training run failed")

    def _train(self) -> None:
        begun = time.monotonic()
        open_runs = {name: experiment.records() for name, experiment in self.experiments.items()}
        while open_runs and not self._stop.is_set():
            for name, records in list(open_runs.items()):
                if self._stop.is_set():
                    break
                try:
                    self._found[name].append(next(records))
                except StopIteration:
                    del open_runs[name]
                except Diverged as error:
                    self.diverged[name] = error.step
                    del open_runs[name]
                self.seconds = time.monotonic() - begun
        for records in open_runs.values():
            close(records)
