"""Which heads link the query and the key in focus: ranked by weight, by what they hand on, or by gradient."""

from collections.abc import Generator, Hashable, Sequence
from pathlib import Path

import streamlit as st
from torch import Tensor

from attention_core.models import layer_numbers
from attention_core.models.links import LINK_MEASURES, Link, gradient_rows, links, ranked
from pages.explore.heads.clicks import show_head
from ui.controls import Choice, focus, switch
from ui.controls.table import head_name
from ui.numbers import significant
from ui.scripts import filled
from ui.session import answer
from ui.snippets import layer_code, model_code, settings_code
from ui.text import Words
from ui.waiting import awaited, style

BEST = 5
TABLE = "links_table"


def ranking(choice: Choice, page: Words) -> None:
    """The first heads as buttons that choose them, all of them folded."""
    layer = choice.run().layers[choice.layer]
    query, key = focus(len(layer.queries), len(layer.keys))
    with st.container(horizontal=True, vertical_alignment="bottom", key="links_bar"):
        st.markdown(page.format("links.title", asking=layer.queries[query], read=layer.keys[key]))
        by = switch(
            "links_by",
            LINK_MEASURES,
            page["links.by"],
            lambda name: page[f"links.{name}"],
            page["links.help"],
            folded=True,
        )
    heads = links_of(choice, by, query, key, page)
    if heads is None:
        return
    if not heads:
        st.caption(page["links.masked"])
        return
    names = [head_name((link.layer, link.head), layer_numbers(choice.model.layers)) for link in heads]
    with st.container(horizontal=True, gap="small", key="links"):
        for place, (link, name) in enumerate(zip(heads[:BEST], names, strict=False)):
            _head(place, link, name, by, (choice.layer, choice.head))
        with st.popover(page.format("links.all", count=len(heads)), type="tertiary"):
            _table(heads, names, page)


def links_of(choice: Choice, by: str, query: int, key: int, page: Words) -> Sequence[Link] | None:
    """Every head for these two tokens, the largest first; None while the gradient is on its way."""
    rows = None
    if by == "gradient":
        style()
        question = ("link gradients", choice.study, query)
        rows = awaited(question, lambda: _gradients(choice, query), topic="links", what=page["links.working"])
        if rows is None:
            return None
    run = choice.run()
    pair: Hashable = ("links", choice.study, choice.layer, query, key, rows is not None)
    return ranked(answer(pair, lambda: links(run, choice.layer, query, key, rows)), by)


def script(choice: Choice) -> str:
    """Python that prints the row of the query in focus, and all heads for its key, in each of the three orders."""
    layer = choice.run().layers[choice.layer]
    query, key = focus(len(layer.queries), len(layer.keys))
    return filled(
        Path(__file__).with_name("script.py"),
        text=choice.study.text,
        model=model_code(choice.study),
        settings=settings_code(choice.study),
        layer=layer_code(choice.model.layers, choice.layer),
        head=choice.head,
        query=query,
        key=key,
    )


def _gradients(choice: Choice, query: int) -> Generator[float, None, dict[int, Tensor]]:
    yield 0.0
    return gradient_rows(choice.model, choice.tokens, choice.study.settings, query)


def _head(place: int, link: Link, name: str, by: str, chosen: tuple[int, int]) -> None:
    st.button(
        f"**{name}** {significant(getattr(link, by), 3)}",
        key=f"link_{place}",
        type="primary" if chosen == (link.layer, link.head) else "secondary",
        on_click=show_head,
        args=(link.layer, link.head),
    )


def _table(heads: Sequence[Link], names: Sequence[str], page: Words) -> None:
    def jump() -> None:
        picked = st.session_state[TABLE]["selection"]["rows"]
        if picked and picked[0] < len(heads):
            show_head(heads[picked[0]].layer, heads[picked[0]].head)

    st.markdown(page["links.text"])
    st.dataframe(
        [
            {page["measures.head"]: name} | {page[f"links.{by}"]: getattr(link, by) for by in LINK_MEASURES}
            for link, name in zip(heads, names, strict=True)
        ],
        key=TABLE,
        hide_index=True,
        height=420,
        on_select=jump,
        selection_mode="single-row",
        column_config={page[f"links.{by}"]: st.column_config.NumberColumn(format="%.4g") for by in LINK_MEASURES},
    )
