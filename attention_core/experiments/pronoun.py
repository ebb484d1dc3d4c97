"""Whose city is "its city"? One layer learns which noun a pronoun stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core import masks
from attention_core.experiments.base import Observation, Record, Task, half, stream, train
from attention_core.experiments.layers import AttentionOnly, gradient_measures

PAD = "·"
NOUNS = {
    "its": ["law", "city", "tree", "ship", "house", "river", "bridge", "book", "garden", "tower"],
    "his": ["king", "father", "brother", "prince", "monk", "soldier", "uncle", "duke", "baker", "poet"],
    "her": ["queen", "mother", "sister", "princess", "nun", "duchess", "aunt", "widow", "bride", "nurse"],
}
VERBS = ["saw", "loved", "feared", "found", "praised", "left", "served", "followed", "heard"]
ADJECTIVES = ["just", "old", "great", "quiet", "proud", "small", "strong", "wise"]
FILLERS = ["again", "today", "there", "often", "slowly", "then", "always", "once"]
OPENERS = ["yesterday", "perhaps"]
GLUE = ["the", ",", "but", "should", "be", "."]
WORDS = (
    PAD,
    *GLUE,
    *NOUNS,
    *(noun for group in NOUNS.values() for noun in group),
    *VERBS,
    *ADJECTIVES,
    *FILLERS,
    *OPENERS,
)
IDS = {word: number for number, word in enumerate(WORDS)}
PRONOUNS = tuple(NOUNS)
PER_GROUP = 10
LENGTH = 32  # positions the model knows
MOST_FILLERS = 6  # places for words between the nouns and the pronoun
TRAINED_FILLERS = 3  # of them while training
EXAMPLE = "the law saw the king , but its city should be just ."
NounPairs = Literal["seen", "unseen"]


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """Padded sentences, where their words are, where the pronoun is, and the noun it stands for."""

    tokens: Int[Tensor, "b n"]
    allowed: Bool[Tensor, "b 1 1 n"]
    pronoun: Int[Tensor, " b"]
    answer: Int[Tensor, " b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pronoun:
    """One layer, two heads; "the A verb the B …, but PRONOUN noun should be adjective ." At the pronoun: is it A or B?

    One noun pair in five never occurs in training. `accuracy` is on seen pairs; `measures`: `unseen`, and `far` for
    unseen pairs with more words between than ever trained. Arrays: matrices, gradients, `weights` (h n n) on EXAMPLE.
    """

    rule: str = "inverse_sqrt"
    d_k: int = 32
    n_head: int = 2
    d_model: int = 64
    lr: float = 3e-3
    steps: int = 1200
    every: int = 50
    seed: int = 0
    batch: int = 64
    input_scale: float = 1.0
    evaluated: int = 500

    def records(self) -> Iterator[Record]:
        """Train. Raises Diverged."""
        model, draw = self.build(), stream(self.seed, "data")
        tests = {
            "seen": sentences(stream(self.seed, "seen"), self.evaluated, "seen", TRAINED_FILLERS),
            "unseen": sentences(stream(self.seed, "unseen"), self.evaluated, "unseen", TRAINED_FILLERS),
            "far": sentences(stream(self.seed, "far"), self.evaluated, "unseen", MOST_FILLERS, longest=True),
        }
        example = torch.tensor([[IDS[word] for word in EXAMPLE.split()]])

        def objective() -> tuple[Tensor, Tensor]:
            batch = sentences(draw, self.batch, "seen", TRAINED_FILLERS)
            # Sentences begin anywhere, so that every position is trained.
            room = LENGTH - batch.tokens.shape[1]
            return _loss(model, batch, int(torch.randint(room + 1, (), generator=draw)))

        def observe(keep: bool) -> Observation:
            probe = tests["seen"]
            logits, traces = model(probe.tokens[:64], probe.allowed[:64])
            answers = logits[torch.arange(64), probe.pronoun[:64]]
            measures = gradient_measures(F.cross_entropy(answers, probe.answer[:64]), traces)
            with torch.no_grad():
                right = {name: float(_loss(model, test, 0)[1]) for name, test in tests.items()}
                (shown,) = model(example)[1]
            measures |= {"unseen": right["unseen"], "far": right["far"]}
            return Observation(
                accuracy=right["seen"], measures=measures, arrays={"weights": half(shown.weights[0])} if keep else {}
            )

        task = Task(model=model, objective=objective, observe=observe, matrices=model.matrices(), lr=self.lr)
        yield from train(self, task)

    def build(self) -> AttentionOnly:
        """The model at step 0."""
        return AttentionOnly(
            vocabulary=len(WORDS),
            length=LENGTH,
            classes=len(WORDS),
            d_model=self.d_model,
            n_head=self.n_head,
            d_k=self.d_k,
            rule=self.rule,
            seed=self.seed,
            input_scale=self.input_scale,
        )


def sentences(draw: torch.Generator, count: int, pairs: NounPairs, places: int, *, longest: bool = False) -> Sentences:
    """Made sentences. Up to `places` fillers stand between nouns and pronoun (with `longest` every place is taken)."""

    def pick(words: list[str], chance: float = 1.0) -> Tensor:
        ids = torch.tensor([IDS[word] for word in words])
        word = ids[torch.randint(len(words), (count,), generator=draw)]
        return torch.where(torch.rand(count, generator=draw) < chance, word, 0)

    groups = torch.rand(count, 3, generator=draw).argsort(dim=-1)[:, :2]  # two different kinds of noun, either order
    number = torch.randint(PER_GROUP, (count,), generator=draw)
    # A noun's partners: numbers whose difference is 0 or 5 modulo ten are the fifth that is held out.
    gap = torch.randint(2, (count,), generator=draw) * 5
    if pairs == "seen":
        gap = gap + torch.randint(1, 5, (count,), generator=draw)
    numbers = torch.stack([number, (number + gap) % PER_GROUP], dim=-1)
    nouns = torch.tensor([[IDS[noun] for noun in NOUNS[one]] for one in PRONOUNS])[groups, numbers]
    which = torch.randint(2, (count, 1), generator=draw)
    pronoun = torch.tensor([IDS[one] for one in PRONOUNS])[groups.gather(1, which)[:, 0]]

    def fixed(word: str) -> Tensor:
        return torch.full((count,), IDS[word])

    slots = [
        pick(OPENERS, 0.3),
        fixed("the"),
        pick(ADJECTIVES, 0.2),
        nouns[:, 0],
        pick(VERBS),
        fixed("the"),
        pick(ADJECTIVES, 0.2),
        nouns[:, 1],
        *(pick(FILLERS, 1.0 if longest else 0.4) for _ in range(places)),
        fixed(","),
        fixed("but"),
        pronoun,
        pick(NOUNS["its"]),
        fixed("should"),
        fixed("be"),
        pick(ADJECTIVES),
        fixed("."),
    ]
    loose = torch.stack(slots, dim=1)
    order = (loose == 0).int().argsort(dim=-1, stable=True)
    lengths = (loose != 0).sum(dim=-1)
    tokens = loose.gather(1, order)[:, : int(lengths.max())]
    at = (tokens == pronoun[:, None]).int().argmax(dim=-1)
    return Sentences(tokens, masks.padding(lengths, tokens.shape[1]), at, nouns.gather(1, which)[:, 0])


def _loss(model: AttentionOnly, batch: Sentences, start: int) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    logits, _ = model(batch.tokens, batch.allowed, start)
    answers = logits[torch.arange(len(batch.answer)), batch.pronoun]
    return F.cross_entropy(answers, batch.answer), (answers.argmax(dim=-1) == batch.answer).float().mean()
