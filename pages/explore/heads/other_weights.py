"""Other weights, same context: what the output of a head cannot say about where it looked."""

import math
from dataclasses import dataclass
from functools import partial

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from attention_core.identifiability import effective_weights, other_weights, unseen
from attention_core.models import LayerTrace
from ui.chart import chart
from ui.controls import Choice, focus
from ui.controls.table import TEXT
from ui.figures.heads import token_bars
from ui.focus import look
from ui.layout import Arrays, mode
from ui.numbers import significant
from ui.session import answer
from ui.text import Words

SPECIAL = 2  # tokens that a model adds to a sentence, at most
BEYOND = 10**5  # of any sentence: the focus is in its middle


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Rows:
    """Three rows for one query over its keys, how many unseen changes there are, and what is left of the difference."""

    weights: Float[Tensor, " n"]
    other: Float[Tensor, " n"]
    effective: Float[Tensor, " n"]
    keys: tuple[int, ...]
    free: int
    d_v: int
    apart: float
    context: float


def rows(layer: LayerTrace, head: int, query: int) -> Rows:
    """Of the keys that this query may read."""
    trace = layer.attention
    allowed = layer.allowed[head, query].nonzero()[:, 0]
    a, v = trace.weights[head, query, allowed].double(), trace.v[head, allowed].double()
    other = other_weights(a, v)
    return Rows(
        weights=a,
        other=other,
        effective=effective_weights(a[None], v)[0],
        keys=tuple(allowed.tolist()),
        free=len(unseen(v)),
        d_v=v.shape[1],
        apart=float((other - a).abs().sum() / 2),
        context=float((other @ v - a @ v).abs().amax()) if len(allowed) else 0.0,
    )


def section(choice: Choice, page: Words) -> Arrays:
    """For the head and the query in focus."""
    layer = choice.run().layers[choice.layer]
    query, _ = focus(len(layer.queries), len(layer.keys))
    three = answer(
        ("other weights", choice.study, choice.layer, choice.head, query), lambda: rows(layer, choice.head, query)
    )
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        st.markdown(page["other.text"])
        st.latex(r"a' V = a V, \qquad a' \ge 0, \qquad \textstyle\sum_j a'_j = \sum_j a_j")
        if three.free:
            _numbers(three, page)
        else:
            _no_choice(three, choice.study.text, len(layer.keys), page)
        st.caption(page["other.source"])
    with right:
        _bars(three, layer, query, page)
    taken = {"weights": three.weights, "other": three.other, "effective": three.effective}
    return lambda: {f"other_{name}": row.numpy() for name, row in taken.items()}


def _bars(three: Rows, layer: LayerTrace, query: int, page: Words) -> None:
    """The row itself, and where there is a choice another one and what counts of both."""
    tokens = [layer.keys[key] for key in three.keys]
    most = 1.05 * max((float(row.max()) for row in (three.weights, three.other) if len(row)), default=1.0)
    shown = {"weights": (three.weights, (0.0, most))}
    if three.free:
        shown |= {"other": (three.other, (0.0, most)), "effective": (three.effective, None)}
    for name, (row, ends) in shown.items():
        title = page.data(f"other.{name}", number=query + 1, token=layer.queries[query])
        st.markdown(f"**{title}**")
        figure = token_bars(row.float().numpy(), tokens=tokens, label="", mode=mode(), y=ends)
        chart(figure, key=f"other_{name}", alt=title)


def _numbers(three: Rows, page: Words) -> None:
    numbers = {
        "free": str(three.free),
        "keys": f"{int((three.weights > 0).sum())} → {int((three.other > 0).sum())}",
        "apart": significant(three.apart),
        "context": significant(three.context),
    }
    with st.container(horizontal=True, gap="medium", key="other_numbers"):
        for name, value in numbers.items():
            st.metric(page[f"other.number.{name}"], value, width="content", help=page[f"other.number.{name}_help"])


def _no_choice(three: Rows, text: str, n: int, page: Words) -> None:
    """One choice only: say why, and offer a sentence that is long enough."""
    st.info(
        page.format("other.none", n=len(three.keys), d_v=three.d_v, least=three.d_v + 1), icon=":material/lightbulb:"
    )
    hidden = len(three.keys) < n
    longer = " ".join([text] * math.ceil((1 + hidden) * (three.d_v + 4) / max(1, n - SPECIAL)))
    st.button(
        page["other.longer"], on_click=partial(_lengthen, longer, hidden), key="other_longer", icon=":material/repeat:"
    )


def _lengthen(text: str, hidden: bool) -> None:
    TEXT.put(text)
    if hidden:  # where a mask hides later keys, the query in the middle still reads enough
        look(query=BEYOND, key=0)
    st.rerun()
