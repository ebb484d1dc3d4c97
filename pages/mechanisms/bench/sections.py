"""What stands below the maps of the bench: what moved, numbers, every query for itself, formulas."""

from collections.abc import Sequence

import streamlit as st

from attention_core.mechanisms import MECHANISMS
from pages.mechanisms.bench.maps import contexts, lines, tokens
from pages.mechanisms.bench.numbers import COLUMNS, COUNTED, Row, Vectors
from pages.mechanisms.bench.tables import focused, table
from pages.mechanisms.bench.wording import differences, formula, gradient, subscripts, title
from ui.citing import cited
from ui.components.canvas import Pick, canvas
from ui.controls import look
from ui.text import Words, words

WIDTH = {"row_sum": 130}  # pixels; a range must not be cut


def what_moved(rows: Sequence[Row], reference: str, page: Words) -> None:
    """On which axis each differs from the reference."""
    base = MECHANISMS[reference]
    moved = [
        f"- **{title(row.key, row.mechanism, page)}** {subscripts(differences(row.mechanism, base, page))}"
        for row in rows
        if row.key != reference
    ]
    name = title(reference, base, page)
    with st.container(key="what_moved"):
        st.markdown("\n".join([page.data("moved_from", name=name), "", *moved]))


def numbers(rows: Sequence[Row], reference: str, page: Words) -> None:
    """The head in numbers, a line per mechanism."""
    st.header(page["numbers"], anchor="numbers")
    st.markdown(page["numbers_text"])
    exact = {
        page[f"column.{name}"]: st.column_config.TextColumn(
            alignment="right", help=page[f"help.{name}"], width=WIDTH.get(name)
        )
        for name in ("row_sum", *COUNTED)
    }
    measured = {
        page[f"column.{name}"]: st.column_config.NumberColumn(format="%.4g", help=page[f"help.{name}"])
        for name in COLUMNS
        if name not in COUNTED
    }
    moved = {page["moved_label"]: st.column_config.TextColumn(width="medium")}
    st.dataframe(
        table(rows, MECHANISMS[reference], page),
        hide_index=True,
        height="content",
        column_config=moved | exact | measured,
    )


def per_token(rows: Sequence[Row], vectors: Vectors, query: int, page: Words) -> None:
    """Every query for itself: context vectors, entropy, distance from the reference, gradient."""
    st.header(page["per_token"], anchor="tokens")
    st.markdown(page["per_token_text"])
    names = words("canvas")
    canvas(
        contexts(rows, page),
        key="bench_contexts",
        queries=vectors.queries,
        keys=vectors.keys,
        words=names,
        summary=page["contexts"],
        on_pick=lambda pick: look(query=pick.row),
    )
    axes = {"query": page["mechanism_label"], "axis_query": page["mechanism_label"]}
    axes |= {"key": names["query"], "axis_key": names["axis_query"]}
    canvas(
        tokens(rows, page),
        key="bench_tokens",
        queries=lines(rows, page),
        keys=vectors.queries,
        words={**names, **axes},
        group="per_token",
        summary=page["per_token"],
        on_pick=lambda pick: look(query=pick.col),
    )
    st.text(page.data("focused", number=query + 1, token=vectors.queries[query]))
    st.markdown(focused(rows, query, page))


def picked(pick: Pick) -> None:
    """A cell of the maps, or a token of the strip above them."""
    match pick.panel:
        case "query":
            look(query=pick.row)
        case "key":
            look(key=pick.row)
        case _:
            look(query=pick.row, key=pick.col)


def cards(rows: Sequence[Row], reference: str, page: Words) -> None:
    """Formula, source and gradient of each."""
    st.header(page["cards"], anchor="formulas")
    for start in range(0, len(rows), 2):
        for column, row in zip(st.columns(2, gap="large"), rows[start : start + 2], strict=False):
            with column:
                _card(row, reference, page)


def _card(row: Row, reference: str, page: Words) -> None:
    moved = subscripts(differences(row.mechanism, MECHANISMS[reference], page))
    reaches = subscripts(gradient(row.key, row.mechanism, page))
    with st.container(key=f"card_{row.key}", gap="xsmall"):
        st.markdown(f"**{title(row.key, row.mechanism, page)}**")
        st.latex(formula(row.mechanism, page))
        st.markdown(
            f"**{page['moved_label']}** {moved}  \n**{page['gradient_label']}** {reaches}  \n"
            + cited(row.mechanism.reference, words("common", page.language))
        )
