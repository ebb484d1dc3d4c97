"""Runs that come with Headlight, trained once from their seeds: the same objects for all readers. No Streamlit here.

A file is read when somebody first asks for it, and shown only if it is the file that was recorded.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.recorded import FACTS, RECIPES
from attention_core.experiments.store import load_records, load_weights
from ui.compute.runs import E, Origin, Run, V

FOLDER = Path(__file__).parents[2] / "assets" / "recorded"

_log = logging.getLogger("headlight")
_reading = RLock()  # two who ask at once get one object


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """What was trained, what it recorded and the fingerprint of its whole records, all by the name of the file.

    `seconds`: of one core, all experiments together; `day`, `processor`: when and on what.
    """

    experiments: Mapping[str, Experiment]
    records: Mapping[str, tuple[Record, ...]]
    fingerprints: Mapping[str, str]
    seconds: float
    day: str
    processor: str


class DamagedError(ValueError):
    """A file that is not the one that was recorded."""


def recorded(name: str) -> Recording | None:
    """The recording of that name, the same object for all; None, and a line in the log, where a file is damaged."""
    with _reading:
        return _recorded(name, FOLDER)


def recorded_run(name: str, variant: Callable[[E], V]) -> Run[V, E] | None:
    """The same as a run that has ended; `variant`, a function of a module, names what a configuration is."""
    with _reading:
        return _run(name, variant, FOLDER)


def accuracies(name: str) -> dict[str, tuple[list[int], list[float]]]:
    """Steps and the accuracy at each, by the name of the file; empty where there is no recording."""
    recording = recorded(name)
    rows = recording.records if recording else {}
    return {stem: ([row.step for row in own], [row.accuracy for row in own]) for stem, own in rows.items()}


def accuracy_at(name: str, stem: str, wanted: Sequence[int]) -> list[float]:
    """The accuracy of one experiment at these steps; nothing where there is no recording."""
    by_step = dict(zip(*accuracies(name).get(stem, ([], [])), strict=True))
    return [by_step[step] for step in wanted] if by_step else []


def last_accuracy(name: str, stem: str) -> list[float]:
    """The accuracy at the last step of one experiment; nothing where there is no recording."""
    return accuracies(name).get(stem, ([], []))[1][-1:]


@cache
def _recorded(name: str, folder: Path) -> Recording | None:
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))[name]
        files = {stem: facts["files"][stem] for stem in RECIPES[name].experiments}
        parts = {stem: _file(folder / name, stem, own) for stem, own in files.items()}
        return Recording(
            experiments={stem: config for stem, (config, _) in parts.items()},
            records={stem: rows for stem, (_, rows) in parts.items()},
            fingerprints={stem: own["fingerprint"] for stem, own in files.items()},
            seconds=sum(own["seconds"] for own in files.values()),
            day=facts["day"],
            processor=facts["processor"],
        )
    except Exception:  # whatever is wrong with files on a disk
        _log.exception("The recording %s cannot be shown", name)
        return None


@cache
def _run(name: str, variant: Callable[[Any], Any], folder: Path) -> Run[Any, Any] | None:
    recording = _recorded(name, folder)
    if recording is None:
        return None
    names = {stem: variant(config) for stem, config in recording.experiments.items()}
    origin = Origin(
        day=recording.day,
        processor=recording.processor,
        fingerprints={names[stem]: digest for stem, digest in recording.fingerprints.items()},
    )
    experiments = {names[stem]: config for stem, config in recording.experiments.items()}
    records = {names[stem]: rows for stem, rows in recording.records.items()}
    return Run.finished(experiments, records, origin=origin, seconds=recording.seconds)


def _file(folder: Path, stem: str, own: Mapping[str, Any]) -> tuple[Experiment, tuple[Record, ...]]:
    """The configuration and the records; the last with its weights, where these are a file too."""
    config, rows = load_records(_verified(folder / f"{stem}.npz", own["npz"]))
    if "safetensors" not in own:
        return config, tuple(rows)
    _, state = load_weights(_verified(folder / f"{stem}.safetensors", own["safetensors"]))
    return config, (*rows[:-1], replace(rows[-1], state=state))


def _verified(file: Path, digest: str) -> bytes:
    data = file.read_bytes()
    if sha256(data).hexdigest() != digest:
        raise DamagedError(f"{file.name} is not the file that was recorded")
    return data
