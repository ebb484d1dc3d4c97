"""The pages Local, and Hard and soft, run with anything typed and any link; the scripts of all run as they stand."""

from pathlib import Path

import pytest

from tests.harness.scripts import printed
from tests.harness.training import captions, opened
from ui.text import words

PAGES = ("local", "hard_soft")
FOLDER = Path(__file__).parents[2] / "pages" / "mechanisms"
TRAINED = {"race", "training"}  # sections whose scripts train for a minute
SCRIPTS = sorted(script for script in FOLDER.rglob("script.py") if script.parent.name not in TRAINED)


@pytest.mark.parametrize(
    "link",
    [
        {"lo_D": "nan", "lo_p": "x", "lo_kind": "?", "lo_step": "7", "mechanism_head": "9", "seed": "-1"},
        {"lo_D": "0", "lo_p": "inf", "focus": "9999,9999"},
        {"hs_T": "x", "hs_N": "-3", "hs_draw": "1e9", "hs_baseline": "?", "race_seed": "x"},
        {"hs_T": "1e99", "hs_N": "", "hs_draw": "٣"},
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_nonsense_in_a_link_is_no_error(page: str, link: dict[str, str]) -> None:
    assert not opened(page, **link).warning


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\U0001f468‍\U0001f469 a", "مرحبا بك", "$x$ :red[c]"])
@pytest.mark.parametrize("page", PAGES)
def test_anything_can_be_typed_and_none_of_it_is_markdown(page: str, text: str) -> None:
    app = opened(page, text=text, focus="1,0")
    written = "\n".join(element.value for element in (*app.markdown, *app.caption, *app.title, *app.header))
    assert "red[" not in written and "script>" not in written and "مرحبا" not in written


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", PAGES)
def test_one_token_is_one_clear_sentence(page: str, language: str) -> None:
    app = opened(page, text="x", lang=language)
    assert [warning.value for warning in app.warning] == [words("controls", language)["one_token"]]


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_sentence_asks_for_one_and_keeps_the_last_picture(page: str) -> None:
    app = opened(page, text="   ", lang="en")
    assert [warning.value for warning in app.warning] == [words("controls", "en")["empty"]]
    assert len(app.text) == 1  # the picture below still names its query


@pytest.mark.parametrize("page", PAGES)
def test_a_text_of_512_tokens_is_shortened_and_says_so(page: str) -> None:
    app = opened(page, text="cat " * 512, lang="en")
    assert words(page, "en").format("shortened", shown=64, all=512) in captions(app)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_window_wider_than_the_sentence_or_outside_it_says_what_is_used(language: str) -> None:
    page = words("local", language)
    app = opened("local", text="one two three", lo_D="40", lo_p="-7.5", lang=language)
    assert page.format("too_wide", D=40.0, n=3) in captions(app)
    assert page.format("outside", p=-6.5, last=3) in captions(app)
    app = opened("local", text="one two three", lo_D="3", lo_p="2", lang=language)
    assert page["too_wide"].partition("{")[2].partition("}")[2][:6] not in captions(app)


def test_the_query_and_the_token_asked_for_come_from_the_link() -> None:
    app = opened("local", text="one two three four", focus="2,0", lang="en")
    assert app.text[0].value == words("local", "en").data("asked", query="three", target="one")
    app = opened("hard_soft", text="one two three four", focus="1,3", lang="en")
    assert app.text[0].value == words("hard_soft", "en").data("asked", query="two", target="four")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.parent.name)
def test_a_script_runs_as_it_stands(script: Path) -> None:
    assert printed(script.read_text(encoding="utf-8"))
