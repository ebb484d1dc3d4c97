"""A word is replaced: A(X), how it moves, and the matrix that does not → films and pictures. Pure."""

from collections.abc import Sequence
from functools import partial

from pages.mechanisms.order.lengths.numbers import MAX_WORDS, Replaced
from pages.mechanisms.order.reading import OTHER_WORD, evenly
from ui.components.lab import Box, Controls, Film, Item, Map, Plot, Readouts, Slider
from ui.text import Words

LEFT = Box(stack="left", span=3)
SQUARE = Box(span=3, height=320)


def sliders(tokens: Sequence[str], at: int, page: Words) -> list[Slider]:
    """Which word is replaced."""
    n = min(len(tokens), MAX_WORDS)
    return [
        Slider(
            name="word",
            label=page.data("word", other=OTHER_WORD),
            readings=tuple(f"{index + 1}: {token}" for index, token in enumerate(tokens[:n])),
            at=at,
            ticks=tuple((index, str(index + 1)) for index in evenly(n, 6)),
            help=page["word_help"],
        )
    ]


def films(words: Replaced) -> list[Film]:
    """Weights before and after each word in turn became another one; the blocks of W_FC; how far either has moved."""
    return [
        Film("word_own", words.weights.numpy()),
        Film("word_change", words.change.numpy(), ("word",)),
        Film("blocks", words.blocks.numpy()),
        Film("gaps", words.gaps.numpy(), ("word",), columns=("attention", "fully connected")),
    ]


def plots(words: Replaced, tokens: Sequence[str], page: Words) -> list[Plot]:
    """A(X), how it moves, and the matrix that does not."""
    names = tuple(tokens[:MAX_WORDS])
    between_words = partial(Map, box=SQUARE, rows=len(names), cols=len(names), names=names)
    built = len(words.blocks)
    return [
        Controls(name="word_controls", box=LEFT, sliders=("word",)),
        Readouts(
            name="word_readouts",
            box=LEFT,
            film="gaps",
            items=(
                Item(label="‖A(X) − A(X′)‖₁", column="attention"),
                Item(label="‖W − W′‖₁", column="fully connected", help=page["fixed_help"]),
            ),
        ),
        between_words(name="word_own", film="word_own", title=page["word_own"], note=page["axes"]),
        between_words(
            name="word_change",
            film="word_change",
            scale="signed",
            low=-0.5,
            high=0.5,
            root=True,
            title=page["word_change"],
            note=page["word_change_note"],
        ),
        Map(
            name="blocks",
            box=SQUARE,
            film="blocks",
            rows=built,
            cols=built,
            names=tuple(str(place + 1) for place in range(built)),
            scale="positive",
            low=float(words.blocks.min()),
            high=float(words.blocks.max()),
            title=page["blocks"],
            note=page["blocks_note"],
        ),
    ]
