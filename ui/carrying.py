"""The word a reader looks at, in another sentence, or in one that another model cuts into other tokens. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

FRAMES = {"[CLS]", "[SEP]", "<s>", "</s>", "<bos>", "<eos>", "<|endoftext|>"}  # that a model adds to every sentence
PRONOUNS = {
    *("it", "its", "they", "them", "their", "he", "him", "his", "she", "her", "hers"),
    *("它", "他", "她", "它们", "他们", "她们"),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """The word at `place` among `words`; beyond them it is the one in the middle, of any sentence."""

    words: tuple[str, ...]
    place: int


def carried(spot: Spot, words: Sequence[str]) -> int | None:
    """Where the same word stands, large or small letters alike: the same of its occurrences where there are as many,
    else the nearest. None where there is none.
    """
    if spot.place >= len(spot.words):
        return len(words) // 2
    before, after = (_places(spot.words[spot.place], sentence) for sentence in (spot.words, words))
    if len(before) == len(after):
        return after[before.index(spot.place)]
    return min(after, key=lambda place: abs(place - spot.place), default=None)


def settled(
    query: Spot,
    key: Spot,
    queries: Sequence[str],
    keys: Sequence[str],
    weights: Callable[[], Float[Tensor, "*batch n_q n_k"]],
) -> tuple[int, int]:
    """The query: the same word, else the first pronoun, else that of the largest weight between two words. Its key: the
    same word, else the one that this query reads most. Neither is a token that frames the sentence unless it was.
    """
    asks, read = carried(query, queries), carried(key, keys)
    if asks is None:
        asks = next((place for place, word in enumerate(queries) if _bare(word) in PRONOUNS), None)
    if asks is None:
        return _strongest(weights(), queries, keys)
    return asks, _strongest_key(weights(), asks, keys) if read is None else read


def framing(words: Sequence[str]) -> Bool[Tensor, " n"]:
    """Which tokens the model has added: at the ends, where one that was typed does not stand."""
    return torch.tensor([word in FRAMES and place in (0, len(words) - 1) for place, word in enumerate(words)])


def _strongest(
    weights: Float[Tensor, "*batch n_q n_k"], queries: Sequence[str], keys: Sequence[str]
) -> tuple[int, int]:
    """The largest weight between two words; of a single word, that on itself."""
    largest = weights.flatten(0, -3).amax(dim=0) if weights.ndim > 2 else weights
    framed = framing(queries)[:, None] | framing(keys)
    itself = torch.eye(len(queries), len(keys), dtype=torch.bool) & (tuple(queries) == tuple(keys))
    closed = framed if bool((framed | itself).all()) else framed | itself
    place = int(largest.masked_fill(closed, -1.0).argmax())
    return place // len(keys), place % len(keys)


def _strongest_key(weights: Float[Tensor, "*batch n_q n_k"], query: int, keys: Sequence[str]) -> int:
    row = weights[..., query, :].reshape(-1, len(keys)).amax(dim=0)
    return int(row.masked_fill(framing(keys), -1.0).argmax())


def _places(word: str, words: Sequence[str]) -> list[int]:
    return [place for place, other in enumerate(words) if _bare(other) == _bare(word)]


def _bare(word: str) -> str:
    return word.strip().casefold()
