"""Hostile text never raises; tokens are what a reader would count; digests are the same in every process."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.text import clean, digest_embedding, words

ANY = st.text(alphabet=st.characters(categories=None))  # lone surrogates included
HOSTILE = st.text(
    alphabet="aé 1.,'\u2019-_我か\u0301\u0903\u200c\u200d\ufe0f\u20e3👨👩👧🏽🇨🇳🏴\U000e0067\U000e007f\u202e\ud800\n"
)
TEXT = ANY | HOSTILE
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
VISIBLE_FORMAT = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13460)}


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The law, saw; it!", ["The", "law", ",", "saw", ";", "it", "!"]),
        ("Don't l\u2019été 'a'", ["Don't", "l\u2019été", "'", "a", "'"]),
        ("3.14 1,000 3. x.y 5'6", ["3.14", "1,000", "3", ".", "x", ".", "y", "5", "'", "6"]),
        ("state-of-the x_1", ["state", "-", "of", "-", "the", "x_1"]),
        ("我喜欢AI。", ["我", "喜", "欢", "AI", "。"]),
        ("人々のカメラ", ["人", "々", "のカメラ"]),
        (f"x{FAMILY}🇨🇳🇩🇪👍🏽y", ["x", FAMILY, "🇨🇳", "🇩🇪", "👍🏽", "y"]),
        ("❤️\u200d🔥1️⃣1☺️☺", ["❤️\u200d🔥", "1️⃣", "1", "☺️", "☺"]),
        (f"{ENGLAND}{ENGLAND}", [ENGLAND, ENGLAND]),
        ("हिन्दी में שלום مرحبا", ["हिन्दी", "में", "שלום", "مرحبا"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        (" \t\n\u3000", []),
        ("", []),
    ],
)
def test_words_are_what_a_reader_counts(text, tokens):
    assert words(text) == tuple(tokens)


@given(TEXT)
def test_words_lose_nothing_but_white_space(text):
    tokens = words(text)
    assert "".join(tokens) == "".join(text.split())
    assert all(tokens)


@pytest.mark.parametrize(
    ("text", "expected", "removed"),
    [
        ("a\r\n\tb  c\u2028d ", "a b c d", 0),
        ("cafe\u0301", "café", 0),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc", 3),
        ("x\ud83d\udc41y\udfff", "xy", 3),
        ("\u202egpj.exe\u202c\u2066z\u2069\u200f", "gpj.exez", 5),
        ("\ufeffze\u200bro\xad\u2060", "zero", 4),
        ("hi\U000e0068\U000e0069\U000e007f", "hi", 3),
        ("\ufffe\ufdd0\U0010ffffok", "ok", 3),
        (f"{FAMILY} {ENGLAND} 👍🏽", f"{FAMILY} {ENGLAND} 👍🏽", 0),
        ("می\u200cخواهم क्\u200dष שלום", "می\u200cخواهم क्\u200dष שלום", 0),
        ("\u200da\u200d b\u200d\u200cc\u200c", "a b\u200dc", 4),
    ],
)
def test_clean_removes_what_cannot_be_seen_and_counts_it(text, expected, removed):
    cleaned = clean(text, 1000)
    assert (cleaned.text, cleaned.cut, cleaned.removed) == (expected, 0, removed)


@pytest.mark.parametrize(
    "text",
    [
        "\u0301",
        "\u0301\u0302 \u0327",
        "\u0903\u093e",  # signs of Devanagari
        "\u3099\u20dd\u20e3",  # a voicing mark, an enclosing circle, a keycap
        "\u200d",
        "\u0301\u200d\u0301",
        "\ufe0f \ufe0e\U000e0100\u180b\u034f",  # variation selectors, what joins graphemes
        "\x00\x07\x1b\x7f\x85",
        " \t\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000",
        "\u115f\u1160\u3164\uffa0\u2800",  # fillers of Hangul, Braille without a dot
        "\U000e0041\U000e007f\ufeff\u2060",
    ],
)
def test_of_a_text_that_nobody_can_see_nothing_is_left(text):
    cleaned = clean(text, 1000)
    assert (cleaned.text, cleaned.cut) == ("", 0)
    assert clean(f"{text}a", 1000).text.endswith("a")


@pytest.mark.parametrize("text", ["\u0301a", "🏽", "\u0600", "\ufffd", "।", "‿", "🇨", "´", "\ue000", "ㅤa"])
def test_a_text_with_something_to_see_stays(text):
    assert clean(text, 1000).text == text


def test_accents_at_the_limit_without_a_letter_before_it_are_no_text():
    cleaned = clean("\u0301" * 7 + "a", 5)
    assert (cleaned.text, cleaned.cut) == ("", 8)


def test_clean_follows_the_unicode_categories():
    visible, invisible = [], []
    for point, char in enumerate(map(chr, range(sys.maxunicode + 1))):
        category = unicodedata.category(char)
        if category == "Cs" or (category == "Cc" and not char.isspace()):
            invisible.append(char)
        elif category == "Cf" and char not in "\u200c\u200d":
            (visible if point in VISIBLE_FORMAT else invisible).append(char)
        elif category not in ("Cc", "Cf", "Cn", "Co"):
            visible.append(char)
    assert clean("".join(invisible), 1000).text == ""
    assert clean("".join(visible), len(visible)).removed == 0


@given(TEXT, st.integers(1, 13))
def test_clean_is_safe_bounded_and_final(text, limit):
    cleaned = clean(text, limit)
    assert len(cleaned.text) <= limit
    cleaned.text.encode("utf-8")
    assert unicodedata.is_normalized("NFC", cleaned.text)
    assert cleaned.text == " ".join(cleaned.text.split())
    again = clean(cleaned.text, limit)
    assert (again.text, again.cut, again.removed) == (cleaned.text, 0, 0)
    whole = clean(text, 1000)
    assert whole.text.startswith(cleaned.text)
    assert cleaned.cut + len(cleaned.text) == whole.cut + len(whole.text)


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two", 4, "one"),
        ("one two", 7, "one two"),
        (f"a{FAMILY}", 5, "a"),
        (FAMILY, 2, "👨"),
        ("ax\u0301\u0302", 2, "a"),
        ("aक्षि", 4, "a"),  # one syllable of Devanagari: two consonants, what joins them, and a vowel sign
        ("🇨🇳🇩🇪", 3, "🇨🇳"),
    ],
)
def test_clean_never_cuts_inside_an_emoji_or_an_accent(text, limit, expected):
    cleaned = clean(text, limit)
    assert cleaned.text == expected
    assert cleaned.cut == len(text) - len(expected)


def test_clean_refuses_a_limit_below_one():
    with pytest.raises(ValueError, match="not 0"):
        clean("a", 0)


def test_digest_embedding_is_known():
    x = digest_embedding(("a", "law"), 3, 0)
    expected = torch.tensor(
        [
            [0.3699205219745636, 0.32381412386894226, 0.39530086517333984],
            [-0.9771906733512878, 0.23418857158730377, 0.0862184688448906],
        ]
    )
    assert_close(x, expected, atol=1e-7, rtol=0)


def test_digest_embedding_has_the_same_bits_in_another_process():
    tokens, script = (
        ("law", "我", FAMILY, "\ud800"),
        (
            "import ast, sys; from attention_core.text import digest_embedding as digest;"
            "print(digest(ast.literal_eval(sys.argv[1]), 5, 7).view(dtype=__import__('torch').int32).tolist())"
        ),
    )
    done = subprocess.run(
        [sys.executable, "-c", script, ascii(tokens)],
        env={**os.environ, "PYTHONHASHSEED": "31"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    bits = digest_embedding(tokens, 5, 7).view(dtype=torch.int32)
    assert done.stdout.strip() == str(bits.tolist())


@given(st.lists(TEXT, max_size=5), st.integers(0, 7), st.integers())
def test_digest_embedding_depends_on_the_token_and_the_seed_only(tokens, d_model, seed):
    x = digest_embedding(tokens, d_model, seed)
    assert x.shape == (len(tokens), d_model)
    assert x.isfinite().all()
    for row, token in zip(x, tokens, strict=True):
        assert_close(row, digest_embedding((token,), d_model + 3, seed)[0, :d_model], atol=0, rtol=0)


def test_digest_embedding_is_standard_normal():
    x = digest_embedding([str(i) for i in range(499)], 503, seed=11).double()
    moments = torch.stack((x.mean(), x.var(), (x**3).mean(), (x**4).mean()))
    assert_close(moments, torch.tensor([0.0, 1.0, 0.0, 3.0]).double(), atol=0.1, rtol=0)
    other = digest_embedding([str(i) for i in range(499)], 503, seed=12).double()
    assert (x * other).mean().abs() < 0.01
    assert (x[:-1] * x[1:]).mean().abs() < 0.01
