"""Both languages say the same things, and what a visitor types stays inert."""

import re
import string
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.text import FOLDER, LANGUAGES, inline_code, words

PAGES = sorted({file.stem for language in LANGUAGES for file in (FOLDER / language).glob("*.toml")})


def leaves(table, path=()):
    if isinstance(table, str):
        yield path, table
    else:
        for key, value in table.items() if isinstance(table, dict) else enumerate(table):
            yield from leaves(value, (*path, key))


def load(page, language):
    return dict(leaves(tomllib.loads((FOLDER / language / f"{page}.toml").read_text(encoding="utf-8"))))


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("page", PAGES)
def test_english_and_chinese_hold_the_same_keys(page):
    assert load(page, "en").keys() == load(page, "zh").keys()


@pytest.mark.parametrize("page", PAGES)
def test_no_text_is_empty_and_placeholders_agree(page):
    chinese = load(page, "zh")
    for key, text in load(page, "en").items():
        assert text.strip() and chinese[key].strip(), key
        if "\\" not in text:  # in a formula, braces are LaTeX
            assert placeholders(text) == placeholders(chinese[key]), key


@pytest.mark.parametrize("page", PAGES)
def test_chinese_is_chinese(page):
    texts = load(page, "zh").values()
    assert sum(bool(re.search("[\u4e00-\u9fff]", text)) for text in texts) > len(texts) / 2


def test_a_missing_word_is_an_error_that_names_its_file():
    with pytest.raises(KeyError, match=r"assets/text/zh/common\.toml"):
        words("common", "zh")["no such word"]


def test_numbers_are_rounded_and_strings_become_code():
    line = words("common", "en")
    assert line.format("trust.residual", oracle="<b>", value=0.000123456) == (
        "differs from `` <b> `` by at most 1.235·10⁻⁴".replace("``", "`")
    )
    assert line.data("trust.model", value="a*b*") == "model a*b*"


@given(st.text())
def test_inline_code_cannot_be_closed_from_inside(text):
    code = inline_code(text)
    fence = re.match("`+", code).group()
    inside = code[len(fence) : -len(fence)]
    assert code.endswith(fence) and "\n" not in code
    assert fence not in re.findall("`+", inside)
    assert inside.split() == text.split()
