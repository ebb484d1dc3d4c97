"""The sentence of a page: typed or taken from the examples, read as a model reads it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast

import streamlit as st

from attention_core.models import EMBEDDED, Model, Sizes, Tokens, UnknownWords, Unreadable
from attention_core.models.from_scratch import Source
from attention_core.text import clean
from ui import session
from ui.components.assets import caption
from ui.controls import captions
from ui.controls.facts import alike, counted, mostly_unknown, notes
from ui.controls.table import DEFAULT_SENTENCE, SOURCE, TEXT, model
from ui.focus import HEAD, LAYER, look
from ui.sentences import SENTENCES, Sentence, first_of
from ui.session import SCRATCH, TAUGHT
from ui.state import OF_ANY, kept
from ui.text import Words, words

T = TypeVar("T")
MAX_CHARS = 4000
SHOWN_WORDS = 6  # of those a model was not taught
LAST_SENTENCE = "last_sentence"  # that could be read
OPENED = "opened_on"  # the sentence that a bare address has opened on for this reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text as a model reads it; `size`: how many tokens, `notes`: what else to know about it. Markdown."""

    text: str
    tokens: Tokens
    size: str = ""
    notes: tuple[str, ...] = ()

    @property
    def facts(self) -> str:
        """All of it in one line."""
        return " · ".join(filter(None, (self.size, *self.notes)))


def sentence_bar(beside: Callable[[], T], least: int = 1) -> tuple[str, Tokens, T]:
    """The bar of pages that need only a sentence: the text, its tokens as the from-scratch layer reads them, and what
    the widgets `beside` it return. With fewer than `least` tokens the sentence before stays.
    """
    reading, chosen = reading_bar(session.model(SCRATCH, Sizes()), beside, least)
    common = words("controls")
    caption("", captions.of_sentence(common["scratch"], reading.text, common))
    if reading.facts:
        st.caption(reading.facts)
    return reading.text, reading.tokens, chosen


def reading_bar(reader: Model, beside: Callable[[], T], least: int) -> tuple[Reading, T]:
    """The same as this model reads it; what there is to know about it the page says where there is room."""
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="sentence_bar"):
        typed = sentence_input(common)
        examples_menu(common)
        chosen = beside()
    return read(typed, reader, common, least), chosen


def sentence_input(common: Words) -> str:
    """What is typed. It is in the link once it has been read."""
    _open_on(common.language)
    TEXT.seed()
    return st.text_input(
        common["sentence"], key=TEXT.name, live=True, placeholder=common["placeholder"], width="stretch"
    )


def examples_menu(common: Words) -> None:
    """Sentences that are worth a look, and why."""
    with st.popover(common["examples"], icon=":material/format_quote:", width="content"):
        st.caption(common["examples_of"])
        for number, sentence in sorted(enumerate(SENTENCES), key=lambda row: row[1].language != common.language):
            st.button(
                sentence.text,
                key=f"example_{number}",
                type="tertiary",
                on_click=partial(_use, sentence),
                width="stretch",
            )
            st.caption(common[f"why.{sentence.key}"])


def _open_on(language: str) -> None:
    """Who arrives at a bare address, and has typed nothing, finds a sentence in the language that they read. What a
    link says opens as it always did, and this sentence stands in the link from now on.
    """
    held = TEXT.name in st.session_state or TEXT.name in kept()
    opened = st.session_state.get(OPENED)
    if not held and OF_ANY.issuperset(st.query_params):
        opened = first_of("en")
    if opened is not None and opened.language != language and _as_opened(opened):
        opened = first_of(language)
        _use(opened)
    st.session_state[OPENED] = opened


def _as_opened(sentence: Sentence) -> bool:
    """Whether the reader has touched neither the sentence nor the head that it opened at."""
    return (TEXT.peek(), LAYER.peek() + 1, HEAD.peek() + 1) == (sentence.text, *sentence.look[:2])


def _use(sentence: Sentence) -> None:
    layer, head, query, key = sentence.look
    TEXT.put(sentence.text)
    tokens = session.model(SCRATCH if sentence.source else EMBEDDED, Sizes()).tokenize(sentence.text).strings
    look(layer=layer - 1, head=head - 1, query=query, key=key, tokens=tokens)
    if sentence.source:
        model().put(SCRATCH)
        SOURCE.put(cast(Source, sentence.source))
    elif model().peek() in (SCRATCH, TAUGHT, *session.own()):
        model().put(EMBEDDED)


def read(typed: str, reader: Model, common: Words, least: int = 1, *, menu: bool = False) -> Reading:
    """The sentence as a model reads it; a notice across the page where it cannot be read. `menu`: other models can be
    chosen on this page.
    """
    cleaned = clean(typed, MAX_CHARS)
    try:
        tokens = reader.tokenize(cleaned.text)
    except UnknownWords as error:
        _untaught_sentence(error, reader, common)
        return Reading(text=reader.example, tokens=reader.tokenize(reader.example))
    except Unreadable as error:
        unreadable(error, common)
        return _last(reader, least)
    empty = not cleaned.text or tokens.blank  # nothing typed, or nothing that the model reads
    if empty or len(tokens) < least:
        st.warning(common["empty" if empty else "one_token"], icon=":material/edit:")
        return _last(reader, least)
    st.session_state[LAST_SENTENCE] = cleaned.text
    replace(TEXT, spelled_out=common.language != "en").publish(cleaned.text)
    if mostly_unknown(tokens):
        _unknown(tokens, reader, common, menu)
    noted = notes(cleaned.cut, MAX_CHARS, tokens, reader, common)
    return Reading(text=cleaned.text, tokens=tokens, size=counted(tokens, common), notes=tuple(noted))


def _unknown(tokens: Tokens, reader: Model, common: Words, menu: bool) -> None:
    """That this model knows too few of the words, and what can be done: another layer, another sentence."""
    st.info(alike(tokens, reader, common), icon=":material/translate:")
    with st.container(horizontal=True, key="unknown_words"):
        if menu:
            st.button(common["use_scratch"], on_click=partial(model().put, SCRATCH), key="use_scratch")
        for language in dict.fromkeys((common.language, "en")):
            st.button(common[f"use.{language}"], on_click=partial(_use, first_of(language)), key=f"use_{language}")


def untaught(error: UnknownWords, common: Words, then: str = "") -> None:
    """Which words a model was never taught, and which it knows; `then`: what the page does about it."""
    unknown = ", ".join(error.unknown[:SHOWN_WORDS])
    sentence = common.format("untaught", unknown=unknown, count=len(error.known))
    st.info(f"{sentence} {then}".strip(), icon=":material/school:")
    with st.expander(common["taught_words"]):
        st.text(" ".join(error.known))


def _untaught_sentence(error: UnknownWords, reader: Model, common: Words) -> None:
    """What the model was not taught, and a sentence that it was."""
    untaught(error, common, common["untaught_own"])
    st.button(
        common["use_taught"],
        icon=":material/edit:",
        on_click=partial(TEXT.put, reader.example),
        key="use_taught",
    )


def unreadable(error: Unreadable, common: Words) -> None:
    """Which words have no vector, or that the tokenizer gives up."""
    words_of = ", ".join(error.words[:SHOWN_WORDS])
    sentence = common.format("no_vector", words=words_of) if error.words else common["no_token"]
    st.warning(sentence, icon=":material/edit:")


def _last(reader: Model, least: int) -> Reading:
    """The last sentence that could be read, else the first of all; where this model reads neither, the page ends."""
    for text in filter(None, (reader.example, st.session_state.get(LAST_SENTENCE), DEFAULT_SENTENCE)):
        with suppress(Unreadable, UnknownWords):
            tokens = reader.tokenize(text)
            if not tokens.blank and len(tokens) >= least:
                return Reading(text=text, tokens=tokens)
    st.stop()
