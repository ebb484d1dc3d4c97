"""What the link says about two sentences: both texts, the temperature, the word in focus."""

import re

from pages.mechanisms.two_sentences.numbers import START, STOPS
from pages.mechanisms.two_sentences.pictures import Word
from ui.numbers import finite, nearest
from ui.state import Setting

LETTERS = "ab"  # of the sentences, as the link spells a word: a4 is word 4 of sentence 1


def _word(spelling: str) -> Word:
    """The word of this name; the very first where there is no such name."""
    parts = re.fullmatch(r"([ab])(\d{1,4})", spelling, re.ASCII)
    return Word(LETTERS.index(parts[1]), int(parts[2]) - 1) if parts else Word(0, 0)


TEXTS = {
    "first": Setting(key="first", default="The clever student helped an old lady", parse=str),
    "second": Setting(key="second", default="This smart pupil assisted the aged woman", parse=str),
}
WORD = Setting(
    key="two_word", default=Word(0, 2), parse=_word, spell=lambda word: f"{LETTERS[word.side]}{word.position + 1}"
)
TEMPERATURE = Setting(
    key="two_t",
    default=START,
    parse=lambda spelling: nearest(STOPS, finite(spelling, STOPS[START])),
    spell=lambda at: f"{STOPS[at]:g}",
)
