"""What stands below the pictures of Two sentences: four claims with the numbers of these sentences."""

import streamlit as st

from attention_core.matching import shipped
from pages.mechanisms.two_sentences.numbers import (
    MATCHERS,
    Pair,
    cosines,
    heard,
    partners,
    self_attention_residual,
)
from ui import session
from ui.layout import agreement
from ui.text import Words

CONTEXTS = ("vectors", "bilstm", "transformer")  # columns of the table: no context, one sentence, six layers
FITS = 12  # lines of the table


def twice(pair: Pair, temperature: float, page: Words) -> None:
    """The same sentence twice is self-attention."""
    st.header(page["twice_title"], anchor=False)
    residual = agreement(self_attention_residual(pair.encoded[0], temperature))
    if pair.tokens[0] == pair.tokens[1]:
        alignment = pair.alignment(temperature)
        transposed = float((alignment.first.weights - alignment.second.weights).abs().max())
        st.markdown(page.data("twice_now", residual=residual, transposed=agreement(transposed)))
    else:
        st.markdown(page.data("twice_not", residual=residual))


def context(texts: tuple[str, str], pair: Pair, page: Words) -> None:
    """One word, two sentences, before and after context."""
    st.header(page["context_title"], anchor=False)
    st.markdown(page["context_intro"])
    a, b = pair.tokens
    alike = partners(pair)
    columns = cosines(session.embedded(), texts, alike)
    shared = [i for i, j in enumerate(alike) if a[i] == b[j]]
    for i in sorted(shared, key=lambda i: len(a[i]))[-1:]:  # the longest: seldom an article
        before, after, transformer = (float(columns[name][i]) for name in CONTEXTS)
        st.markdown(page.format("context_same", word=a[i], before=before, after=after, transformer=transformer))
    st.dataframe(
        {page["column_word"]: list(a), page["column_partner"]: [b[j] for j in alike]}
        | {page[f"column_{name}"]: columns[name].tolist() for name in CONTEXTS},
        hide_index=True,
        height="content" if len(a) <= FITS else 460,
        column_config={page[f"column_{name}"]: st.column_config.NumberColumn(format="%.4g") for name in CONTEXTS},
    )


def price(pair: Pair, page: Words) -> None:
    """What comes from the first word to the last, and in how many steps."""
    st.header(page["order_title"], anchor=False)
    n = len(pair.tokens[0])
    if n == 1:
        st.markdown(page["order_single"])
        return
    st.markdown(page.format("order_text", steps=n - 1, share=float(heard(pair.x[0])[0])))


def worth(encoder: str, page: Words) -> None:
    """How often the matcher is right, measured when it was trained."""
    st.header(page["worth_title"], anchor=False)
    if encoder not in MATCHERS:
        st.markdown(page["worth_none"])
        return
    recipe = shipped(MATCHERS[encoder])[1]
    cases = [(name, kind) for name in ("unmet", "unknown") for kind in ("same", "word", "order")]
    shares = {f"{name}_{kind}": f"{100 * recipe[name][kind]:.0f}%" for name, kind in cases}
    st.markdown(page["worth_text"].format_map(shares))
    if encoder == "vectors":
        st.markdown(page["worth_blind"].format_map(shares))
