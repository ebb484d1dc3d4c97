"""A sentence as a trained layer reads it: where its heads look, what it answers, and what is taken away of that."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.experiments.base import stream
from attention_core.experiments.pronoun import (
    ADJECTIVES,
    EXAMPLE,
    FILLERS,
    GLUE,
    NOUNS,
    OPENERS,
    PAD,
    PRONOUNS,
    TRAINED_FILLERS,
    VERBS,
    WORDS,
    Pronoun,
    sentences,
)
from attention_core.models import Settings, Tokens, Trained
from ui.scripts import Code, filled

HEADS = Pronoun().n_head
SURVEYED = 200  # fresh sentences on which the shipped layer is measured
SHIPPED, UNTOUCHED = "shipped", "untouched"  # layers that read a sentence, besides those trained here
VOCABULARY: dict[str, tuple[str, ...]] = {  # key of its words → words
    **{pronoun: tuple(nouns) for pronoun, nouns in NOUNS.items()},
    "pronouns": PRONOUNS,
    "verbs": tuple(VERBS),
    "adjectives": tuple(ADJECTIVES),
    "fillers": (*OPENERS, *FILLERS),
    "glue": tuple(GLUE),
}
EXAMPLES = {  # key of what it shows → sentence
    "law": EXAMPLE,
    "turned": "the king saw the law , but its city should be just .",
    "his": "the law saw the king , but his city should be just .",
    "far": "yesterday the old queen praised the ship slowly then again , but her tower should be great .",
    "two": "the law saw the tree , but its city should be just .",
    "none": "the queen saw the king , but its city should be just .",
}
Answers = tuple[tuple[str, float], ...]  # at every word: a word, and its probability


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a layer makes of a sentence: every weight of every head, and at every word the word it answers with."""

    words: tuple[str, ...]
    weights: Float[Tensor, "h n n"]
    answers: Answers
    rows: float  # max |Σ_j α_ij − 1|
    residual: float  # the largest difference of the heads' outputs from torch's own attention

    @property
    def pronouns(self) -> tuple[int, ...]:
        """Where its, his or her stands."""
        return tuple(place for place, word in enumerate(self.words) if word in PRONOUNS)

    def candidates(self, place: int) -> tuple[str, ...]:
        """The nouns before the pronoun at `place` that it can stand for."""
        return tuple(dict.fromkeys(word for word in self.words[:place] if word in NOUNS[self.words[place]]))


@torch.no_grad()
def read(model: Trained, tokens: Tokens) -> Reading:
    """One sentence through the layer."""
    run = model.run(tokens)
    (layer,) = run.layers
    trace = layer.attention
    torchs = F.scaled_dot_product_attention(trace.q, trace.k, trace.v, scale=layer.factor)
    return Reading(
        words=tokens.strings,
        weights=trace.weights,
        answers=tuple(model.answers(run)),
        rows=float((trace.weights.sum(dim=-1) - 1).abs().max()),
        residual=float((trace.context - torchs).abs().max()),
    )


def alone(model: Trained, tokens: Tokens) -> tuple[Answers, ...]:
    """What the layer answers at every word, head after head, while the other heads hand on nothing."""
    others = [frozenset((0, other) for other in range(HEADS) if other != head) for head in range(HEADS)]
    return tuple(tuple(model.answers(model.run(tokens, Settings(ablated=ablated)))) for ablated in others)


def focus(spelling: str, reading: Reading) -> int:
    """The word in focus: the one that is named (from 1), else the first pronoun, else the last word."""
    n = len(reading.words)
    if spelling.isascii() and spelling.isdigit() and len(spelling) < 4 and 1 <= int(spelling) <= n:
        return int(spelling) - 1
    return reading.pronouns[0] if reading.pronouns else n - 1


def untrained(config: Pronoun) -> Trained:
    """The layer before its first step."""
    return Trained(config, config.build())


def survey(model: Trained) -> tuple[int, Float[Tensor, "pronouns h"]]:
    """On SURVEYED fresh sentences with noun pairs that never met in training: how often the answer is right, and the
    mean weight of every head from each pronoun to the noun it stands for.
    """
    fresh = sentences(stream(model.config.seed, "survey"), SURVEYED, "unseen", TRAINED_FILLERS)
    right, sums, counts = 0, torch.zeros(len(PRONOUNS), HEADS), torch.zeros(len(PRONOUNS), 1)
    for ids, place, answer in zip(fresh.tokens, fresh.pronoun.tolist(), fresh.answer.tolist(), strict=True):
        numbers = tuple(number for number in ids.tolist() if WORDS[number] != PAD)
        reading = read(model, Tokens(strings=tuple(WORDS[number] for number in numbers), ids=numbers))
        right += reading.answers[place][0] == WORDS[answer]
        kind = PRONOUNS.index(reading.words[place])
        sums[kind] += reading.weights[:, place, numbers.index(answer)]
        counts[kind] += 1
    return right, sums / counts.clamp(min=1)


def extended(text: str, word: str) -> str:
    """The sentence with one more word."""
    return f"{text.rstrip()} {word}".strip()


def shortened(text: str) -> str:
    """The sentence without its last word."""
    return " ".join(text.split()[:-1])


# --- what is taken away ---


def arrays(reading: Reading) -> dict[str, np.ndarray]:
    """The weights, the words, and what is answered at every word."""
    return {
        "weights": reading.weights.numpy(),
        "words": np.array(reading.words),
        "answer": np.array([word for word, _ in reading.answers]),
        "probability": np.array([chance for _, chance in reading.answers]),
    }


def script(text: str, row: int, which: str, config: Pronoun) -> str:
    """A script that reads the same sentence with the same layer and prints the row in focus and the answer."""
    return filled(
        Path(__file__).with_name("reading_script.py"),
        text=text,
        row=row,
        layer=which if which in (SHIPPED, UNTOUCHED) else "trained",
        config=Code(repr(config)),
    )
