"""Heads tagged by what they do on a sentence, more than any other head. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.measures import offset_score, sink_share
from attention_core.models import Run
from attention_core.repeats import share_onto
from ui.carrying import PRONOUNS, framing

Kind = Literal["previous", "copy", "own", "first", "pair"]
Weights = Float[Tensor, "layer h n n"]
MOST = 2**22  # weights of all heads together: beyond it, they are not laid side by side


@dataclass(frozen=True, slots=True)
class Tag:
    """A head and what it does more than any other on this sentence: `share` of its weight, from 0 to 1.

    previous: of every word, on the word before. copy: of a word that occurs again, on its other copies; own, where no
    word does: on itself. first: of every token, on the first one. pair: of the asking word, on the word `key`.
    """

    kind: Kind
    layer: int
    head: int
    share: float
    key: int = -1


def stacked(run: Run) -> Weights:
    """The weights of all heads of all layers."""
    return torch.stack([layer.attention.weights for layer in run.layers])


def landmarks(run: Run) -> tuple[Tag, ...]:
    """Three different heads: who looks back one word, who finds the same word, who rests on the first token.

    None where layers read different tokens or have different numbers of heads, or the text is long.
    """
    first = run.layers[0]
    alike = {(layer.queries, layer.keys, layer.name.n_head) for layer in run.layers}
    many = len(run.layers) * first.name.n_head * len(first.queries) * len(first.keys)
    if len(alike) > 1 or first.queries != first.keys or len(first.keys) < 2 or many > MOST:
        return ()
    weights = stacked(run)
    two = _neighbour_and_copy(first.queries, weights)
    return *two, _tag("first", sink_share(weights, (0,)).nan_to_num(0.0), taken=two)


def tags(words: Sequence[str], weights: Weights, query: int) -> tuple[Tag, ...]:
    """Three different heads: what `query` reads most, who looks back one word, and who finds the same word."""
    two = _neighbour_and_copy(words, weights)
    return *two, _pair(words, weights, query, taken=two)


def _neighbour_and_copy(words: Sequence[str], weights: Weights) -> tuple[Tag, Tag]:
    previous = _tag("previous", _previous(words, weights), taken=[])
    copies = _copies(words)
    again, kind = (_onto(weights, copies), "copy") if copies.any() else (_onto(weights, _own(words)), "own")
    return previous, _tag(kind, again, taken=[previous])


def _tag(kind: Kind, shares: Float[Tensor, "layer h"], taken: Sequence[Tag]) -> Tag:
    free = shares.clone()
    for tag in taken:
        free[tag.layer, tag.head] = -1
    layer, head = _largest(free)
    return Tag(kind, layer, head, float(shares[layer, head]))


def _pair(words: Sequence[str], weights: Weights, query: int, taken: Sequence[Tag]) -> Tag:
    """The head in which `query` reads another word most: not the ones beside it, and a pronoun one before it, where
    there are such words.
    """
    row = _between(weights, words)[:, :, query]
    for tag in taken:
        row[tag.layer, tag.head] = -1
    at = torch.arange(len(words))
    apart = row.masked_fill((at - query).abs() < 2, -1.0)
    before = apart.masked_fill(at > query, -1.0) if words[query].lower() in PRONOUNS else apart
    wanted = next((choice for choice in (before, apart) if bool((choice > 0).any())), row)
    layer, head, key = _largest(wanted)
    return Tag("pair", layer, head, float(weights[layer, head, query, key]), key)


def _previous(words: Sequence[str], weights: Weights) -> Float[Tensor, "layer h"]:
    inner = ~framing(words)
    rows = inner & inner.roll(1)  # a word that follows a word
    allowed = rows[:, None].expand(len(words), len(words))
    return offset_score(weights, -1, allowed).nan_to_num(0.0)


def _onto(weights: Weights, pairs: Bool[Tensor, "n n"]) -> Float[Tensor, "layer h"]:
    """The mean share of its weight that a query with such keys gives to them."""
    return share_onto(weights, pairs).nan_to_num(0.0)


def _copies(words: Sequence[str]) -> Bool[Tensor, "n n"]:
    """Where query and key are the same word at two places."""
    return _same(words) & ~torch.eye(len(words), dtype=torch.bool)


def _own(words: Sequence[str]) -> Bool[Tensor, "n n"]:
    return _same(words) & torch.eye(len(words), dtype=torch.bool)


def _same(words: Sequence[str]) -> Bool[Tensor, "n n"]:
    lowered = np.array([word.lower() for word in words])
    inner = ~framing(words)
    return torch.from_numpy(lowered[:, None] == lowered) & inner[:, None] & inner


def _between(weights: Weights, words: Sequence[str]) -> Weights:
    """The weights between two different words; elsewhere −1."""
    framed = framing(words)
    closed = framed[:, None] | framed | torch.eye(len(words), dtype=torch.bool)
    return weights.masked_fill(closed, -1.0)


def _largest(values: Tensor) -> tuple[int, ...]:
    """Where the first of the largest stands."""
    return tuple(int(place) for place in np.unravel_index(int(values.argmax()), values.shape))
