"""A fully connected layer beside attention: how many tokens each takes, and what a replaced word changes in either."""

import streamlit as st

from pages.mechanisms.order.lengths.numbers import MAX_WORDS, applied_to, arrays, built_for, replaced, script
from pages.mechanisms.order.lengths.pictures import films, plots, sliders
from pages.mechanisms.order.reading import D_MODEL, OTHER_WORD, Reading, other_word
from pages.mechanisms.order.stops import stops
from ui.components.lab import lab
from ui.errors import fragment
from ui.layout import take_away
from ui.state import Setting
from ui.text import Words, words


@fragment
def lengths(reading: Reading, head: int, page: Words) -> None:
    """So many tokens through both; then a word is replaced."""
    length = _length(len(reading.tokens), page)
    _both(reading, length, page)
    st.markdown(page.format("word_text", other=OTHER_WORD))
    word = stops("order_word", range(1, min(len(reading.tokens), MAX_WORDS) + 1), 2)
    compared = replaced(reading, other_word(reading), head)
    lab(
        plots(compared, reading.tokens, page),
        key="order_words",
        sliders=sliders(reading.tokens, word.at(), page),
        films=films(compared),
        words=words("canvas"),
        summary=page["length_title"],
        on_move=lambda positions: word.put(positions["word"]),
    )
    take_away("order_lengths", arrays=lambda: arrays(reading, compared), snippet=script(reading, length))


def _length(n: int, page: Words) -> int:
    """How many tokens are fed to both layers."""
    fed = Setting(key="order_fed", default=n, parse=int, options=range(1, n + 1))
    fed.seed()
    st.slider(page["fed"], 1, n, key=fed.key, help=page["fed_help"])
    return fed.value()


def _both(reading: Reading, length: int, page: Words) -> None:
    """The code that feeds so many tokens to either layer, and what torch answers."""
    built = built_for(len(reading.tokens))
    shape, error, attention = applied_to(reading, length)
    linear, attends = st.columns(2)
    with linear:
        st.markdown(page.format("linear_title", built=built))
        st.code(
            f"layer = nn.Linear({built} * {D_MODEL}, {built} * {D_MODEL})\n"
            f"layer(x.reshape(1, {length} * {D_MODEL})).shape"
        )
        if error:
            st.code(f"RuntimeError: {error}", language=None, wrap_lines=True)
            st.caption(page["linear_fails"])
        else:
            st.code(f"torch.Size({list(shape)})", language=None)
            st.caption(page["linear_runs"])
    with attends:
        st.markdown(page["attention_title"])
        st.code(f"x.shape  # ({length}, {D_MODEL})\nattention(x).shape")
        st.code(f"torch.Size({list(attention)})", language=None)
        st.caption(page["attention_runs"])
