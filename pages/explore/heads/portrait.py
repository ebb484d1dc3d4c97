"""The chosen head in five numbers, and the row of the query in focus as bars."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from pages.explore.heads.clicks import PORTRAIT
from pages.explore.heads.labels import with_unit
from pages.explore.heads.links import ranking
from pages.explore.heads.numbers import measured
from ui.components.lab import Bars, Box, Film, lab
from ui.controls import Choice, focus
from ui.errors import fragment
from ui.numbers import significant
from ui.text import Words, words
from ui.weights import shown_weights

MEASURES = ("entropy", "distance", "previous", "first", "last")


@partial(fragment, key=PORTRAIT)
def portrait(choice: Choice, page: Words) -> None:
    """Which heads link the two tokens in focus; what the chosen head does, in short."""
    ranking(choice, page)
    layer = choice.run().layers[choice.layer]
    numbers = measured(layer, slice(choice.head, choice.head + 1))
    undefined = words("common")["undefined"]
    with st.container(horizontal=True, gap="medium", key="numbers"):
        for name in MEASURES:
            value = significant(float(numbers[name]), undefined=undefined)
            st.metric(with_unit(name, page), value, help=page[f"measure.{name}.text"], width="content")
    query, key = focus(len(layer.queries), len(layer.keys))
    row = page.data("portrait.row", number=query + 1, token=layer.queries[query])
    st.text(row)
    lab(
        [_bars(layer.keys, key, page)],
        key="row_bars",
        sliders=(),
        films=[Film("row", shown_weights(layer, choice.head)[query])],
        words=words("canvas"),
        summary=row,
    )


def _bars(keys: Sequence[str], marked: int, page: Words) -> Bars:
    """A weight a key; not a Plotly figure, which takes ten times as long to be made and to be sent."""
    return Bars(
        name="row",
        title=page["portrait.weight"],
        film="row",
        count=len(keys),
        names=tuple(keys),
        marked=marked,
        box=Box(span=12, height=210),
    )
