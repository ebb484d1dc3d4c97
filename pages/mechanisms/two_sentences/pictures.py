"""Two sentences in pictures: their alignment, the verdict with its evidence, the word in focus. Pure."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from pages.mechanisms.two_sentences.numbers import SIDES, STOPS, VERDICT, Pair
from ui.components.lab import Bars, Box, Controls, Film, Item, Map, Plot, Readouts, Slider, Softmax
from ui.numbers import significant
from ui.text import Words

WIDEST = 128  # components that a strip of cells still shows
HUES = {"first": "q", "second": "k"}
VECTORS = ("x̄", "x̃", "Δ")  # a word as it is encoded, as it is rebuilt, and the difference
LEFT = Box(stack="left", span=3)
SQUARE = Box(span=3, height=330)
HALF = Box(span=6, height=190)


class Word(NamedTuple):
    """One word of one sentence, both counted from 0."""

    side: int
    position: int


def sliders(at: int, page: Words) -> list[Slider]:
    """What the scores are divided by."""
    return [
        Slider(
            name="t",
            label=page["temperature"],
            readings=tuple(significant(stop) for stop in STOPS),
            at=at,
            ticks=tuple((STOPS.index(stop), significant(stop)) for stop in (0.1, 1.0, 10.0, 100.0)),
            help=page["temperature_help"],
        )
    ]


def films(pair: Pair, word: Word) -> list[Film]:
    """Scores once; what follows the temperature at every stop."""
    scores = pair.alignment().similarity
    verdict = pair.swept["verdict"].clone()
    if pair.matcher is not None:  # a probability of 10⁻²⁰⁷ travels as its logarithm
        logits = verdict[:, VERDICT.index("logit")]
        verdict[:, VERDICT.index("probability")] = F.logsigmoid(logits) / math.log(10)
    vectors = torch.stack([pair.vectors(word.side, word.position, stop) for stop in STOPS]).flatten(1)
    return [
        Film("scores", scores.flatten().numpy(), columns=("e",)),
        Film("turned", scores.T.flatten().numpy(), columns=("e",)),
        Film("factor", 1 / np.asarray(STOPS)[:, None], ("t",)),
        Film("vectors", vectors.numpy(), ("t",), columns=VECTORS),
        Film("verdict", verdict.numpy(), ("t",), columns=pair.verdict),
        *(Film(name, numbers.numpy(), ("t",)) for name, numbers in pair.swept.items() if name != "verdict"),
    ]


def computed(pair: Pair) -> list[Softmax]:
    """Both normalisations of the same scores, in the browser."""
    n, m = map(len, pair.tokens)
    return [
        Softmax(name="first", scores="scores", cols=m, size=n * m, factor="factor"),
        Softmax(name="second", scores="turned", cols=n, size=n * m, factor="factor"),
    ]


def plots(pair: Pair, word: Word, page: Words) -> list[Plot]:
    """The map, read by rows and by columns; what every word says; how well it was rebuilt; one word's vectors."""
    return [
        Controls(name="controls", box=LEFT, sliders=("t",)),
        _verdict(pair, page),
        *_maps(pair, word, page),
        *_words(pair, word, page),
        *_focus(pair, word, page),
    ]


def _verdict(pair: Pair, page: Words) -> Readouts:
    """The probability and the logit with its terms; without a matcher the cosine of the sentences."""
    items = tuple(
        Item(
            label=page[f"verdict.{name}"],
            column=name,
            help=page[f"verdict_help.{name}"],
            log=name == "probability",
            lost=False,
        )
        for name in pair.verdict
    )
    title = page["verdict_title_cosine" if pair.matcher is None else "verdict_title"]
    return Readouts(name="verdict", box=LEFT, title=title, film="verdict", items=items)


def _maps(pair: Pair, word: Word, page: Words) -> list[Plot]:
    """The scores, and their softmax over rows and over columns."""
    largest = float(pair.alignment().similarity.abs().max()) or 1.0
    first, second = (_asking(side, pair, word) for side in (0, 1))
    return [
        first(
            name="scores",
            film="scores",
            scale="signed",
            low=-largest,
            high=largest,
            title=page["scores"],
            note=page["scores_note"],
        ),
        first(name="first", film="first", root=True, title=page["weights_first"], note=page["weights_note_first"]),
        second(name="second", film="second", root=True, title=page["weights_second"], note=page["weights_note_second"]),
    ]


def _asking(side: int, pair: Pair, word: Word) -> partial[Map]:
    """A map with a row for every word of this sentence; the word in focus is marked there, and the one most like it."""
    rows, cols = pair.tokens[side], pair.tokens[1 - side]
    asking = partial(Map, box=SQUARE, rows=len(rows), cols=len(cols), names=rows, col_names=cols, alike="words")
    if word.side != side:
        return asking
    scores = pair.alignment().similarity
    return partial(asking, marked=word.position, marked_col=int((scores.T if side else scores)[word.position].argmax()))


def _words(pair: Pair, word: Word, page: Words) -> list[Plot]:
    """One bar for every word: what it says of the verdict, where something judges, and how far it is from rebuilt."""
    return [
        Bars(
            name=f"{kind}_{name}",
            box=HALF,
            film=f"{kind}_{name}",
            count=len(pair.tokens[side]),
            names=pair.tokens[side],
            marked=word.position if word.side == side else -1,
            hue=HUES[name],
            fit=True,
            digits=3,
            title=page[f"{kind}_{name}"],
            note=page[f"{kind}_note"],
            hint=page.get(f"{kind}_hint", ""),
        )
        for kind in (("apart",) if pair.matcher is None else ("said", "apart"))
        for side, name in enumerate(SIDES)
    ]


def _focus(pair: Pair, word: Word, page: Words) -> list[Plot]:
    """The word in focus: its row of weights, its vectors as cells where they are few, and what was lost of it."""
    width = pair.encoded[0].shape[-1]
    strip = [_strip(pair, word, page)] if width <= WIDEST else []
    lost = Bars(
        name="components",
        box=Box(span=12, height=170),
        film="vectors",
        column="Δ",
        count=width,
        hue="v",
        fit=True,
        title=page.data("components", word=pair.tokens[word.side][word.position]),
        note=page["components_note"],
    )
    return [_row(pair, word, page, span=4 if strip else 12), *strip, lost]


def _row(pair: Pair, word: Word, page: Words, span: int) -> Bars:
    others = pair.tokens[1 - word.side]
    return Bars(
        name="row",
        box=Box(span=span, height=190),
        film=SIDES[word.side],
        column="e",
        row=word.position,
        count=len(others),
        names=others,
        hue=HUES[SIDES[1 - word.side]],
        digits=3,
        title=page.data("row", word=pair.tokens[word.side][word.position]),
        note=page["row_note"],
    )


def _strip(pair: Pair, word: Word, page: Words) -> Map:
    width = pair.encoded[0].shape[-1]
    most = max(float(vectors.abs().max()) for vectors in pair.encoded) * 1.2 or 1.0
    return Map(
        name="vectors",
        box=Box(span=8, height=110),
        film="vectors",
        rows=len(VECTORS),
        cols=width,
        names=VECTORS,
        col_names=tuple(str(component + 1) for component in range(width)),
        scale="signed",
        low=-most,
        high=most,
        title=page.data("vectors", word=pair.tokens[word.side][word.position]),
        note=page["vectors_note"],
    )
