"""Two sentences against each other: every word rebuilt from the other sentence, and a verdict with its evidence."""

from pathlib import Path

import streamlit as st

from attention_core.checkpoints import DamagedError
from attention_core.matching import shipped
from pages.mechanisms.two_sentences.claims import context, price, twice, worth
from pages.mechanisms.two_sentences.guide import GUIDE, prediction
from pages.mechanisms.two_sentences.numbers import MATCHERS, STOPS, Pair, arrays, read, residuals, script
from pages.mechanisms.two_sentences.pictures import Word, computed, films, plots, sliders
from pages.mechanisms.two_sentences.sentences import facts, sentences
from pages.mechanisms.two_sentences.settings import TEMPERATURE, WORD
from ui import session
from ui.components.canvas import Pick
from ui.components.lab import lab
from ui.errors import fragment
from ui.guide import predict
from ui.layout import page_header, style, take_away, trust_line
from ui.text import Words, words

PICKED = {  # pictures with a row for every word of one sentence: which
    "scores": 0,
    "first": 0,
    "said_first": 0,
    "apart_first": 0,
    "second": 1,
    "said_second": 1,
    "apart_second": 1,
}


def word_in_focus(pair: Pair) -> Word:
    """The word the link names; the last of its sentence where there is no such word."""
    side, position = WORD.value()
    n = len(pair.tokens[side])
    return Word(side, position if 0 <= position < n else n - 1)


def picked(word: Word, pick: Pick) -> None:
    """A row of a picture is a word: it comes into focus. The row of the word in focus holds the other sentence."""
    if pick.panel == "row":
        WORD.put(Word(1 - word.side, pick.row))
    elif pick.panel in PICKED:
        WORD.put(Word(PICKED[pick.panel], pick.row))


@fragment
def laboratory(texts: tuple[str, str], encoder: str, pair: Pair, page: Words) -> None:
    """Everything that follows the slider and the word in focus."""
    word, at = word_in_focus(pair), TEMPERATURE.value()
    temperature = STOPS[at]
    lab(
        plots(pair, word, page),
        key="two_sentences",
        sliders=sliders(at, page),
        films=films(pair, word),
        computed=computed(pair),
        words=words("canvas"),
        summary=page["summary"],
        on_move=lambda positions: TEMPERATURE.put(positions["t"]),
        on_pick=lambda pick: picked(word, pick),
    )
    rows, residual = residuals(pair, temperature)
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=rows,
            residual=residual,
            oracle="torch SDPA",
            model=session.embedded().name,
            seed=shipped(MATCHERS[encoder])[1]["seed"] if encoder in MATCHERS else None,
            dtype="float64",
            device="cpu",
        )
        take_away(
            "two_sentences",
            arrays=lambda: arrays(pair, temperature),
            snippet=script(encoder, texts, temperature),
        )
    twice(pair, temperature, page)


page = words("two_sentences")
style(Path(__file__).with_name("style.css"))
predict(page_header(page, GUIDE), prediction(), page)
texts, encoder = sentences(page)
whole = True
try:
    pair = read(session.embedded(), encoder, texts)
    shipped("both")  # what stands below the pictures needs it with any encoder
except DamagedError:
    st.warning(page["damaged"], icon=":material/warning:")
    whole, encoder = False, "transformer"
    pair = read(session.embedded(), encoder, texts)
facts(texts, pair, page)
laboratory(texts, encoder, pair, page)
if whole:
    context(texts, pair, page)
    price(pair, page)
    worth(encoder, page)
