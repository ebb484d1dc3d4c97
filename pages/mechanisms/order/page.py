"""Self-attention does not know order: shuffle, place, mask, lengthen, count and cache the reader's own sentence."""

from pathlib import Path

import streamlit as st

from attention_core.models.from_scratch import Source
from pages.mechanisms.order.costs.section import costs
from pages.mechanisms.order.guide import GUIDE, prediction
from pages.mechanisms.order.lengths.section import lengths
from pages.mechanisms.order.masks.section import masks
from pages.mechanisms.order.reading import MAX_TOKENS, N_HEAD, read, weights
from pages.mechanisms.order.sharing.section import sharing
from pages.mechanisms.order.shuffle.section import shuffle
from ui.controls import SOURCES, choose, sentence_bar, whole_number
from ui.focus import settle
from ui.guide import predict
from ui.layout import page_header, style
from ui.text import Words, words


def choose_layer(page: Words) -> tuple[Source, int, int, int]:
    """Where x comes from, the seed of the matrices, the head from 0, the seed of the swaps."""
    common = words("controls", page.language)
    source = choose(
        "source", SOURCES, common["source"], lambda rule: common[f"sources.{rule}"], common["source_help"], 190
    )
    seed = whole_number("seed", 0, 9999, 0, common["size.seed"], 110)
    head = whole_number("order_head", 1, N_HEAD, 1, common["head"], 100) - 1
    return source, seed, head, whole_number("order_shuffle", 0, 9999, 0, page["shuffle"], 130)


page = words("order")
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
text, _, (source, seed, head, shuffle_seed) = sentence_bar(lambda: choose_layer(page), least=2)
reading = read(text, source, seed)
settle(reading.tokens, reading.tokens, lambda: weights(reading, head))
if source == "digest":
    st.caption(page.format("digest", count=reading.count))
if reading.count > MAX_TOKENS:
    st.caption(page.format("shortened", shown=MAX_TOKENS, all=reading.count))
predict(place, prediction(reading, head, shuffle_seed), page)
shuffle(reading, head, shuffle_seed, page)
st.header(page["mask_title"], anchor="masks")
st.markdown(page["mask_text"])
masks(reading, head, page)
st.header(page["length_title"], anchor="length")
st.markdown(page["length_text"])
lengths(reading, head, page)
st.header(page["cost_title"], anchor="costs")
st.markdown(page["cost_text"])
costs(page)
st.header(page["share_title"], anchor="cache")
st.markdown(page["share_text"])
sharing(reading, head, page)
