"""One row of softmax under a microscope: the article's, then the reader's own, its derivative, and what dtypes keep."""

from pathlib import Path

import streamlit as st

from pages.saturation.softmax import numbers, readers_row, settings, tables
from pages.saturation.softmax.guide import GUIDE, prediction
from pages.saturation.softmax.pictures import article, precision
from ui.components.lab import Positions, lab
from ui.errors import fragment
from ui.guide import predict
from ui.layout import page_header, style
from ui.text import Words, words


@fragment
def the_articles_row(page: Words) -> None:
    """[a, a, 2a]."""
    lab(
        article.plots(page),
        key="softmax_article",
        sliders=article.sliders(settings.A.value(), page),
        films=article.films(),
        computed=article.computed(),
        words=words("canvas"),
        summary=page["summary_article"],
        on_move=lambda at: settings.A.put(numbers.A_STOPS[at["a"]]),
    )


@fragment
def what_dtypes_keep(page: Words) -> None:
    """Four dtypes and a row of two."""

    def moved(at: Positions) -> None:
        settings.GAP.put(numbers.GAPS[at["gap"]])
        settings.SUBTRACT_MAX.put(numbers.SUBTRACTED[at["subtracted"]])

    lab(
        precision.plots(page),
        key="softmax_precision",
        sliders=precision.sliders(settings.GAP.value(), settings.SUBTRACT_MAX.value(), page),
        films=precision.films(),
        words=words("canvas"),
        summary=page["summary_precision"],
        on_move=moved,
    )
    with st.container(key="table_thresholds"):
        st.markdown(tables.losses(page))
    st.caption(page["loss.note"])


page = words("softmax")
style(Path(__file__).with_name("style.css"))
predict(page_header(page, GUIDE), prediction(), page)
the_articles_row(page)
st.header(page["own"], anchor=False)
readers_row.section(page)
st.header(page["precision"], anchor=False)
st.markdown(page["precision_intro"])
what_dtypes_keep(page)
st.markdown(page["correction"])
st.subheader(page["printed.title"], anchor=False)
st.markdown(page["printed.intro"])
with st.container(key="table_printed"):
    st.markdown(tables.printed(page))
st.markdown(page["printed.note"])
