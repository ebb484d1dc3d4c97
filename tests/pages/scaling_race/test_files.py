"""What a page says of a run that was loaded: how far it is, not how long it took, and which weights are not its own."""

from functools import partial

import pytest

from attention_core.experiments.base import Record
from attention_core.experiments.induction import Induction
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import save_records, save_weights
from tests.harness import training
from ui.text import words

opened = partial(training.opened, "scaling_race")
CONFIGS = {seed: Sort(rule="none", d_k=8, batch=4, evaluated=13, steps=4, every=2, seed=seed) for seed in (0, 1)}


@pytest.fixture(scope="module")
def records() -> dict[int, list[Record]]:
    return {seed: list(config.records()) for seed, config in CONFIGS.items()}


def files_of(names: str, records: dict[int, list[Record]]) -> list[tuple[str, bytes, str]]:
    """ "r0 w1": the records of seed 0, the weights of seed 1; "i": weights of another experiment."""
    sent = []
    for name in names.split():
        kind, seed = name[0], int(name[1:] or 0)
        if kind == "r":
            sent.append((f"{name}.npz", save_records(CONFIGS[seed], records[seed]), ""))
        elif kind == "c":
            sent.append((f"{name}.npz", save_records(CONFIGS[seed], records[seed][:2]), ""))
        else:
            config = CONFIGS[seed] if kind == "w" else Induction()
            sent.append((f"{name}.safetensors", save_weights(config, records[seed][-1].state), ""))
    return sent


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("sent", "strays"),
    [
        ("r0", False),
        ("r0 w0", False),
        ("r0 w0 w0", False),
        ("r0 r1 w1", False),
        ("r0 w1", True),
        ("r0 w0 w1", True),
        ("r1 w0", True),
        ("r0 i", True),
    ],
)
def test_weights_that_belong_to_none_of_the_records_are_not_dropped_in_silence(sent, strays, language, records) -> None:
    app = opened(lang=language)
    app.file_uploader(key="sr_upload").set_value(files_of(sent, records)).run()
    training.well(app) if not strays else None
    assert not app.exception and app.session_state["sr_run"].elsewhere
    warnings = [warning.value for warning in app.warning]
    assert warnings == ([words("training", language)["refused.stray"]] if strays else [])


@pytest.mark.parametrize(("sent", "step"), [("r0", 4), ("c0", 2), ("r0 r1", 4), ("r1 w1", 4)])
def test_a_loaded_run_does_not_tell_a_time_that_nobody_measured(sent, step, records) -> None:
    app = opened(lang="en")
    app.file_uploader(key="sr_upload").set_value(files_of(sent, records)).run()
    training.well(app)
    labels = [bar.proto.text for bar in app.get("progress")]
    kept = round(app.session_state["sr_run"].kept / 2**20, 1)
    assert labels[0] == words("training", "en").format("loaded", step=step, steps=4, kept=kept)
    assert "of training" not in labels[0]
    assert app.file_uploader[0].key == "sr_upload_1", "an empty place for the next file"
