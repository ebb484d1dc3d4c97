"""The scaling race runs in both languages: before, during and after a run, with any link and any choice."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint
from tests.harness import training
from tests.harness.training import captions, ended, well
from ui.compute.runs import Variant
from ui.text import words

opened = partial(training.opened, "scaling_race")
TINY = {"sr_steps": "10", "sr_dk": "4"}


def run_of(app: AppTest, key: str = "sr"):
    return app.session_state[f"{key}_run"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_its_recordings_the_page_shows_step_0(language: str, unrecorded) -> None:
    app = opened(lang=language)
    page = words("scaling_race", language)
    text = "\n".join(element.value for element in app.markdown)
    assert page["empty"] in text
    # 2√(2 ln 16), and the batches of the anatomy: numbers in these texts are filled in
    assert "4.71" in text and r"\tfrac1{32}" in text and "{{" not in text and "{narrow}" not in text
    assert page["anatomy.waits"] in captions(app) and page["transition.empty"] in captions(app)
    assert "sr_run" not in app.session_state
    assert len(app.get("bidi_component")) >= 1


def test_a_race_trains_to_its_end_and_says_what_it_gave() -> None:
    app = opened(lang="en", **TINY)
    app.button(key="sr_start").click().run()
    ended(app, "sr")
    run = run_of(app)
    expected = {
        rule: fingerprint(list(Sort(rule=rule, d_k=4, steps=10, every=1).records()))
        for rule in ("none", "inverse_sqrt")
    }
    for rule, digest in expected.items():
        assert run.records(Variant(rule))[-1].step == 10
        assert digest in captions(app), rule
    assert dict(app.query_params.items()).items() >= {"sr_go": "1", "sr_steps": "10", "sr_dk": "4"}.items()
    ended(app, "sr_anatomy")
    table = app.dataframe[0].value
    assert table["step"].tolist() == ["0", "10"] * 2
    assert table["variant"].tolist() == ["unscaled"] * 2 + ["1/√d_k"] * 2


def test_a_link_to_a_run_has_its_settings_ready_for_the_button() -> None:
    app = training.trained("scaling_race", "sr", lang="en", sr_go="1", sr_rules="inverse,qk_norm", sr_seed="7", **TINY)
    run = run_of(app)
    assert list(map(str, run.experiments)) == ["inverse", "qk_norm"]
    assert all(config.seed == 7 for config in run.experiments.values())
    app.run()
    assert run_of(app) is run


def test_other_settings_leave_the_picture_and_say_so() -> None:
    app = training.trained("scaling_race", "sr", lang="en", sr_go="1", **TINY)
    run = run_of(app)
    app.selectbox(key="sr_dk").set_value(8).run()
    well(app)
    assert words("training", "en")["stale"] in captions(app)
    assert run_of(app) is run
    app.button(key="sr_start").click().run()
    ended(app, "sr")
    assert {config.d_k for config in run_of(app).experiments.values()} == {8}


def test_without_a_variant_the_last_choice_holds() -> None:
    app = opened(lang="en", **TINY)
    app.button_group(key="sr_rules").set_value([]).run()
    well(app)
    assert words("training", "en")["choose_one"] in captions(app)
    app.button(key="sr_start").click().run()
    assert list(map(str, run_of(app).experiments)) == ["none", "inverse_sqrt"]


@pytest.mark.parametrize(
    "link",
    [
        {"sr_dk": "65", "sr_scale": "nan", "sr_lr": "-1", "sr_steps": "0", "sr_seed": "x", "sr_rules": ",magic"},
        {"sr_step": "999", "sr_matrix": "W_X", "sr_probe": "9", "sr_swept": "", "sr_go": "yes"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **link)
    assert app.selectbox(key="sr_dk").value == 64
    assert "sr_run" not in app.session_state


def test_a_batch_adds_its_points_and_another_seed_adds_more() -> None:
    app = opened(lang="en", sr_swept="none", sr_sweep_steps="10")
    app.button(key="sr_sweep_start").click().run()
    ended(app, "sr_sweep")
    assert len(app.session_state["sr_points"]) == 6
    app.number_input(key="sr_sweep_seed").set_value(1).run()
    app.button(key="sr_sweep_start").click().run()
    ended(app, "sr_sweep")
    assert len(app.session_state["sr_points"]) == 12
    assert words("scaling_race", "en").format("transition.count", count=12) in captions(app)
