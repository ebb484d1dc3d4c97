"""The curated sentences, from assets/sentences.toml. Why each is worth a look stands with the words of the controls."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sentence:
    """One example and where it opens: `look` is layer and head from 1, query and key position from 0.

    `source` is set where the trained model lacks the words, so the from-scratch layer shows it.
    """

    key: str
    text: str
    look: tuple[int, int, int, int]
    source: str = ""
    language: str = "en"


def _read() -> tuple[Sentence, ...]:
    file = Path(__file__).parents[1] / "assets" / "sentences.toml"
    return tuple(
        Sentence(**row | {"look": tuple(row["look"])})
        for row in tomllib.loads(file.read_text(encoding="utf-8"))["sentence"]
    )


SENTENCES = _read()


def first_of(language: str) -> Sentence:
    """The sentence that a page opens on for a reader of this language."""
    return next(sentence for sentence in SENTENCES if sentence.language == language)
