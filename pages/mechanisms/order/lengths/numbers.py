"""Attention takes any length and reads its weights off the words; a fully connected layer has one length. Pure."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.fully_connected import applied, blocks, fully_connected
from attention_core.shuffling import output, self_attention
from pages.mechanisms.order.reading import D_MODEL, Reading
from ui.scripts import filled

BUILT = 10  # tokens that the fully connected layer is made for, where the sentence has more
MAX_WORDS = 24  # tokens in these maps


class Replaced(NamedTuple):
    """Both kinds of weights, before and after each word in turn became another one.

    `change`: of the weights of attention, for each replaced word; `blocks`: of W_FC, before; `gaps`: Σ|…| of the change
    of either.
    """

    weights: Float[Tensor, "n n"]
    change: Float[Tensor, "n n n"]
    blocks: Float[Tensor, "built built"]
    gaps: Float[Tensor, "n 2"]


def built_for(n: int) -> int:
    """The length of the fully connected layer: BUILT, or one token less than the sentence."""
    return min(BUILT, n - 1)


def applied_to(reading: Reading, length: int) -> tuple[tuple[int, ...], str, tuple[int, ...]]:
    """The first `length` tokens through both: the shape or the error of nn.Linear, and the shape of attention."""
    layer = fully_connected(built_for(len(reading.tokens)), D_MODEL, reading.sizes.seed)
    shape, error = applied(layer, reading.x[:length].float())
    attention = output(self_attention(reading.x[:length], reading.layer), reading.layer)
    return shape, error, tuple(attention.shape)


def replaced(reading: Reading, other: Float[Tensor, " d_model"], head: int) -> Replaced:
    """Each of the first MAX_WORDS words in turn becomes `other`."""
    x = reading.x[:MAX_WORDS]
    n, length = len(x), built_for(len(reading.tokens))
    sentences = x.repeat(n, 1, 1)
    sentences[torch.arange(n), torch.arange(n)] = other
    weights = self_attention(x, reading.layer).weights[head]
    change = self_attention(sentences, reading.layer).weights[:, head] - weights
    layer = fully_connected(length, D_MODEL, reading.sizes.seed)
    before = blocks(layer, length)
    gaps = []
    for sentence in sentences[:, :length]:
        layer(sentence.float().reshape(1, -1))
        gaps.append((blocks(layer, length) - before).abs().sum().double())
    return Replaced(weights, change, before, torch.stack((change.abs().sum(dim=(1, 2)), torch.stack(gaps)), dim=-1))


def arrays(reading: Reading, words: Replaced) -> dict[str, np.ndarray]:
    """What the maps show."""
    return {
        "tokens": np.array(reading.tokens),
        "word_own": words.weights.numpy(),
        "word_change": words.change.numpy(),
        "blocks": words.blocks.numpy(),
        "gaps": words.gaps.numpy(),
    }


def script(reading: Reading, length: int) -> str:
    """The script of this section: so many tokens through both layers."""
    built = built_for(len(reading.tokens))
    return filled(Path(__file__).with_name("script.py"), **reading.values(), built=built, length=length)
