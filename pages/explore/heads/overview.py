"""All heads as thumbnails, and the sentence below them, where a query and a key are chosen."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace, Run
from pages.explore.heads.clicks import show_head, token_chosen
from ui.components.canvas import Drawn, Panel, Pick, Shown, canvas, drawn, mount, overview_codes
from ui.controls import Choice, focus, layer_label
from ui.session import answer
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


def overview(choice: Choice, run: Run, page: Words) -> Shown:
    """All layers × all heads, one byte a value. They stay the same, byte for byte, whichever head is chosen."""
    thumbnails = answer(("thumbnails", choice.study, page.language), lambda: _thumbnails(run, page))
    if thumbnails.longest > THUMBNAIL:
        st.caption(page.format("overview.pooled", tokens=thumbnails.longest, side=THUMBNAIL))
    mount(thumbnails.canvas, "overview", partial(_chosen, thumbnails.heads))
    first, everywhere = thumbnails.first_alike, choice.study.settings.layers is None
    same = tuple(at for at in range(len(first)) if first[at] == first[choice.layer]) if everywhere else (choice.layer,)
    return Shown(thumbnails.run, (choice.layer, choice.head), same)


def strip(layer: LayerTrace, shown: Shown, page: Words) -> None:
    """The sentence; the query and the key in focus are chosen here."""
    canvas(
        [],
        key="strip_canvas",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        focus=focus(len(layer.queries), len(layer.keys)),
        strip=True,
        shown=shown,
        summary=page["strip"],
        on_pick=token_chosen,
    )


def _thumbnails(run: Run, page: Words) -> Thumbnails:
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
            _thumbnail((layer, head), code, page.data("overview.head", layer=label, head=head + 1))
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
        row_titles=labels,
        col_titles=[str(head + 1) for head in range(max(name.n_head for name in names))],
        offers=digest,
        summary=page["overview.summary"],
    )
    heads = {panel.name: panel.head for row in panels for panel in row if panel.head is not None}
    longest = max(len(tokens) for pair in axes for tokens in pair)
    return Thumbnails(picture, heads, digest, longest, tuple(map(axes.index, axes)))


def _thumbnail(head: Head, codes: np.ndarray, title: str) -> Panel:
    name = f"{head[0]}.{head[1]}"
    return Panel(name=name, values=codes, rows="query", cols="key", scale="weights", title=title, head=head)


def _chosen(heads: Mapping[str, Head], pick: Pick) -> None:
    show_head(*heads[pick.panel])
