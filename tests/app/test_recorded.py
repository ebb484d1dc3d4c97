"""Every page that trains opens on a finished recording; a link starts nothing; the button trains what is chosen."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.experiments.recorded import RECIPES
from tests.harness.training import captions, opened, well
from ui.compute import room
from ui.compute.runs import Run
from ui.text import words
from ui.training import recorded


@dataclass(frozen=True)
class Place:
    """Where something is trained: the page, the key of its run, its recording, and a link with other settings."""

    page: str
    key: str
    recording: str
    other: tuple[tuple[str, str], ...]

    def link(self) -> dict[str, str]:
        return dict(self.other)


PLACES = [
    Place("scaling_race", "sr", "scaling_race", (("sr_dk", "16"),)),
    Place("induction", "in", "induction", (("in_lr", "0.001"),)),
    Place("pronoun", "pr", "pronoun", (("pr_rules", "none"),)),
    Place("long_range", "lg", "long_range", (("lg_seconds", "45"),)),
    Place("alignment", "al", "alignment", (("al_task", "copy"),)),
    Place("time_series", "ts", "time_series", (("ts_steps", "10"), ("ts_past", "24"))),
    Place("time_series", "ts_many", "time_series_many", (("ts_steps", "10"), ("ts_past", "24"))),
    Place("hard_soft", "race", "hard_soft", (("race_seed", "3"),)),
    Place("local", "align", "local", (("align_seed", "3"),)),
]
EMPTY = ("ts", "ts_many")  # where other settings are another series, whose numbers a recording has not
everywhere = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.key)


def texts(app: AppTest) -> str:
    return "\n".join([captions(app), *(element.value for element in app.markdown)])


def trainings() -> list[Run]:
    """All runs that the process trains or keeps."""
    return [job for job in tuple(room().queue._alive) if isinstance(job, Run)]


def labels(app: AppTest) -> dict[str, str]:
    return {button.key: button.label for button in app.button if button.key}


def lines(place: Place, language: str = "en") -> str:
    """What every recording says of itself, up to its own numbers."""
    return words("training", language)["recorded"].partition("{")[0]


@everywhere
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_opens_on_its_recording_and_says_so(place: Place, language: str) -> None:
    before = trainings()
    app = opened(place.page, lang=language)
    recording = recorded.recorded(place.recording)
    assert recording is not None
    assert lines(place, language) in texts(app)
    assert f"{recording.day}" in texts(app) and recording.processor in texts(app)
    batch = "train_yourself_batch" if place.key == "ts_many" else "train_yourself"
    assert labels(app)[f"{place.key}_start"] == words("training", language)[batch]
    assert words("training", language)["recorded_other"] not in texts(app), "the recording has other settings"
    assert f"{place.key}_run" not in app.session_state and trainings() == before


@everywhere
def test_a_link_to_a_run_trains_nothing(place: Place) -> None:
    before = trainings()
    app = opened(place.page, lang="en", **{f"{place.key}_go": "1"})
    assert lines(place) in texts(app)
    assert f"{place.key}_run" not in app.session_state and trainings() == before
    assert dict(app.query_params.items())[f"{place.key}_go"] == "1"


@everywhere
def test_a_link_with_other_settings_is_not_answered_with_the_recording_as_if_it_were_theirs(place: Place) -> None:
    before = trainings()
    app = opened(place.page, lang="en", **{f"{place.key}_go": "1"}, **place.link())
    sentence = words("training", "en")["asked" if place.key in EMPTY else "recorded_other"]
    assert sentence in captions(app)
    if place.key in EMPTY:
        assert lines(place) not in texts(app)
    assert f"{place.key}_run" not in app.session_state and trainings() == before
    assert dict(app.query_params.items()).items() >= place.link().items()


@everywhere
def test_without_its_files_a_page_is_as_it_was_before_any_training(place: Place, unrecorded) -> None:
    app = opened(place.page, lang="en", ts_steps="10")
    assert lines(place) not in texts(app)
    start = "start_batch" if place.key == "ts_many" else "start"
    assert labels(app)[f"{place.key}_start"] == words("training", "en")[start]


def test_the_anatomy_and_the_transition_are_those_of_the_recording() -> None:
    app = opened("scaling_race", lang="en")
    page, common = words("scaling_race", "en"), words("training", "en")
    rows = app.dataframe[0].value
    assert rows["step"].tolist() == ["0", "300"] * 2
    assert common["recorded_too"] in captions(app)
    points = len(RECIPES["scaling_race_transition"].experiments)
    assert page.format("transition.count", count=points) in captions(app)
    assert labels(app)["sr_sweep_start"] == common["train_yourself_batch"]
    assert "sr_anatomy_run" not in app.session_state and "sr_sweep_run" not in app.session_state


def test_two_readers_look_at_one_run(monkeypatch) -> None:
    shown = []
    finished = Run.records
    monkeypatch.setattr(Run, "records", lambda run, name: (shown.append(run), finished(run, name))[1])
    for _ in range(2):
        opened("induction", lang="en")
    assert _distinct(shown) == 1


def _distinct(runs: Iterable[Run]) -> int:
    return len({id(run) for run in runs})


def test_the_readers_own_run_takes_the_place_of_the_recording() -> None:
    app = opened("scaling_race", lang="en", sr_steps="10", sr_dk="4")
    app.button(key="sr_start").click().run()
    well(app)
    assert lines(PLACES[0]) not in texts(app)
    assert labels(app)["sr_start"] == words("training", "en")["start"]
