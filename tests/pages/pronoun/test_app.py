"""its → Law runs in both languages: any sentence, any link, and a layer trained on the page reads the sentence."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.experiments.base import Record
from attention_core.experiments.pronoun import EXAMPLE, Pronoun
from attention_core.experiments.store import fingerprint
from attention_core.models.trained import CHECKPOINT_SHA256
from pages.training.pronoun import reading
from pages.training.pronoun.reading import SURVEYED, VOCABULARY
from tests.harness import training
from tests.harness.training import well
from ui.compute import catalogue
from ui.text import words

opened = partial(training.opened, "pronoun")
ended = partial(training.ended, key="pr")
trained = partial(training.trained, "pronoun", "pr")
PAGE = words("pronoun", "en")
ROOT = Path(__file__).parents[3]


def text_of(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption", "warning", "info") for element in app.get(kind))


def typed(app: AppTest, text: str) -> str:
    app.text_input(key="pr_text").set_value(text).run()
    well(app)
    return text_of(app)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_with_the_shipped_layer_on_its_sentence(language: str) -> None:
    app = opened(lang=language)
    page = words("pronoun", language)
    shown = text_of(app)
    assert page.format("answer.right", word="its", noun="law") in shown
    assert CHECKPOINT_SHA256 in shown
    assert page.format("heads.some", number=1, answer="law") in shown
    (command,) = (block.value for block in app.code if " -m " in block.value)
    module, *given = command.partition(" -m ")[2].split()
    usage = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert given[0] in usage and given[1].endswith(".safetensors")
    assert str(SURVEYED) in shown and app.dataframe[0].value.iloc[:, 0].tolist() == ["its", "his", "her"]
    assert not app.warning


def test_the_readers_own_sentence_is_read_and_stands_in_the_link() -> None:
    app = opened(lang="en")
    shown = typed(app, "The Queen loved the tower, but her ship should be old.")
    assert PAGE.format("answer.right", word="her", noun="queen") in shown and not app.warning
    assert app.query_params["pr_text"] == "The Queen loved the tower, but her ship should be old."


def test_what_cannot_be_read_is_told_in_a_sentence_and_the_last_picture_stays() -> None:
    app = opened(lang="en")
    typed(app, "the law saw the king , but his city should be just .")
    kept = PAGE.format("answer.right", word="his", noun="king")
    for text, telling in [
        ("the law <img src=x onerror=alert(1)> `$x$`", "onerror"),
        ("", PAGE["nothing_typed"]),
        ("   ", PAGE["nothing_typed"]),
        ("你好 world " * 200, "`"),
    ]:
        shown = typed(app, text)
        (one,) = (*app.warning, *app.info)
        assert telling in one.value and PAGE["keeps"] in one.value
        assert kept in shown
        assert "king" in app.query_params["pr_text"]  # the link keeps what can be read
    assert "<img" not in typed(app, "the <img>").replace("`", "")
    assert len(app.info) == 1 and not app.warning


def test_no_pronoun_and_too_many_words_are_told() -> None:
    app = opened(lang="en")
    assert PAGE["no_pronoun"] in typed(app, "the king saw the queen")
    shown = typed(app, "the king saw the tower but its " + "the " * 30)
    assert PAGE.format("too_long", most=32, dropped=5) in shown
    assert (
        PAGE.format("answer.right", word="its", noun="tower") in shown
        or PAGE.format("answer.wrong", word="its", noun="tower") in shown
    )


def test_clicked_words_make_a_sentence() -> None:
    app = opened(lang="en")
    app.button(key="pr_empty").click().run()
    assert app.text_input(key="pr_text").value == "" and len(app.warning) == 1
    for kind, word in [("glue", "the"), ("his", "king"), ("pronouns", "his")]:
        assert word in VOCABULARY[kind]
        app.button_group(key=f"pr_words_{kind}").set_value(word).run()
        well(app)
    assert app.text_input(key="pr_text").value == "the king his"
    app.button(key="pr_shorter").click().run()
    assert app.text_input(key="pr_text").value == "the king"
    app.button(key="pr_use_turned").click().run()
    assert app.text_input(key="pr_text").value == "the king saw the law , but its city should be just ."
    well(app)


def test_a_layer_trained_here_reads_the_sentence() -> None:
    app = trained(lang="en", pr_steps="10", pr_dk="8", pr_go="1", pr_rules="inverse")
    config = Pronoun(rule="inverse", d_k=8, steps=10, every=1)
    assert fingerprint(list(config.records())) in text_of(app)
    app.selectbox(key="pr_layer").set_value("inverse").run()
    well(app)
    app.selectbox(key="pr_layer").set_value("untouched").run()
    well(app)
    assert app.query_params["pr_layer"] == "untouched"
    app.selectbox(key="pr_dk").set_value(16).run()
    assert words("training", "en")["stale"] in text_of(app)


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """No training of this page goes on after its first record before the gate is open."""
    gate, records = threading.Event(), Pronoun.records

    def waits(config: Pronoun) -> Iterator[Record]:
        for record in records(config):
            yield record
            assert gate.wait(60.0)

    monkeypatch.setattr(Pronoun, "records", waits)
    return gate


def test_a_link_to_a_layer_waits_for_its_training(gate) -> None:
    app = opened(lang="en", pr_steps="10", pr_dk="8", pr_go="1", pr_rules="inverse", pr_layer="inverse")
    assert app.selectbox(key="pr_layer").value == "shipped" and app.query_params["pr_layer"] == "inverse"
    app.button(key="pr_start").click().run()
    assert app.session_state["pr_run"].state != "ended", "too quick to show anything"
    assert app.selectbox(key="pr_layer").value == "shipped" and app.query_params["pr_layer"] == "inverse"
    gate.set()
    ended(app)
    assert app.selectbox(key="pr_layer").value == "inverse" and app.query_params["pr_layer"] == "inverse"
    app.button(key="pr_start").click().run()  # the next one takes its place when it is done
    well(app)
    assert app.query_params["pr_layer"] == "inverse"
    ended(app)
    assert app.selectbox(key="pr_layer").value == "inverse"
    app.selectbox(key="pr_layer").set_value("shipped").run()
    app.run()
    well(app)
    assert app.selectbox(key="pr_layer").value == "shipped" and "pr_layer" not in app.query_params


def test_a_choice_made_meanwhile_and_a_layer_that_never_comes_end_the_waiting(gate) -> None:
    app = opened(lang="en", pr_steps="10", pr_dk="8", pr_go="1", pr_rules="inverse", pr_layer="inverse")
    app.button(key="pr_start").click().run()
    app.selectbox(key="pr_layer").set_value("untouched").run()
    gate.set()
    ended(app)
    assert app.selectbox(key="pr_layer").value == "untouched" and app.query_params["pr_layer"] == "untouched"
    app = trained(lang="en", pr_steps="10", pr_dk="8", pr_go="1", pr_rules="inverse", pr_layer="none")
    app.run()
    assert app.selectbox(key="pr_layer").value == "shipped" and "pr_layer" not in app.query_params


@pytest.mark.parametrize(
    "link",
    [
        {"pr_text": "<script>", "pr_row": "99", "pr_layer": "magic", "pr_dk": "7", "pr_rules": "qk_norm"},
        {"pr_text": "", "pr_row": "²", "pr_steps": "0", "pr_step": "9", "pr_view": "x", "pr_head": "3", "pr_go": "?"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **link)
    assert app.selectbox(key="pr_layer").value == "shipped" and app.selectbox(key="pr_dk").value == 32
    assert PAGE.format("answer.right", word="its", noun="law") in text_of(app)
    assert "pr_run" not in app.session_state


def test_a_damaged_file_leaves_the_untrained_layer(monkeypatch) -> None:
    monkeypatch.setattr("attention_core.models.trained.CHECKPOINT_SHA256", "0" * 64)
    monkeypatch.setattr(catalogue, "_TAUGHT", catalogue.Loaded(1))
    app = opened(lang="en")
    assert PAGE["damaged"] in [element.value for element in app.warning]
    assert app.selectbox(key="pr_layer").value == "untouched"
    assert app.text_input(key="pr_text").value == EXAMPLE


def test_how_good_the_shipped_layer_is_is_measured_once_for_all_readers(monkeypatch) -> None:
    """Also where it has been loaded again meanwhile: what is measured follows from its weights."""
    measured = []
    monkeypatch.setattr(reading, "survey", lambda layer, survey=reading.survey: (measured.append(1), survey(layer))[1])
    for _ in range(3):
        monkeypatch.setattr(catalogue, "_TAUGHT", catalogue.Loaded(1))
        assert PAGE["origin.title"] in [element.value for element in opened(lang="en").header]
    assert len(measured) <= 1
