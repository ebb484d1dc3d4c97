"""Alignment opens in both languages, with any link; trains what was chosen, and says what it gave."""

from functools import partial

import pytest

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.store import fingerprint
from pages.training.alignment.numbers import Fed
from tests.harness import training
from tests.harness.training import captions, well
from ui.text import words

opened = partial(training.opened, "alignment")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_its_recording_the_page_shows_step_0(language: str, unrecorded) -> None:
    app = opened(lang=language)
    assert words("alignment", language)["empty"] in "\n".join(element.value for element in app.markdown)
    assert "al_run" not in app.session_state
    assert len(app.get("bidi_component")) >= 1


def test_the_button_trains_what_the_link_names_and_the_page_tells_the_fingerprints() -> None:
    link = {"al_steps": "5", "al_task": "copy", "al_variants": "local_m,none", "al_feed": "both", "al_D": "3"}
    app = training.trained("alignment", "al", lang="en", al_go="1", **link)
    run = app.session_state["al_run"]
    assert list(map(str, run.experiments)) == ["local_m", "local_m_feed", "none", "none_feed"]
    config = Alignment(task="copy", mode="local_m", feed=True, D=3, steps=5, every=1)
    assert run.experiments[Fed("local_m", feed=True)] == config
    assert fingerprint(list(config.records())) in captions(app)
    assert dict(app.query_params.items()).items() >= link.items()
    app.selectbox(key="al_D").set_value(4).run()
    well(app)
    assert words("training", "en")["stale"] in captions(app)
    assert app.session_state["al_run"] is run


def test_without_a_variant_the_last_choice_holds() -> None:
    app = opened(lang="en")
    app.button_group(key="al_variants").set_value([]).run()
    well(app)
    assert words("training", "en")["choose_one"] in captions(app)


@pytest.mark.parametrize(
    "link",
    [
        {
            "al_D": "0",
            "al_lr": "nan",
            "al_steps": "-1",
            "al_seed": "x",
            "al_variants": ",magic",
            "al_task": "translate",
        },
        {"al_step": "<b>", "al_probe": "9", "al_feed": "maybe", "al_go": "yes"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **link)
    assert app.selectbox(key="al_D").value == 2
    assert "al_run" not in app.session_state
