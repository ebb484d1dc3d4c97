"""A recording is read once and shared by everybody, costs what is said, and is not shown when a file is another."""

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from attention_core.experiments.recorded import RECIPES
from pages.mechanisms.hard_soft.race.pictures import mode_of
from pages.training.induction.numbers import Seeded, variant
from ui.compute.queue import Queue
from ui.training import recorded
from ui.training.recorded import accuracies, recorded_run

ROOT = Path(__file__).parents[2]
MOST_KEPT = 8 * 2**20  # bytes that all recordings keep in memory


@pytest.fixture
def copied(monkeypatch, tmp_path) -> Path:
    folder = tmp_path / "recorded"
    shutil.copytree(recorded.FOLDER, folder)
    monkeypatch.setattr(recorded, "FOLDER", folder)
    return folder


def test_whoever_asks_at_the_same_time_gets_one_run(copied: Path) -> None:
    together, runs = Barrier(8), []

    def ask() -> None:
        together.wait()
        runs.append(recorded_run("induction", variant))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(run) for run in runs}) == 1 and runs[0] is not None
    assert runs[0].records(Seeded("none")) == recorded.recorded("induction").records["none"]


def test_all_recordings_together_keep_little_memory() -> None:
    kept = [recorded.recorded(name) for name in RECIPES]
    assert all(recording is not None for recording in kept)
    rows = [record for recording in kept for own in recording.records.values() for record in own]
    assert sum(record.bytes() for record in rows) <= MOST_KEPT


@pytest.mark.parametrize("damage", ["missing", "cut", "changed", "other", "facts", "no facts"])
def test_a_file_that_is_not_the_recorded_one_is_not_shown_and_stands_in_the_log(copied: Path, damage, caplog) -> None:
    file = copied / "hard_soft" / "soft.npz"
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(whole[:-10])
    elif damage == "changed":
        file.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    elif damage == "other":
        shutil.copy(copied / "hard_soft" / "hard.npz", file)
    elif damage == "facts":
        (copied / "recorded.json").write_text("{", encoding="utf-8")
    else:
        (copied / "recorded.json").unlink()
    with caplog.at_level(logging.ERROR, logger="headlight"):
        assert recorded_run("hard_soft", mode_of) is None and accuracies("hard_soft") == {}
    assert "hard_soft cannot be shown" in caplog.text
    if "facts" not in damage:
        assert recorded_run("induction", variant) is not None  # the others are as they were


def test_the_curves_of_induction_are_to_be_had_without_a_page() -> None:
    code = (
        "import sys; from ui.training.recorded import accuracies; curves = accuracies('induction');"
        "assert list(curves) == ['none', 'inverse_sqrt'], list(curves);"
        "assert all(steps[0] == 0 and steps[-1] == 350 and len(steps) == len(own) for steps, own in curves.values());"
        "assert curves['inverse_sqrt'][1][-1] > 0.9 > 0.2 > max(curves['none'][1]);"
        "assert 'streamlit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_recording_is_no_job_of_any_queue() -> None:
    run = recorded_run("hard_soft", mode_of)
    assert run is not None
    queue, own = Queue(1), run.records("soft")
    run.look("somebody")
    run.resume("somebody")
    run.stop()
    assert (run.state, run.queue, queue.held) == ("ended", None, 0)
    assert run.records("soft") == own and len(own) > 1
