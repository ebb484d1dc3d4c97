"""All heads as thumbnails, and the sentence below them, where a query and a key are chosen."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from attention_core.models import LayerTrace, Run
from pages.explore.heads.clicks import show_head, token_chosen
from ui.components.canvas import Pick, Shown, canvas, mount
from ui.controls import Choice, focus
from ui.session import answer
from ui.tagging import landmarks
from ui.text import Words, words
from ui.thumbnails import THUMBNAIL, Head, thumbnails

CLEAR = 0.3  # of its weight, mean over the rows: what a tag says of a head is then to be seen


def overview(choice: Choice, run: Run, page: Words) -> Shown:
    """All layers × all heads, one byte a value. They stay the same, byte for byte, whichever head is chosen."""
    tagged = answer(("landmarks", choice.study), lambda: landmarks(run))
    names = {(tag.layer, tag.head): page[f"tag.{tag.kind}"] for tag in tagged if tag.share >= CLEAR}
    wall = answer(("thumbnails", choice.study, page.language), lambda: thumbnails(run, page, tagged=names))
    if wall.longest > THUMBNAIL:
        st.caption(page.format("overview.pooled", tokens=wall.longest, side=THUMBNAIL))
    mount(wall.canvas, "overview", partial(_chosen, wall.heads))
    if names:
        st.caption(" · ".join(f"{number} {name}" for number, name in enumerate(names.values(), start=1)))
    first, everywhere = wall.first_alike, choice.study.settings.layers is None
    same = tuple(at for at in range(len(first)) if first[at] == first[choice.layer]) if everywhere else (choice.layer,)
    return Shown(wall.run, (choice.layer, choice.head), same)


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


def _chosen(heads: Mapping[str, Head], pick: Pick) -> None:
    show_head(*heads[pick.panel])
