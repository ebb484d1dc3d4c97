"""The study bar: what a reader chooses reaches the core, what a link says is checked, nothing typed breaks a page."""

import pytest
from streamlit.testing.v1 import AppTest

from attention_core.models import EMBEDDED, Settings
from tests.harness.training import link_of
from ui.controls import DEFAULT_SENTENCE, MAX_CHARS
from ui.sentences import SENTENCES, first_of
from ui.session import SCRATCH
from ui.text import words


def script() -> None:
    import streamlit as st

    from ui.controls import focus, study_bar
    from ui.errors import guarded
    from ui.focus import settle

    with guarded():
        choice = study_bar().choose()
        run = choice.run()
        layer = run.layers[choice.layer]
        settle(layer.queries, layer.keys, lambda: layer.attention.weights[choice.head])
        st.session_state["seen"] = (choice, run, focus(len(choice.tokens), len(choice.tokens)))


def opened(**link: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def seen(app: AppTest):
    assert not app.exception
    assert not app.error
    return app.session_state["seen"]


def test_cold_it_shows_the_default_sentence_in_the_trained_model() -> None:
    choice, run, focus = seen(opened())
    assert (choice.study.text, choice.study.model) == (DEFAULT_SENTENCE, EMBEDDED)
    assert choice.study.settings == Settings()  # nothing is changed, so it is one run for every layer
    assert (choice.layer, choice.head) == (3, 1)
    assert len(run.layers) == 6
    assert (run.tokens.strings[focus[0]], run.tokens.strings[focus[1]]) == ("it", "animal")


def test_a_link_restores_every_choice() -> None:
    link = {
        "text": "Thinking Machines",
        "layer": "3",
        "head": "7",
        "scaling": "none",
        "alpha": "2.0",
        "mask": "window",
        "radius": "1",
        "where": "all",
        "off": "2.5,6.12",
        "temperature": "0.5",
        "focus": "2,1",
        "normalizer": "hard",
    }
    app = opened(**link)
    choice, _, focus = seen(app)
    assert (choice.study.text, choice.layer, choice.head, focus) == ("Thinking Machines", 2, 6, (2, 1))
    assert choice.study.settings == Settings(
        scaling="none",
        input_scale=2.0,
        temperature=0.5,
        normalizer="hard",
        mask="window",
        radius=1,
        layers=None,
        ablated=frozenset({(1, 4), (5, 11)}),
    )
    assert link_of(app) == link


def test_a_link_made_in_chinese_opens_in_english() -> None:
    app = opened(model=SCRATCH, source="digest", lang="zh", seed="5")
    assert seen(app)[0].study.sizes.seed == 5
    link = link_of(app) | {"lang": "en"}
    choice, _, _ = seen(opened(**link))
    assert (choice.study.model, choice.study.sizes.source, choice.study.sizes.seed) == (SCRATCH, "digest", 5)


@pytest.mark.parametrize(
    "link",
    [
        {"layer": "99"},
        {"layer": "x"},
        {"head": "0"},
        {"head": "-3"},
        {"model": "../../etc"},
        {"scaling": "<script>"},
        {"alpha": "nan"},
        {"alpha": "1e9"},
        {"temperature": "inf"},
        {"temperature": "-1"},
        {"focus": "999,999"},
        {"focus": "a,b"},
        {"focus": ","},
        {"off": "9.9,1.x,,"},
        {"mask": "window", "radius": "-5"},
        {"model": SCRATCH, "d_k": "0", "n_head": "1000"},
        {"model": SCRATCH, "seed": "nan"},
    ],
)
def test_nonsense_in_a_link_falls_back_to_the_default(link: dict[str, str]) -> None:
    choice, run, (query, key) = seen(opened(**link))
    assert 0 <= choice.layer < len(run.layers)
    assert 0 <= query < len(choice.tokens)
    assert 0 <= key < len(choice.tokens)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<a href="https://x">y</a>',
        "#000001",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "مرحبا بالعالم",
        "a" * 100_000,
        "cat " * 600,
        "$x^2$ ![a](http://b) :red[c]",
        "我是学生",
        "x",
    ],
)
def test_anything_can_be_typed(text: str) -> None:
    app = opened()
    app.text_input(key="text").set_value(text).run()
    choice, run, _ = seen(app)
    assert len(choice.tokens) <= 512
    assert len(choice.study.text) <= MAX_CHARS
    assert run.output.isfinite().all()


@pytest.mark.parametrize(
    "text", ["", "   ", "\u200b", "\x00", "\u0301", "\u3000\u2003", "\ufe0f\u200d", "\u20e3", "\u3164", "\ufffd"]
)
def test_without_a_sentence_the_last_one_stays_with_one_clear_warning(text: str) -> None:
    app = opened(text="Thinking Machines")
    app.text_input(key="text").set_value(text).run()
    choice, _, _ = seen(app)
    assert choice.study.text == "Thinking Machines"
    assert len(app.warning) == 1


@pytest.mark.parametrize(
    "text", ["\u0301", "\u0327\u0301 \u0302", "\u200d", "\ufe0f", "\x07", "\u2003\u00a0", "\ufffd"]
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_to_a_text_without_a_letter_asks_for_a_sentence(text: str, language: str) -> None:
    app = opened(text=text, lang=language)
    choice, _, _ = seen(app)
    assert choice.study.text == DEFAULT_SENTENCE
    assert [warning.value for warning in app.warning] == [words("controls", language)["empty"]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("The [SEP] token ends here.", ["special tokens of this model", "[SEP]", "8 tokens"]),
        ("The capital of France is [MASK].", ["special tokens of this model", "[MASK]", "9 tokens"]),
        ("Hello" * 21, ["a word of more than 100 characters"]),
        ("💩💩💩 great", ["💩💩💩", "3 signs or words became one", "1 unknown"]),
        ("🙂🙂 and 🇨🇳🇩🇪", ["🙂🙂", "2 signs or words became one", "other groups: 1"]),
        ("🙂 🙂 🙂", ["English text", "3 unknown"]),
        ("a \ufffd b", ["no token for, left out: 1"]),
    ],
)
def test_what_was_read_otherwise_than_it_looks_is_said(text: str, parts: list[str]) -> None:
    app = opened(text=text)
    seen(app)
    assert not [part for part in parts if part not in known(app)]


@pytest.mark.parametrize("text", ["Hello" * 21, "the [SEP] law", "💩💩💩 is a great and a good and a fine thing"])
def test_english_text_is_blamed_only_for_words_that_are_not_english(text: str) -> None:
    assert "English text" not in known(opened(text=text))


def test_the_layer_from_scratch_reads_a_special_token_as_text() -> None:
    choice, run, _ = seen(app := opened(text="The [SEP] token", model=SCRATCH))
    assert run.tokens.strings == ("the", "[", "sep", "]", "token") == choice.tokens.strings
    assert "special" not in app.caption[-1].value


@pytest.mark.parametrize("name", ["gpt2", "my-bert", "../../etc/passwd", "<b>x</b>", "![a](http://b)", "x" * 3000])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_to_a_model_that_is_not_offered_says_so_and_stays_as_it_is(name: str, language: str) -> None:
    app = opened(model=name, lang=language)
    choice, _, _ = seen(app)
    assert choice.study.model == EMBEDDED
    [notice] = app.info
    assert f"` {name[:80]} `" in notice.value
    assert EMBEDDED in notice.value
    app.button(key="example_1").click().run()
    assert len(app.info) == 1
    assert link_of(app)["model"] == name


def test_another_model_takes_the_place_of_one_that_is_not_offered() -> None:
    app = opened(model="gpt2")
    assert len(app.info) == 1
    app.selectbox(key="model").set_value(SCRATCH).run()
    assert not app.info
    assert link_of(app)["model"] == SCRATCH
    app.selectbox(key="model").set_value(EMBEDDED).run()
    assert not app.info
    assert "model" not in link_of(app)


@pytest.mark.parametrize("name", [EMBEDDED, SCRATCH, "pronoun", ""])
def test_a_link_to_a_model_that_is_offered_has_nothing_to_say(name: str) -> None:
    assert not [info for info in opened(model=name, text="the Law").info if "not offered" in info.value]


def known(app: AppTest) -> str:
    """All that is said about how the sentence was read."""
    return "\n".join([app.caption[-1].value, *(notice.value for notice in app.info)])


CHINESE = "小猫没有过马路，因为它太累了"


def test_chinese_is_printed_as_it_was_typed_and_the_notice_leads_to_a_layer_that_reads_it() -> None:
    app = opened(text=CHINESE)
    choice, run, _ = seen(app)
    assert "".join(run.tokens.strings) == f"[CLS]{CHINESE}[SEP]" and choice.tokens.unknown > 7
    assert "English text" in known(app)
    app.button(key="use_scratch").click().run()
    choice, run, focus = seen(app)
    assert (choice.study.model, "".join(run.tokens.strings), choice.tokens.unknown) == (SCRATCH, CHINESE, 0)
    assert "English vocabulary" in app.caption[-1].value
    assert CHINESE[focus[0]] == "它"


def test_the_notice_leads_to_sentences_that_the_model_knows() -> None:
    for language, button in (("en", "use_en"), ("zh", "use_en"), ("zh", "use_zh")):
        app = opened(text=CHINESE, lang=language)
        app.button(key=button).click().run()
        choice, _, _ = seen(app)
        assert choice.study.text == first_of(button[-2:]).text and choice.tokens.unknown == 0
        assert choice.study.model == EMBEDDED


def test_a_bare_address_opens_on_a_sentence_of_the_readers_language_and_the_link_then_says_which() -> None:
    app = opened(lang="zh")
    choice, _, focus = seen(app)
    assert choice.study.text == first_of("zh").text and choice.tokens.unknown == 0
    link = link_of(app)
    assert link["text"] == choice.study.text and link["focus"] == ",".join(map(str, focus))
    other, _, there = seen(opened(**link | {"lang": "en"}))
    assert (other.study, other.layer, other.head, there) == (choice.study, choice.layer, choice.head, focus)


@pytest.mark.parametrize("link", [{"layer": "3"}, {"head": "2"}, {"focus": "1,2"}, {"alpha": "4"}, {"model": SCRATCH}])
def test_a_link_without_a_text_is_the_same_for_every_reader(link: dict[str, str]) -> None:
    studies = [seen(opened(**link, lang=language))[0].study for language in ("en", "zh")]
    assert [study.text for study in studies] == [DEFAULT_SENTENCE] * 2


def test_an_english_sentence_that_was_chosen_in_chinese_stays_in_the_link() -> None:
    app = opened(lang="zh")
    app.text_input(key="text").set_value(DEFAULT_SENTENCE).run()
    assert link_of(app)["text"] == DEFAULT_SENTENCE


def test_another_language_brings_its_sentence_only_where_nothing_was_typed_or_chosen() -> None:
    for typed, chosen, expected in ((None, None, first_of("zh").text), ("the law", None, "the law"), (None, 5, None)):
        app = opened(lang="en")
        if typed:
            app.text_input(key="text").set_value(typed).run()
        if chosen:
            app.session_state["head"] = chosen
            app.run()
        app.session_state["language"] = "zh"
        app.run()
        assert seen(app)[0].study.text == (expected or DEFAULT_SENTENCE)


def test_too_long_a_sentence_says_what_was_cut() -> None:
    app = opened()
    app.text_input(key="text").set_value("cat " * 600).run()
    assert "512" in app.caption[-1].value
    app.text_input(key="text").set_value("a" * 100_000).run()
    assert str(MAX_CHARS) in app.caption[-1].value


@pytest.mark.parametrize("number", range(len(SENTENCES)))
def test_every_example_runs(number: int) -> None:
    app = opened()
    app.button(key=f"example_{number}").click().run()
    choice, run, focus = seen(app)
    sentence = SENTENCES[number]
    assert choice.study.text == sentence.text
    assert choice.tokens.unknown == 0
    assert (choice.layer + 1, choice.head + 1, *focus) == sentence.look
    if not sentence.source:  # what the words next to the example claim
        row = run.layers[choice.layer].attention.weights[choice.head, focus[0]]
        assert int(row.argmax()) == focus[1]


def test_reset_brings_the_models_own_settings_back() -> None:
    app = opened(scaling="none", temperature="3.0", off="1.1", text="Thinking Machines", head="4")
    reset = next(button for button in app.button if not (button.key or "").startswith("example_"))
    reset.click().run()
    choice, _, _ = seen(app)
    assert choice.study.settings == Settings()
    assert (choice.study.text, choice.head) == ("Thinking Machines", 3)


def test_a_model_that_cannot_be_loaded_is_one_sentence_and_the_default_goes_on(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HEADLIGHT_MODELS", str(tmp_path))
    app = opened(model=tmp_path.name)
    choice, _, _ = seen(app)
    assert choice.study.model == EMBEDDED
    assert len(app.warning) == 1
    assert tmp_path.name in app.warning[0].value


def test_odd_rotary_sizes_are_one_sentence() -> None:
    app = opened(model=SCRATCH, positions="rope", d_k="7")
    assert not app.exception
    assert "7" in app.warning[0].value


@pytest.mark.parametrize("text", ["\u0301", "\ufffd\u0301"])
def test_text_that_gives_no_token_is_treated_as_no_sentence(text: str) -> None:
    app = opened(model=SCRATCH, source="digest", text=text)
    assert not app.exception
    choice, _, _ = seen(app)
    assert len(choice.tokens) > 0
