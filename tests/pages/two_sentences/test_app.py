"""The Two sentences page: any pair typed, any link, both languages; what cannot be used is one sentence."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from attention_core import checkpoints, matching
from attention_core.matching import shipped
from pages.mechanisms.two_sentences.numbers import ENCODERS, MAX_WORDS, read
from pages.mechanisms.two_sentences.sentences import EXAMPLES
from tests.harness.training import arrived, fine
from ui import session
from ui.text import words

ARTICLE = ("I am a student", "You and me are students")
PAIR = {"first": "The teacher helped the student", "second": "The student helped the teacher"}


def opened(**link: str) -> AppTest:
    return fine(arrived("two_sentences", **link))


def text_of(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption) for element in kind)


def script(app: AppTest) -> str:
    return next(code.value for code in app.code if "load_embedded" in code.value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_with_a_pair_that_it_judges_rightly_and_the_failure_is_the_third_example(language: str) -> None:
    app, page = opened(lang=language), words("two_sentences", language)
    first, second, third = list(EXAMPLES.items())[:3]
    assert tuple(app.text_input(key=name).value for name in ("first", "second")) == first[1][:2]
    assert _verdict(first[1]) > 0.9  # the same in other words
    assert _verdict(second[1]) < 0.1  # another meaning
    assert third[1][:2] == ARTICLE and _verdict(third[1]) > 0.9  # wrong, and said so
    assert page["pair.student"] in text_of(app)
    app.button(key="pair_student").click().run()
    assert tuple(app.text_input(key=name).value for name in ("first", "second")) == ARTICLE


def _verdict(example) -> float:
    """The probability that both say the same, by the matcher the page opens with."""
    return float(read(session.embedded(), ENCODERS[0], (example.first, example.second)).at(1.0)["verdict"][0])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_pair_of_the_article_opens_from_its_link(language: str, encoder: str) -> None:
    app = opened(lang=language, encoder=encoder, first=ARTICLE[0], second=ARTICLE[1])
    page = words("two_sentences", language)
    assert tuple(app.text_input(key=name).value for name in ("first", "second")) == ARTICLE
    assert not app.warning
    assert page.format("tokens", first=4, second=5) in text_of(app)
    table = app.dataframe[0].value
    assert list(table[page["column_word"]]) == ["i", "am", "a", "student"]
    assert list(table[page["column_partner"]])[-1] == "students"
    assert (page["worth_none"] in text_of(app)) == (encoder == "transformer")


def test_the_share_of_right_answers_is_the_one_measured_in_training() -> None:
    shares = shipped("both")[1]
    text = text_of(opened(lang="en"))
    assert f"{100 * shares['unmet']['same']:.0f}% of the paraphrases" in text
    assert f"{100 * shares['unknown']['word']:.0f}%" in text


@pytest.mark.parametrize("name", ["first", "second"])
@pytest.mark.parametrize("blank", ["", " \t\u200b"])
def test_an_empty_sentence_is_one_warning_and_the_last_pair_stays(name: str, blank: str) -> None:
    app = opened(lang="en", **PAIR)
    before = script(app)
    fine(app.text_input(key=name).set_value(blank).run())
    assert [warning.value for warning in app.warning] == [words("two_sentences", "en")[f"empty_{name}"]]
    assert script(app) == before
    fine(app.text_input(key=name).set_value("Go").run())
    assert not app.warning
    assert words("two_sentences", "en")["single"] in text_of(app)
    assert script(app) != before


@pytest.mark.parametrize(
    ("encoder", "text", "unread"),
    [
        ("bilstm", "<b>x</b> **y** $z$ [a](http://b) `c` {d}", 0),
        ("bilstm", "🙂 🏳️‍🌈 ☃", 1),
        ("vectors", "我是一个学生", 1),
        ("transformer", "word " * 700, 0),
        ("transformer", "a", 0),
        ("bilstm", "x" * 5000, 1),
    ],
)
def test_anything_can_be_typed_and_stays_inert(encoder: str, text: str, unread: int) -> None:
    app = opened(lang="en", encoder=encoder, first=text, second=PAIR["second"])
    assert len(app.warning) == unread
    for element in app.markdown:
        assert "http://b" not in re.sub("`[^`]*`", "", element.value)
        assert "**y**" not in re.sub("`[^`]*`", "", element.value)


@pytest.mark.parametrize("name", ["first", "second"])
def test_words_that_the_vocabulary_lacks_get_no_verdict_and_are_named(name: str) -> None:
    app = opened(lang="en", **PAIR)
    before = script(app)
    fine(app.text_input(key=name).set_value("你和我都是学生").run())
    (warning,) = app.warning
    assert all(f"{sign}" in warning.value for sign in "你是") and "我" not in warning.value
    assert script(app) == before


def test_long_sentences_say_what_was_left_out() -> None:
    app = opened(lang="en", first="word " * 512, second="other " * 512)
    page = words("two_sentences", "en")
    assert page.format("tokens", first=MAX_WORDS, second=MAX_WORDS) in text_of(app)
    assert page.format("cut", limit=MAX_WORDS, dropped=2 * (512 - MAX_WORDS)) in text_of(app)


@pytest.mark.parametrize(
    "link",
    [
        {"encoder": "x", "two_word": "c9", "two_t": "nan", "first": " "},
        {"two_word": "b99", "two_t": "-1e999"},
        {"two_word": "a0", "two_t": "banana"},
        {"two_word": "a" + "9" * 500, "two_t": "1e300"},
    ],
)
def test_nonsense_in_a_link_opens_a_page_all_the_same(link: dict[str, str]) -> None:
    assert opened(lang="en", **link).dataframe


def test_sentence_1_twice_is_self_attention() -> None:
    app = opened(lang="en", **PAIR)
    assert "this is self-attention" not in text_of(app)
    fine(app.button(key="twice").click().run())
    assert app.text_input(key="second").value == PAIR["first"]
    text = next(element.value for element in app.markdown if "this is self-attention" in element.value)
    for value, power in re.findall(r"by ([\d.]+)(?:·10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+))? at most", text):
        digits = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")) or "0"
        assert float(f"{value}e-{digits}") <= 1e-12
    assert len(re.findall("at most|bit for bit", text)) == 2


def test_a_pair_fills_both_boxes_and_the_link_says_where_the_reader_is() -> None:
    app = opened(lang="en")
    fine(app.button(key="pair_bank").click().run())
    assert "bank" in app.text_input(key="second").value
    assert "Word in both sentences" in text_of(app)
    app.selectbox(key="encoder").set_value("vectors")
    fine(app.run())
    stands = {name: app.query_params[name] for name in ("first", "second", "encoder", "two_word")}
    link = {name: value if isinstance(value, str) else value[0] for name, value in stands.items()}
    again = opened(lang="en", **link)
    assert script(again) == script(app)


def test_without_the_checkpoint_the_page_says_so_and_shows_the_transformer(monkeypatch) -> None:
    def gone(*args: object) -> None:
        raise checkpoints.DamagedError("gone")

    shipped.cache_clear()
    monkeypatch.setattr(matching.checkpoints, "load", gone)
    app = opened(lang="en")
    assert [warning.value for warning in app.warning] == [words("two_sentences", "en")["damaged"]]
    assert not app.error
