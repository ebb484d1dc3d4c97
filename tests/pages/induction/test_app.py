"""The page on induction heads runs in both languages: before, during and after a run, with any link and any choice."""

from functools import partial

import pytest

from attention_core.experiments.induction import Induction
from attention_core.experiments.store import fingerprint
from pages.training.induction.numbers import NEVER
from tests.harness import training
from tests.harness.training import captions, well
from ui.text import words

opened = partial(training.opened, "induction")
ended = partial(training.ended, key="in")
TINY = {"in_steps": "10", "in_dk": "8"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_its_recording_the_page_shows_step_0(language: str, unrecorded) -> None:
    app = opened(lang=language)
    page = words("induction", language)
    text = "\n".join(element.value for element in app.markdown)
    assert page["empty"] in text and page["circuit.scores"] in text
    assert "in_run" not in app.session_state
    assert len(app.get("bidi_component")) >= 1


def test_a_race_trains_to_its_end_and_says_what_it_gave() -> None:
    app = opened(lang="en", in_seeds="2", in_rules="inverse_sqrt", **TINY)
    app.button(key="in_start").click().run()
    ended(app)
    run = app.session_state["in_run"]
    assert list(map(str, run.experiments)) == ["inverse_sqrt-0", "inverse_sqrt-1"]
    for drawn in (0, 1):
        config = Induction(d_k=8, steps=10, every=1, seed=drawn, stop_at=NEVER)
        assert fingerprint(list(config.records())) in captions(app)
    assert dict(app.query_params.items()).items() >= {"in_go": "1", "in_seeds": "2", **TINY}.items()


def test_other_settings_leave_the_picture_of_a_run() -> None:
    app = training.trained("induction", "in", lang="en", in_go="1", in_rules="none,inverse", in_seed="7", **TINY)
    run = app.session_state["in_run"]
    assert list(map(str, run.experiments)) == ["none-7", "inverse-7"]
    app.selectbox(key="in_dk").set_value(16).run()
    well(app)
    assert app.session_state["in_run"] is run
    assert words("training", "en")["stale"] in captions(app)


@pytest.mark.parametrize(
    "link",
    [
        {"in_dk": "65", "in_lr": "-1", "in_steps": "0", "in_seed": "x", "in_rules": ",magic", "in_seeds": "99"},
        {"in_step": "999", "in_shown": "<b>", "in_probe": "9", "in_go": "yes"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **link)
    assert app.selectbox(key="in_dk").value == 32 and app.selectbox(key="in_seeds").value == 1
    assert "in_run" not in app.session_state
