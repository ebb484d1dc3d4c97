"""What happened to a text on its way to tokens that nobody would guess from looking at them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """`unknown_token`: how this model writes what it does not know.

    `typed`: special tokens of the model that stand in the text itself. `long_words`: words that are unknown because
    they have more than `longest_word` characters as the tokenizer counts. `merged`: parts of the text, of several
    words or signs each, that became one unknown token each. `lost`: signs of the text that no token stands for.
    `unknown`: what of the text the vocabulary lacks, as it was typed, once each, where the tokenizer tells.
    `digested`: so many words were unknown that a layer without training drew the vectors of all from a digest instead.
    """

    unknown_token: str = "[UNK]"
    typed: tuple[str, ...] = ()
    long_words: int = 0
    longest_word: int = 0
    merged: tuple[str, ...] = ()
    lost: int = 0
    unknown: tuple[str, ...] = ()
    digested: bool = False


class Unreadable(ValueError):
    """A text that this model's tokenizer or embedding cannot take: `words` have no vector, or, where there are none,
    the tokenizer has no token for what it does not know.
    """

    def __init__(self, words: tuple[str, ...] = ()) -> None:
        quoted = ", ".join(f"“{word}”" for word in words)
        no_vector = f"The embedding of this model has no row for {quoted}, which its tokenizer knows."
        no_token = "The tokenizer of this model cannot read this text: it has no token for what it does not know."
        super().__init__(no_vector if words else no_token)
        self.words = words
