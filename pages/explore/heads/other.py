"""Other weights, same context: what the output of a head cannot say about where it looked."""

import math
from dataclasses import dataclass

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from attention_core.identifiability import effective_weights, other_weights, unseen
from attention_core.models import LayerTrace
from ui.chart import chart
from ui.controls import Choice, focus, set_focus
from ui.figures.heads import token_bars
from ui.layout import Arrays, mode
from ui.link import put
from ui.numbers import significant
from ui.session import answer
from ui.text import Words

SPECIAL = 2  # tokens that a model adds to a sentence, at most


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
    there = (~trace.masked_scores[head, query].isneginf()).nonzero()[:, 0]
    a, v = trace.weights[head, query, there].double(), trace.v[head, there].double()
    other = other_weights(a, v)
    return Rows(
        weights=a,
        other=other,
        effective=effective_weights(a[None], v)[0],
        keys=tuple(there.tolist()),
        free=len(unseen(v)),
        d_v=v.shape[1],
        apart=float((other - a).abs().sum() / 2),
        context=float((other @ v - a @ v).abs().amax()) if len(there) else 0.0,
    )


def section(choice: Choice, page: Words) -> Arrays:
    """For the head and the query in focus."""
    layer = choice.run().layers[choice.layer]
    query, _ = focus(len(layer.queries), len(layer.keys))
    found = answer(
        ("other weights", choice.study, choice.layer, choice.head, query), lambda: rows(layer, choice.head, query)
    )
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        st.markdown(page["other.text"])
        st.latex(r"a' V = a V, \qquad a' \ge 0, \qquad \textstyle\sum_j a'_j = \sum_j a_j")
        if found.free:
            _numbers(found, page)
        else:
            _no_choice(found, choice.study.text, len(layer.keys), page)
        st.caption(page["other.source"])
    tokens = [layer.keys[key] for key in found.keys]
    shown = {"weights": found.weights, "other": found.other, "effective": found.effective}
    most = 1.05 * max((float(row.max()) for row in (found.weights, found.other) if len(row)), default=1.0)
    with right:
        for name, row in shown.items():
            if name == "weights" or found.free:
                title = page.data(f"other.{name}", number=query + 1, token=layer.queries[query])
                st.markdown(f"**{title}**")
                ends = (0.0, most) if name != "effective" else None
                figure = token_bars(row.float().numpy(), tokens=tokens, label="", mode=mode(), y=ends)
                chart(figure, key=f"other_{name}", alt=title)
    return lambda: {f"other_{name}": row.numpy() for name, row in shown.items()}


def _numbers(found: Rows, page: Words) -> None:
    numbers = {
        "free": str(found.free),
        "keys": f"{int((found.weights > 0).sum())} → {int((found.other > 0).sum())}",
        "apart": significant(found.apart),
        "context": significant(found.context),
    }
    with st.container(horizontal=True, gap="medium", key="other_numbers"):
        for name, value in numbers.items():
            st.metric(page[f"other.number.{name}"], value, width="content", help=page[f"other.number.{name}_help"])


def _no_choice(found: Rows, text: str, n: int, page: Words) -> None:
    """One choice only: say why, and offer a sentence that is long enough."""
    st.info(
        page.format("other.none", n=len(found.keys), d_v=found.d_v, least=found.d_v + 1), icon=":material/lightbulb:"
    )

    def lengthened() -> None:
        # Where a mask hides later keys, the query in the middle still reads enough.
        hidden = len(found.keys) < n
        put(text=" ".join([text] * math.ceil((1 + hidden) * (found.d_v + 4) / max(1, n - SPECIAL))))
        if hidden:
            set_focus(n * 10**3, 0)
        st.rerun()

    st.button(page["other.longer"], on_click=lengthened, key="other_longer", icon=":material/repeat:")
