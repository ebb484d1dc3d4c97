"""The sentence, which layer reads it, and the words the layer knows, of which a click makes a sentence."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from attention_core.experiments.pronoun import PRONOUNS, Pronoun
from attention_core.models import Tokens, Trained, UnknownWords
from attention_core.text import clean
from pages.training.pronoun.numbers import RULES, finished
from pages.training.pronoun.pictures import label
from pages.training.pronoun.reading import (
    EXAMPLES,
    SHIPPED,
    UNTOUCHED,
    VOCABULARY,
    extended,
    shortened,
    untrained,
)
from pages.training.pronoun.settings import KEY, LAYER, ROW, TEXT
from ui.compute.runs import Run
from ui.controls import MAX_CHARS, cut_off, untaught
from ui.text import Words, words
from ui.training.controls import current

AWAITED = "pr_awaited"
LAST = "pr_last"  # the last sentence that could be read


def sentence(shipped: Trained | None, page: Words) -> tuple[str, Trained]:
    """The bar: the sentence, examples, and which layer reads it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="pr_bar"):
        TEXT.seed()
        st.text_input(
            page["sentence"],
            key=TEXT.name,
            live=True,
            placeholder=page["placeholder"],
            width="stretch",
            on_change=ROW.reset,  # the place in focus belonged to another sentence
        )
        with st.popover(page["examples"], icon=":material/format_quote:", width="content"):
            for key, text in EXAMPLES.items():
                with st.container(key=f"pr_example_{key}", gap=None):
                    st.button(text, key=f"pr_use_{key}", type="tertiary", on_click=partial(_use, text), width="stretch")
                    st.caption(page[f"example.{key}"])
        return _reader(shipped, page)


def _reader(shipped: Trained | None, page: Words) -> tuple[str, Trained]:
    """Which layer reads: the shipped one, one that knows nothing yet, or one that was trained here."""
    run = current(KEY)
    own = {str(variant): (variant, layer) for variant, layer in finished(run).items()}
    names = {name: page.data("reads.own", variant=label(variant, page)) for name, (variant, _) in own.items()}
    names |= {name: page[f"reads.{name}"] for name in (SHIPPED, UNTOUCHED)}
    options = (*((SHIPPED,) if shipped else ()), UNTOUCHED, *own)
    wanted = _awaited(options, run)
    layer = replace(LAYER, default=options[0], options=options)
    layer.seed()
    which = st.selectbox(
        page["reader"], options, format_func=names.__getitem__, key=layer.name, help=page["reader_help"], width=210
    )
    if which != options[0]:  # somebody has chosen another in the meantime
        wanted = st.session_state[AWAITED] = ""
    layer.publish(wanted or which)
    if which == SHIPPED and shipped:
        return which, shipped
    return which, own[which][1] if which in own else untrained(Pronoun())


def _awaited(options: Sequence[str], run: Run[Any, Any] | None) -> str:
    """The layer that was asked for and does not exist before its run has ended; until then the link keeps it.

    When it exists, it is the one that reads; a run that ends without it ends the waiting.
    """
    asked = LAYER.peek()
    over = run is not None and run.state == "ended"
    if asked in RULES and asked not in options and not over:
        st.session_state[AWAITED] = asked
    wanted = st.session_state.get(AWAITED, "")
    if wanted in options:
        LAYER.put(wanted)
    if wanted in options or over:
        wanted = st.session_state[AWAITED] = ""
    return wanted


def _use(text: str) -> None:
    """Put this sentence into the box."""
    TEXT.put(text)
    ROW.put("")


def tokens_of(model: Trained, page: Words) -> Tokens:
    """The sentence as the layer reads it; what was typed last, and one sentence, where it cannot."""
    last = st.session_state.get(LAST, TEXT.default)
    cleaned = clean(TEXT.peek(), MAX_CHARS)
    try:
        tokens = model.tokenize(cleaned.text)
    except UnknownWords as error:
        untaught(error, words("controls"), page["keeps"])
        return model.tokenize(last)
    if not len(tokens):
        st.warning(f"{page['nothing_typed']} {page['keeps']}", icon=":material/edit:")
        return model.tokenize(last)
    st.session_state[LAST] = cleaned.text
    TEXT.publish(cleaned.text)
    if cleaned.cut:
        st.caption(cut_off(cleaned.cut, MAX_CHARS, words("controls")))
    if tokens.dropped:
        note = page.format("too_long", most=model.max_tokens, dropped=tokens.dropped)
        st.info(note, icon=":material/content_cut:")
    if not any(word in PRONOUNS for word in tokens.strings):
        st.info(page["no_pronoun"], icon=":material/edit:")
    return tokens


def vocabulary(page: Words) -> None:
    """Every word the layer knows, by what it is: a click writes it at the end of the sentence."""
    st.header(page["words.title"], anchor="words")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(page.format("words.text", count=sum(map(len, VOCABULARY.values()))), width="stretch")
        st.button(page["words.shorter"], icon=":material/backspace:", on_click=_shorter, key="pr_shorter")
        st.button(page["words.empty"], icon=":material/delete:", on_click=partial(TEXT.put, ""), key="pr_empty")
    for kind, listed in VOCABULARY.items():
        key = f"pr_words_{kind}"
        with st.container(horizontal=True, vertical_alignment="center", key=f"pr_group_{kind}"):
            st.text(page[f"words.{kind}"], width=150)
            st.pills(
                page[f"words.{kind}"],
                listed,
                key=key,
                on_change=partial(_write, key),
                label_visibility="collapsed",
                wrap=True,
            )


def _write(key: str) -> None:
    word = st.session_state[key]
    st.session_state[key] = None
    if word:
        TEXT.put(extended(TEXT.peek(), word))


def _shorter() -> None:
    TEXT.put(shortened(TEXT.peek()))
