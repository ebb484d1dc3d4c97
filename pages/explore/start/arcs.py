"""A sentence with arcs from one word to what it reads, and the heads that were tagged by measurement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ui.carrying import framing
from ui.components.assets import component
from ui.components.canvas import Pick, picked
from ui.components.frame import encode
from ui.numbers import significant
from ui.tagging import Tag
from ui.text import Words, words

GROUP = "start"  # of the canvases of the page, which share the chosen head
WORDS = ("tags", "head", "resting")

_ARCS = component("arcs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What is drawn: the words, who asks, the head (layer, head) of the weights, and the run they are of, by value."""

    words: Sequence[str]
    query: int
    head: tuple[int, int]
    weights: np.ndarray
    run: str


def arcs(sentence: Sentence, tags: Sequence[Tag], page: Words, on_pick: Callable[[Pick], None]) -> None:
    """Draw it. `on_pick` gets a word (panel "word") or a tag (panel "tag", by its place among the tags)."""
    meta = {
        "tokens": list(sentence.words),
        "special": framing(sentence.words).tolist(),
        "query": sentence.query,
        "head": list(sentence.head),
        "run": sentence.run,
        "group": GROUP,
        "tags": [_tag(number, tag, sentence, page) for number, tag in enumerate(tags, start=1)],
        "words": {name: page[f"arcs.{name}"] for name in WORDS}
        | {"damaged": words("canvas", page.language)["damaged"]},
        "summary": page["arcs.summary"],
    }
    shapes = {"word": (len(sentence.words), 1), "tag": (len(tags), 1)}
    data = encode(meta, {"weights": sentence.weights.astype(np.float32, copy=False)})
    _ARCS(key="arcs", data=data, on_pick_change=partial(picked, "arcs", shapes, on_pick))


def _tag(number: int, tag: Tag, sentence: Sentence, page: Words) -> dict[str, object]:
    names = {"asking": sentence.words[sentence.query], "read": sentence.words[tag.key]}
    return {
        "head": [tag.layer, tag.head],
        "number": number,
        "title": page.data(f"tag.{tag.kind}", **names),
        "share": significant(tag.share, 2),
    }
