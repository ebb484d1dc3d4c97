"""The bar of Two sentences: both boxes, pairs worth a look, the encoder; and what is said about what was typed."""

from functools import partial
from typing import NamedTuple

import streamlit as st

from attention_core.text import clean
from pages.mechanisms.two_sentences.numbers import ENCODERS, MAX_WORDS, SIDES, Pair
from pages.mechanisms.two_sentences.pictures import Word
from pages.mechanisms.two_sentences.settings import TEXTS, WORD
from ui import session
from ui.controls import MAX_CHARS, choose, remarks
from ui.text import Words, words

SHOWN_WORDS, SHOWN_SIGNS = 6, 24  # of those that the vocabulary lacks, and of each


class Example(NamedTuple):
    """Two sentences, and the word to look at."""

    first: str
    second: str
    word: Word


EXAMPLES = {  # by the key of its words
    "paraphrase": Example(
        "The clever student helped an old lady", "This smart pupil assisted the aged woman", Word(0, 2)
    ),
    "hard": Example("The clever student helped an old lady", "This smart pupil assisted the aged doctor", Word(1, 5)),
    "student": Example("I am a student", "You and me are students", Word(0, 3)),
    "order": Example("The teacher helped the student", "The student helped the teacher", Word(0, 1)),
    "bank": Example("She sat on the bank of the river", "She took the money from the bank", Word(0, 4)),
    "far": Example("The king bought a fast horse", "You were tired yesterday", Word(0, 5)),
}


def sentences(page: Words) -> tuple[tuple[str, str], str]:
    """Both texts and the encoder. What was typed last takes the place of an empty box."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="pair_bar"):
        for name in SIDES:
            TEXTS[name].seed()
            st.text_input(page[name], key=name, live=True, placeholder=page["placeholder"], width="stretch")
        with st.popover(page["pairs"], icon=":material/format_quote:", width="content"):
            for key, example in EXAMPLES.items():
                _offer(key, example, page)
        st.button(page["twice"], icon=":material/content_copy:", key="twice", on_click=_repeat)
        encoder = choose(
            "encoder",
            ENCODERS,
            page["encoder"],
            lambda name: page[f"encoders.{name}"],
            page["encoder_help"],
            210,
        )
    return (_usable("first", page), _usable("second", page)), encoder


def _offer(key: str, example: Example, page: Words) -> None:
    label = f"{example.first} / {example.second}"
    with st.container(key=f"pair_of_{key}", gap=None):
        st.button(label, key=f"pair_{key}", type="tertiary", on_click=partial(_use, example), width="stretch")
        st.caption(page[f"pair.{key}"])


def _use(example: Example) -> None:
    """Put this pair into the boxes."""
    TEXTS["first"].put(example.first)
    TEXTS["second"].put(example.second)
    WORD.put(example.word)


def _repeat() -> None:
    """Sentence 1 in both boxes."""
    TEXTS["second"].put(st.session_state["first"])


def _usable(name: str, page: Words) -> str:
    """What was typed, or the last that could be used with one sentence that says why: words that the matcher cannot
    tell apart would make it say that they mean the same.
    """
    cleaned = clean(st.session_state[name], MAX_CHARS)
    tokens = session.embedded().tokenize(cleaned.text, special=False)
    empty = not cleaned.text or not len(tokens)
    if empty or tokens.unknown:
        unknown = ", ".join(word[:SHOWN_SIGNS] for word in tokens.remarks.unknown[:SHOWN_WORDS])
        notice = page[f"empty_{name}"] if empty else page.format(f"unknown_{name}", words=unknown)
        if not empty:
            TEXTS[name].publish(cleaned.text)  # a link opens with what was typed, also where it is not judged
        st.warning(notice, icon=":material/edit:" if empty else ":material/school:")
        return st.session_state.get(f"last_{name}", TEXTS[name].default)
    st.session_state[f"last_{name}"] = cleaned.text
    TEXTS[name].publish(cleaned.text)
    return cleaned.text


def facts(texts: tuple[str, str], pair: Pair, page: Words) -> None:
    """What a reader should know about how the sentences were read."""
    whole = [session.embedded().tokenize(text, special=False) for text in texts]
    n, m = map(len, pair.tokens)
    sentences = [page.format("tokens", first=n, second=m)]
    dropped = sum(len(tokens) + tokens.dropped for tokens in whole) - n - m
    if any(clean(st.session_state[name], MAX_CHARS).cut for name in SIDES):
        sentences.append(page.format("cut_characters", limit=MAX_CHARS))
    if dropped:
        sentences.append(page.format("cut", limit=MAX_WORDS, dropped=dropped))
    sentences += remarks(words("controls"), *whole)
    if min(n, m) == 1:
        sentences.append(page["single"])
    st.caption(" · ".join(sentences))
