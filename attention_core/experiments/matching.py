"""Do two sentences say the same? E7 on made-up words (SCIENCE.md 1.4), and the matchers that "Two sentences" ships.

`python -m attention_core.experiments.matching OUT.safetensors` trains all four variants on English made from
assets/lexicon.toml and word vectors of all-MiniLM-L6-v2, from their seed, writes them and prints what they are worth on
meanings they have never seen.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from attention_core import checkpoints
from attention_core.experiments.base import Observation, Record, Task, stream, train
from attention_core.experiments.paraphrases import KINDS, UNMET, Author, Kind, Pair, lexicon, plural_of, split
from attention_core.matching import Judgement, Matcher, Variant, word_vectors
from attention_core.models import Pretrained, Tokens, load_embedded

BLOCK = 250  # pairs examined at once
FILLER = "#"  # "#4711" is row 4711 of the word embeddings: a word that stands in no lexicon
ROWS = range(2000, 12000)  # whole words of BERT, the frequent ones
NEIGHBOURS = 2
SHIPPED: tuple[Variant, ...] = ("attention", "both")


# --- E7: made-up words ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Sentences of `length` words; `concepts` meanings of `synonyms` words each, a word's vector its meaning's + noise.

    Half of the pairs say the same with other words in another order; in the other half `replaced` words mean something
    else, so every negative is hard. The vectors are fixed, as if pretrained. `accuracy` is on fresh pairs;
    `measures["alignment"]`: of the words with a counterpart, the share whose largest e_ij is at it.
    """

    variant: Variant = "both"
    length: int = 16
    concepts: int = 100
    synonyms: int = 3
    replaced: int = 3
    noise: float = 0.5
    d_in: int = 64
    d: int = 128
    hidden: int = 64
    lr: float = 5e-3
    steps: int = 100
    every: int = 20
    seed: int = 0
    batch: int = 64
    evaluated: int = 1000

    def records(self) -> Iterator[Record]:
        """Train. Raises Diverged."""
        model = self.build()
        vectors, draw = self.vectors(), stream(self.seed, "data")
        held_out = self.draw(vectors, stream(self.seed, "held out"), self.evaluated)

        def objective() -> tuple[Tensor, Tensor]:
            pairs = self.draw(vectors, draw, self.batch)
            return _loss(model(pairs.x_a, pairs.x_b), pairs.same)

        def observe(keep: bool) -> Observation:
            with torch.no_grad():
                found = model(held_out.x_a, held_out.x_b)
            aligned = {} if found.alignment is None else {"alignment": _aligned(found.alignment.similarity, held_out)}
            return Observation(accuracy=float(_right(found, held_out.same)), measures=aligned)

        task = Task(model=model, objective=objective, observe=observe, matrices=_matrices(model), lr=self.lr)
        yield from train(self, task)

    def build(self) -> Matcher:
        """The model at step 0."""
        return fresh(self.variant, self.seed, d_in=self.d_in, d=self.d, hidden=self.hidden)

    def vectors(self) -> Float[Tensor, "concepts synonyms d_in"]:
        """Synonyms lie close together: N(0, 1) for the meaning plus `noise` · N(0, 1) for the word."""
        generator = stream(self.seed, "vectors")
        meanings = torch.randn(self.concepts, 1, self.d_in, generator=generator)
        return meanings + self.noise * torch.randn(self.concepts, self.synonyms, self.d_in, generator=generator)

    def draw(self, vectors: Tensor, generator: torch.Generator, count: int) -> "Pairs":
        """`count` pairs of sentences; no meaning occurs twice in a sentence."""
        shuffled = torch.rand(count, self.concepts, generator=generator).argsort(dim=-1)
        meaning_a, spare = shuffled.split([self.length, self.concepts - self.length], dim=-1)
        same = torch.rand(count, generator=generator) < 0.5
        where = torch.rand(count, self.length, generator=generator).argsort(dim=-1)[:, : self.replaced]
        other = meaning_a.scatter(-1, where, spare[:, : self.replaced])
        meaning_b = torch.where(same[:, None], meaning_a, other)
        meaning_b = meaning_b.gather(-1, torch.rand(meaning_b.shape, generator=generator).argsort(dim=-1))
        x_a, x_b = (
            vectors[meaning, torch.randint(self.synonyms, meaning.shape, generator=generator)]
            for meaning in (meaning_a, meaning_b)
        )
        return Pairs(x_a, x_b, same, meaning_a, meaning_b)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Word vectors of both sentences, whether they say the same, and which meaning each word has."""

    x_a: Float[Tensor, "pairs n d_in"]
    x_b: Float[Tensor, "pairs n d_in"]
    same: Bool[Tensor, " pairs"]
    meaning_a: Int[Tensor, "pairs n"]
    meaning_b: Int[Tensor, "pairs n"]


def fresh(variant: Variant, seed: int, *, d_in: int, d: int, hidden: int) -> Matcher:
    """A matcher with torch's own initial distributions, U(±1/√width), drawn from a stream of its own."""
    with torch.random.fork_rng(devices=[]):  # torch's modules draw from its own generator; what they draw is replaced
        model = Matcher(variant, d_in=d_in, d=d, hidden=hidden)
    generator = stream(seed, "matcher")
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.LSTM):
                width = module.hidden_size if isinstance(module, nn.LSTM) else module.in_features
                for parameter in module.parameters():
                    parameter.uniform_(-(width**-0.5), width**-0.5, generator=generator)
    return model


def _loss(found: Judgement, same: Tensor) -> tuple[Tensor, Tensor]:
    return F.binary_cross_entropy_with_logits(found.logit, same.float()), _right(found, same)


def _right(found: Judgement, same: Tensor) -> Tensor:
    return ((found.logit > 0) == same).float().mean()


def _aligned(similarity: Tensor, pairs: Pairs) -> float:
    best = pairs.meaning_b.gather(-1, similarity.argmax(dim=-1))
    paired = (pairs.meaning_a[..., :, None] == pairs.meaning_b[..., None, :]).any(dim=-1)
    return float((best == pairs.meaning_a)[paired].float().mean())


def _matrices(model: Matcher) -> dict[str, nn.Parameter]:
    watched = ("map.weight", "compare.weight", "score.weight")
    return {name.partition(".")[0]: model.get_parameter(name) for name in watched}


# --- what the page ships: English words, vectors of a trained model -------------------------------------------------


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
            return _loss(model(*batch.inputs), batch.same)

        def observe(keep: bool) -> Observation:
            return Observation(accuracy=balanced(examine(model, unseen)))

        watched = _matrices(model)
        task = Task(
            model=model, objective=objective, observe=observe, matrices=watched, lr=self.lr, clip=1.0, decay=True
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
    return [author.pair(kind, UNMET) for kind in KINDS for _ in range(count // len(KINDS))]


def unknown_words(seed: int, count: int) -> list[Pair]:
    """Pairs made of the meanings of which no training sentence contains any word."""
    author = Author(split(lexicon(), held_out=True), stream(seed, "unknown words"))
    return [author.pair(kind, UNMET) for kind in KINDS for _ in range(count // len(KINDS))]


@torch.no_grad()
def examine(model: Matcher, pairs: Sequence[Pair]) -> dict[Kind, float]:
    """The share of right answers for each kind of pair."""
    right: dict[Kind, list[Tensor]] = {}
    for kind in KINDS:
        chosen = [pair for pair in pairs if pair[2] == kind]
        for start in range(0, len(chosen), BLOCK):
            batch = embedded().batch(chosen[start : start + BLOCK])
            right.setdefault(kind, []).append((model(*batch.inputs).logit > 0) == batch.same)
    return {kind: float(torch.cat(found).float().mean()) for kind, found in right.items()}


def balanced(shares: Mapping[Kind, float]) -> float:
    """Paraphrases count as much as all kinds of negatives together."""
    negatives = [share for kind, share in shares.items() if kind != "same"]
    return (shares["same"] + sum(negatives) / len(negatives)) / 2


def main(out: Path) -> None:
    """Train the two variants that attend, write them into one file, print its SHA-256 and what each is worth."""
    tensors: dict[str, Tensor] = {}
    recipe: dict[str, Any] = {"seed": English().seed, "d_in": embedded().d_in, "lexicon": "assets/lexicon.toml"}
    for variant in SHIPPED:
        config = English(variant=variant)
        last = Record(step=0, loss=0.0, accuracy=0.0)
        for last in config.records():
            print(variant, last.step, round(last.loss, 4), round(last.accuracy, 4), flush=True)
        model = config.build()
        model.load_state_dict(dict(last.state))
        recipe[variant] = {"config": asdict(config)}
        for name, pairs in {"unmet": unmet_pairs, "unknown": unknown_words}.items():
            found = examine(model, pairs(config.seed + 1, 5000))
            recipe[variant][name] = {kind: round(share, 4) for kind, share in found.items()}
            print(variant, name, round(balanced(found), 4), recipe[variant][name], flush=True)
        tensors |= {f"{variant}.{name}": value for name, value in last.state.items()}
    print(checkpoints.save(tensors, recipe, out))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
