"""The chosen head in five numbers, and the row of the query in focus as bars."""

from functools import partial

import streamlit as st

from pages.explore.heads.clicks import PORTRAIT
from pages.explore.heads.labels import with_unit
from pages.explore.heads.numbers import measured
from ui.chart import chart
from ui.controls import Choice, focus
from ui.errors import fragment
from ui.figures.heads import token_bars
from ui.layout import mode
from ui.numbers import significant
from ui.text import Words, words
from ui.weights import shown_weights

MEASURES = ("entropy", "distance", "previous", "first", "last")


@partial(fragment, key=PORTRAIT)
def portrait(choice: Choice, page: Words) -> None:
    """What the head does, in short."""
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
    figure = token_bars(
        shown_weights(layer, choice.head)[query],
        tokens=layer.keys,
        label=page["portrait.weight"],
        mode=mode(),
        y=(0.0, 1.0),
        marked=key,
    )
    chart(figure, key="row_bars", alt=row)
