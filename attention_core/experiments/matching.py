"""Do two sentences say the same? With attention a matcher learns in a hundred steps what it hardly learns without.

Sentences of made-up words, whose vectors are random: only their agreement counts. Source of the architecture: Parikh et
al. 2016, arXiv:1606.01933; with a BiLSTM: Chen et al. 2017, arXiv:1609.06038.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attention_core.experiments.base import Observation, Record, Task, stream, train
from attention_core.matching import Judgement, Matcher, Variant


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
        vectors, data = self.vectors(), stream(self.seed, "data")
        held_out = self.draw(vectors, stream(self.seed, "held out"), self.evaluated)

        def objective() -> tuple[Tensor, Tensor]:
            pairs = self.draw(vectors, data, self.batch)
            return loss_and_accuracy(model(pairs.x_a, pairs.x_b), pairs.same)

        def observe(keep: bool) -> Observation:
            with torch.no_grad():
                judgement = model(held_out.x_a, held_out.x_b)
            if judgement.alignment is None:
                measures = {}
            else:
                measures = {"alignment": _aligned(judgement.alignment.similarity, held_out)}
            return Observation(accuracy=float(_right(judgement, held_out.same)), measures=measures)

        task = Task(model=model, objective=objective, observe=observe, matrices=matrices(model), lr=self.lr)
        yield from train(self, task)

    def build(self) -> Matcher:
        """The model at step 0."""
        return fresh(self.variant, self.seed, d_in=self.d_in, d=self.d, hidden=self.hidden)

    def vectors(self) -> Float[Tensor, "concepts synonyms d_in"]:
        """Synonyms lie close together: N(0, 1) for the meaning plus `noise` · N(0, 1) for the word."""
        generator = stream(self.seed, "vectors")
        meanings = torch.randn(self.concepts, 1, self.d_in, generator=generator)
        return meanings + self.noise * torch.randn(self.concepts, self.synonyms, self.d_in, generator=generator)

    def draw(self, vectors: Tensor, generator: torch.Generator, count: int) -> "SentencePairs":
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
        return SentencePairs(x_a, x_b, same, meaning_a, meaning_b)


@dataclass(frozen=True, slots=True, eq=False)
class SentencePairs:
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


def loss_and_accuracy(judgement: Judgement, same: Bool[Tensor, " pairs"]) -> tuple[Tensor, Tensor]:
    """Binary cross-entropy of the verdicts, and the share that is right."""
    return F.binary_cross_entropy_with_logits(judgement.logit, same.float()), _right(judgement, same)


def _right(judgement: Judgement, same: Tensor) -> Tensor:
    return ((judgement.logit > 0) == same).float().mean()


def _aligned(similarity: Tensor, pairs: SentencePairs) -> float:
    best = pairs.meaning_b.gather(-1, similarity.argmax(dim=-1))
    paired = (pairs.meaning_a[..., :, None] == pairs.meaning_b[..., None, :]).any(dim=-1)
    return float((best == pairs.meaning_a)[paired].float().mean())


def matrices(model: Matcher) -> dict[str, nn.Parameter]:
    """Those whose gradients are watched."""
    watched = ("map.weight", "compare.weight", "score.weight")
    return {name.partition(".")[0]: model.get_parameter(name) for name in watched}
