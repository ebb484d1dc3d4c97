"""Long range opens in both languages, with any link and any sentence; its race ends and its table is its records."""

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.experiments.needle import Needle
from pages.training.long_range.race.numbers import telling, variant
from pages.training.long_range.race.results import looks, needle_weights
from pages.training.long_range.reach.pictures import sliders
from tests.harness import training
from tests.harness.training import captions, well
from ui.compute.runs import Variant
from ui.text import words
from ui.training.recorded import recorded_run

opened = partial(training.opened, "long_range")
trained = partial(training.trained, "long_range", "lg")
QUICK = {"lg_seconds": "2", "lg_length": "64"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_its_recording_both_pictures_stand(language: str, unrecorded) -> None:
    app = opened(lang=language)
    text = "\n".join(element.value for element in app.markdown)
    assert words("long_range", language).format("empty", symbols=Needle().symbols) in text
    assert "99.5 %" in text and "{" not in re.sub(r"\$[^$]*\$", "", text)
    assert "lg_run" not in app.session_state
    assert len(app.get("bidi_component")) >= 2


def test_a_race_ends_in_its_time_and_the_table_holds_its_records() -> None:
    app = trained(lang="en", lg_go="1", lg_models="lstm,rnn", lg_lr="0.001", **QUICK)
    run = app.session_state["lg_run"]
    table = app.dataframe[0].value
    assert table["model"].tolist() == ["LSTM", "RNN"]
    for name, steps, accuracy in zip(run.experiments, table["steps"], table["accuracy"], strict=True):
        last = run.records(name)[-1]
        assert last.measures["seconds"] >= 2.0 and last.state  # the time ended it, not the steps
        assert int(steps.replace("\N{NARROW NO-BREAK SPACE}", "")) == last.step
        assert abs(float(accuracy) - last.accuracy) < 1e-3
    assert dict(app.query_params.items()).items() >= {"lg_models": "lstm,rnn", "lg_seconds": "2"}.items()
    app.selectbox(key="lg_length").set_value(128).run()
    well(app)
    assert words("training", "en")["stale"] in captions(app)
    assert app.session_state["lg_run"] is run


def code(app: AppTest) -> str:
    return "\n".join(element.value for element in app.code)


def test_the_length_is_that_of_the_sentence_or_of_the_number() -> None:
    app = opened(lang="en", text="one two three")
    assert "text = 'one two three'\nn = 3\n" in code(app)
    app.button_group(key="lg_source").set_value("noise").run()
    well(app)
    assert "text = None\nn = 64\n" in code(app) and "one two three" not in code(app)
    app.number_input(key="lg_n").set_value(7).run()
    well(app)
    assert "text = None\nn = 7\n" in code(app)
    assert dict(app.query_params.items()).items() >= {"lg_source": "noise", "lg_n": "7"}.items()


def test_a_long_sentence_is_cut_and_says_so() -> None:
    app = opened(lang="en", text="so " * 300)
    note = words("long_range", "en").format("cut", most=256)
    assert note in captions(app)
    app.button_group(key="lg_source").set_value("noise").run()
    well(app)
    assert note not in captions(app)


def test_a_race_with_attention_tells_how_much_of_it_falls_on_the_needle() -> None:
    app = trained(lang="en", lg_go="1", lg_models="attention", lg_lr="0.01", **QUICK)
    sentences = looks(needle_weights(app.session_state["lg_run"]), words("long_range", "en"))
    assert sentences and "\n".join(sentences) in [element.value for element in app.text]


def test_no_two_controls_are_called_the_same() -> None:
    for language in ("en", "zh"):
        app = opened(lang=language, lg_source="noise")
        labels = [element.label for kind in ("selectbox", "number_input", "button_group") for element in app.get(kind)]
        labels += [slider.label for slider in sliders(64, 0, 0, None, words("long_range", language))]
        assert len(set(labels)) == len(labels) > 8 and "n" not in labels


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)> & **bold** $x$", "a", "", "注意力 ✨ naïve"])
def test_any_sentence_is_read_or_refused_in_words(text: str) -> None:
    app = opened(lang="en", text=text)
    assert not any("<img" in element.value for element in app.markdown)


@pytest.mark.parametrize(
    "link",
    [
        {"lg_length": "65", "lg_seconds": "1e9", "lg_lr": "nan", "lg_seed": "x", "lg_models": ",cnn", "lg_n": "1"},
        {"lg_distance": "-1", "lg_many": "<b>", "lg_part": "99", "lg_probe": "0", "lg_source": "web", "lg_go": "yes"},
    ],
)
def test_any_link_opens(link: dict[str, str]) -> None:
    app = opened(lang="en", **link)
    assert app.selectbox(key="lg_length").value == 128
    assert "lg_run" not in app.session_state


def test_the_recording_opens_on_a_sequence_whose_needle_attention_looks_at() -> None:
    run = recorded_run("long_range", variant)
    assert run is not None
    last = next(record for record in reversed(run.records(Variant("attention"))) if record.arrays)
    shown = telling(run)
    flag = int(last.arrays["tokens"][shown, :, 1].argmax())
    assert int(last.arrays["weights"][shown].argmax()) == flag and float(last.arrays["weights"][shown, flag]) > 0.9
    app = opened(lang="en")
    assert "lg_probe" not in app.query_params
    assert app.session_state["lg_probe"] == shown
    assert opened(lang="en", lg_probe="1").session_state["lg_probe"] == 0


@pytest.mark.parametrize(
    ("link", "source"),
    [({}, "noise"), ({"text": "one two three"}, "sentence"), ({"text": "one two", "lg_source": "noise"}, "noise")],
)
def test_vectors_are_random_unless_the_link_brings_a_sentence(link: dict[str, str], source: str) -> None:
    app = opened(lang="en", **link)
    assert app.session_state["lg_source"] == source
    app.text_input(key="text").set_value("four words are these").run()
    well(app)
    assert app.session_state["lg_source"] == source  # what stands on the page stays, whatever is typed
    assert app.query_params.get("lg_source", "sentence") == source
