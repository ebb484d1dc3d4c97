"""All heads of a run as thumbnails, one byte a weight: the same bytes, whichever head is chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType

import numpy as np

from attention_core.models import Run
from ui.components.canvas import Drawn, Panel, drawn, overview_codes
from ui.controls import layer_label
from ui.text import Words, words
from ui.weights import all_weights

THUMBNAIL = 96  # pixels a side at most: more could not be told apart on the screen
Head = tuple[int, int]  # layer and head, counted from 0


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """All layers × all heads as a canvas, and which head each panel is of; which run they are of, by value; the tokens
    of the longest axis; for each layer the first one with the same tokens on its axes.
    """

    canvas: Drawn
    heads: Mapping[str, Head]
    run: str
    longest: int
    first_alike: tuple[int, ...]


def thumbnails(
    run: Run,
    page: Words,
    *,
    group: str = "main",
    numbered: bool = True,
    tagged: Mapping[Head, str] = MappingProxyType({}),
) -> Thumbnails:
    """One line a layer; the page's words `overview.head` and `overview.summary` name them. `numbered`: whether the
    heads are numbered above. `tagged`: heads that get a number in a circle, in this order, and what it says of each.
    """
    common = words("controls", page.language)
    codes, names, axes = [], [], []
    for layer in run.layers:  # one at a time: those of a long text are computed when they are looked at
        codes.append(overview_codes(all_weights(layer), THUMBNAIL))
        names.append(layer.name)
        axes.append((layer.queries, layer.keys))
    labels = [layer_label(name, common) for name in names]
    digest = blake2b(b"".join(of_layer.tobytes() for of_layer in codes), digest_size=16).hexdigest()
    panels = [
        [
            _thumbnail((layer, head), code, page.data("overview.head", layer=label, head=head + 1), tagged)
            for head, code in enumerate(of_layer)
        ]
        for layer, (label, of_layer) in enumerate(zip(labels, codes, strict=True))
    ]
    picture = drawn(
        panels,
        queries=(),
        keys=(),
        words=words("canvas", page.language),
        layout="grid",
        group=group,
        row_titles=labels,
        col_titles=[str(head + 1) for head in range(max(name.n_head for name in names))] if numbered else (),
        offers=digest,
        summary=page["overview.summary"],
    )
    heads = {panel.name: panel.head for row in panels for panel in row if panel.head is not None}
    longest = max(len(tokens) for pair in axes for tokens in pair)
    return Thumbnails(picture, heads, digest, longest, tuple(map(axes.index, axes)))


def _thumbnail(head: Head, codes: np.ndarray, title: str, tagged: Mapping[Head, str]) -> Panel:
    return Panel(
        name=f"{head[0]}.{head[1]}",
        values=codes,
        rows="query",
        cols="key",
        scale="weights",
        title=title,
        note=tagged.get(head, ""),
        tag=str(list(tagged).index(head) + 1) if head in tagged else "",
        head=head,
    )
