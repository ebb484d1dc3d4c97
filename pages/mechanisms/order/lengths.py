"""Attention takes any length and reads its weights off the words; a fully connected layer has one length. Pure."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from attention_core.fully_connected import applied, blocks, fully_connected
from attention_core.shuffling import output, self_attention
from pages.mechanisms.order.reading import D_MODEL, OTHER_WORD, Reading, every
from ui.components.lab import Controls, Film, Item, Map, Plot, Readouts, Slider
from ui.text import Words

BUILT = 10  # tokens that the fully connected layer is made for, where the sentence has more
MAX_WORDS = 24  # tokens in these maps


def built_for(n: int) -> int:
    """The length of the fully connected layer: BUILT, or one token less than the sentence."""
    return min(BUILT, n - 1)


def tried(reading: Reading, length: int) -> tuple[tuple[int, ...], str, tuple[int, ...]]:
    """The first `length` tokens through both: the shape or the error of nn.Linear, and the shape of attention."""
    layer = fully_connected(built_for(len(reading.tokens)), D_MODEL, reading.sizes.seed)
    shape, error = applied(layer, reading.x[:length].float())
    attention = output(self_attention(reading.x[:length], reading.layer), reading.layer)
    return shape, error, tuple(attention.shape)


def sliders(tokens: Sequence[str], at: int, page: Words) -> list[Slider]:
    """Which word is replaced."""
    n = min(len(tokens), MAX_WORDS)
    return [
        Slider(
            name="word", label=page.data("word", other=OTHER_WORD),
            readings=tuple(f"{i + 1}: {token}" for i, token in enumerate(tokens[:n])), at=at,
            ticks=tuple((i, str(i + 1)) for i in every(n, 6)), help=page["word_help"],
        )
    ]  # fmt: skip


def films(reading: Reading, other: torch.Tensor, head: int) -> list[Film]:
    """Weights before and after each word in turn became another one; the blocks of W_FC before and after."""
    x = reading.x[:MAX_WORDS]
    n, length = len(x), built_for(len(reading.tokens))
    changed = x.repeat(n, 1, 1)
    changed[torch.arange(n), torch.arange(n)] = other
    own = self_attention(x, reading.layer).weights[head]
    after = self_attention(changed, reading.layer).weights[:, head]
    layer = fully_connected(length, D_MODEL, reading.sizes.seed)
    before = blocks(layer, length)
    fixed = []
    for each in changed[:, :length]:
        layer(each.float().reshape(1, -1))
        fixed.append(blocks(layer, length) - before)
    gaps = torch.stack(((after - own).abs().sum(dim=(1, 2)), torch.stack(fixed).abs().sum(dim=(1, 2)).double()), dim=-1)
    return [
        Film("word_own", own.numpy()),
        Film("word_change", (after - own).numpy(), ("word",)),
        Film("blocks", before.numpy()),
        Film("gaps", gaps.numpy(), ("word",)),
    ]


def named(made: Sequence[Film], name: str) -> np.ndarray:
    """The numbers of the film of that name."""
    return next(film.values for film in made if film.name == name)


def plots(weighs: Float[np.ndarray, "n n"], tokens: Sequence[str], page: Words) -> list[Plot]:
    """A(X), how it moves, and the matrix that does not."""
    n, length = min(len(tokens), MAX_WORDS), len(weighs)
    names = tuple(tokens[:n])
    places = tuple(str(place + 1) for place in range(length))
    return [
        Controls(name="word_controls", stack="left", span=3, sliders=("word",)),
        Readouts(
            name="word_readouts", stack="left", film="gaps",
            items=(Item(label="‖A(X) − A(X′)‖₁", start=0), Item(label="‖W − W′‖₁", start=1, help=page["fixed_help"])),
        ),
        Map(
            name="word_own", span=3, height=320, film="word_own", rows=n, cols=n, names=names, title=page["word_own"],
            note=page["axes"],
        ),
        Map(
            name="word_change", span=3, height=320, film="word_change", rows=n, cols=n, names=names, scale="signed",
            low=-0.5, high=0.5, root=True, title=page["word_change"], note=page["word_change_note"],
        ),
        Map(
            name="blocks", span=3, height=320, film="blocks", rows=length, cols=length, names=places,
            scale="positive", low=float(weighs.min()), high=float(weighs.max()),
            title=page["blocks"], note=page["blocks_note"],
        ),
    ]  # fmt: skip


def arrays(reading: Reading, other: torch.Tensor, head: int) -> dict[str, np.ndarray]:
    """What the maps show."""
    return {"tokens": np.array(reading.tokens), **{film.name: film.values for film in films(reading, other, head)}}


def snippet(reading: Reading, length: int) -> str:
    """A script that feeds so many tokens to both layers."""
    built = built_for(len(reading.tokens))
    return f"""{reading.script()}
from attention_core.fully_connected import applied, fully_connected
from attention_core.shuffling import output, self_attention

d_model, built, length = x.shape[1], {built}, {length}
linear = fully_connected(built, d_model, seed={reading.sizes.seed})
print("parameters", sum(p.numel() for p in linear.parameters()))
print("fully connected", *applied(linear, x[:length].float()))
print("attention", tuple(output(self_attention(x[:length], layer), layer).shape))
"""
