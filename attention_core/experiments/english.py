"""Do two English sentences say the same? The matchers that are shipped learn it from paraphrases and look-alikes.

Sentences are made from lexicon.toml (paraphrases.py) and read as word vectors of all-MiniLM-L6-v2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attention_core.experiments.base import Observation, Record, Task, stream, train
from attention_core.experiments.matching import fresh, loss_and_accuracy, matrices
from attention_core.experiments.paraphrases import PAIR_KINDS, UNMET, Author, Pair, PairKind, lexicon, plural_of, split
from attention_core.matching import Matcher, Variant, word_vectors
from attention_core.models import Pretrained, Tokens, load_embedded

BLOCK = 250  # pairs examined at once
FILLER = "#"  # "#4711" is row 4711 of the word embeddings: a word that stands in no lexicon
ROWS = range(2000, 12000)  # whole words of BERT, the frequent ones
NEIGHBOURS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class English:
    """Paraphrases and hard negatives of paraphrases.py. A share of the meanings are fillers, any word of the vocabulary
    with its neighbours, so that the matcher learns to compare vectors and not to know its lexicon by heart.
    """

    variant: Variant = "both"
    d: int = 64
    hidden: int = 64
    lr: float = 2e-3
    fillers: float = 0.5
    steps: int = 2500
    every: int = 500
    seed: int = 0
    batch: int = 64
    evaluated: int = 1000

    def records(self) -> Iterator[Record]:
        """Train; `accuracy` is on pairs made of the meanings that are held out."""
        source = embedded()
        model = self.build()
        author = Author(split(lexicon(), held_out=False), stream(self.seed, "data"), source.fillers(), self.fillers)
        unseen = unknown_words(self.seed, self.evaluated)

        def objective() -> tuple[Tensor, Tensor]:
            batch = source.batch([author.pair() for _ in range(self.batch)])
            return loss_and_accuracy(model(*batch.inputs), batch.same)

        def observe(keep: bool) -> Observation:
            return Observation(accuracy=balanced(examine(model, unseen)))

        task = Task(
            model=model,
            objective=objective,
            observe=observe,
            matrices=matrices(model),
            lr=self.lr,
            clip=1.0,
            decay=True,
        )
        yield from train(self, task)

    def build(self) -> Matcher:
        """The model at step 0."""
        return fresh(self.variant, self.seed, d_in=embedded().d_in, d=self.d, hidden=self.hidden)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Padded word vectors of pairs of sentences, where they are real, and whether they say the same."""

    x_a: Float[Tensor, "pairs n d_in"]
    x_b: Float[Tensor, "pairs m d_in"]
    real_a: Bool[Tensor, "pairs n"]
    real_b: Bool[Tensor, "pairs m"]
    same: Bool[Tensor, " pairs"]

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The arguments of a matcher."""
        return self.x_a, self.x_b, self.real_a, self.real_b


class Vectors:
    """Sentences → word vectors of a trained model."""

    def __init__(self, model: Pretrained) -> None:
        self._model = model
        self._ids: dict[str, tuple[int, ...]] = {}
        self._table = word_vectors(model, Tokens(strings=(), ids=tuple(range(30522))))
        self.d_in = self._table.shape[-1]

    def batch(self, pairs: Sequence[Pair]) -> Batch:
        """Pairs as Author makes them."""
        (x_a, real_a), (x_b, real_b) = (self._padded([pair[side] for pair in pairs]) for side in (0, 1))
        return Batch(x_a, x_b, real_a, real_b, torch.tensor([kind == "same" for _, _, kind in pairs]))

    def fillers(self) -> tuple[tuple[str, ...], ...]:
        """Each row of the vocabulary with its nearest neighbours by cosine: words that stand in no lexicon.

        A line is left out if one of its rows is part of a word of the lexicon or of its plural: what is held out from
        training would come back as a filler, and synonyms that must not meet would meet.
        """
        words = [word for rows in lexicon().values() for meaning in rows for word in meaning.words]
        known = {row for word in words for form in (word, plural_of(word)) for row in self._word(form)}
        x = F.normalize(self._table[ROWS.start : ROWS.stop], dim=-1)
        near = torch.cat([(block @ x.T).topk(1 + NEIGHBOURS, dim=-1).indices for block in x.split(1000)])
        lines = [line for line in (near + ROWS.start).tolist() if known.isdisjoint(line)]
        return tuple(tuple(f"{FILLER}{row}" for row in line) for line in lines)

    def _padded(self, sentences: Sequence[str]) -> tuple[Tensor, Tensor]:
        ids = [torch.tensor([row for word in one.split() for row in self._word(word)]) for one in sentences]
        padded = pad_sequence(ids, batch_first=True)
        return self._table[padded], torch.arange(padded.shape[1]) < torch.tensor([len(one) for one in ids])[:, None]

    def _word(self, word: str) -> tuple[int, ...]:
        """Words do not run into each other, so a sentence is read word by word."""
        if word not in self._ids:
            filler = word.startswith(FILLER)
            self._ids[word] = (int(word[1:]),) if filler else self._model.tokenize(word, special=False).ids
        return self._ids[word]


@cache
def embedded() -> Vectors:
    """Those of the model that comes with the product."""
    return Vectors(load_embedded())


def unmet_pairs(seed: int, count: int) -> list[Pair]:
    """Known words, but only synonyms that never met in training: `count` pairs, as many of each kind."""
    author = Author(split(lexicon(), held_out=False), stream(seed, "unmet pairs"))
    return [author.pair(kind, UNMET) for kind in PAIR_KINDS for _ in range(count // len(PAIR_KINDS))]


def unknown_words(seed: int, count: int) -> list[Pair]:
    """Pairs made of the meanings of which no training sentence contains any word."""
    author = Author(split(lexicon(), held_out=True), stream(seed, "unknown words"))
    return [author.pair(kind, UNMET) for kind in PAIR_KINDS for _ in range(count // len(PAIR_KINDS))]


@torch.no_grad()
def examine(model: Matcher, pairs: Sequence[Pair]) -> dict[PairKind, float]:
    """The share of right answers for each kind of pair."""
    right: dict[PairKind, list[Tensor]] = {}
    for kind in PAIR_KINDS:
        chosen = [pair for pair in pairs if pair[2] == kind]
        for start in range(0, len(chosen), BLOCK):
            batch = embedded().batch(chosen[start : start + BLOCK])
            right.setdefault(kind, []).append((model(*batch.inputs).logit > 0) == batch.same)
    return {kind: float(torch.cat(answers).float().mean()) for kind, answers in right.items()}


def balanced(shares: Mapping[PairKind, float]) -> float:
    """Paraphrases count as much as all kinds of negatives together."""
    negatives = [share for kind, share in shares.items() if kind != "same"]
    return (shares["same"] + sum(negatives) / len(negatives)) / 2
