"""This run and another one, side by side, with their difference."""

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace
from pages.explore.heads.clicks import token_chosen
from pages.explore.heads.labels import with_unit
from pages.explore.heads.numbers import MEASURED, Difference, difference, measured, output_cosine, same_settings
from pages.explore.heads.second_run import SecondRun, choose_second
from ui.components.canvas import Panel, canvas
from ui.controls import Choice, layer_label
from ui.controls.captions import of_study
from ui.layout import Arrays
from ui.numbers import significant
from ui.session import SCRATCH
from ui.text import Words, words
from ui.weights import shown_weights


def section(choice: Choice, page: Words) -> Arrays:
    """Choose B, see A and B and A − B, read how far they are apart."""
    second = choose_second(choice, page)
    if second is None:
        return dict
    a, b = choice.run().layers[choice.layer], second.run().layers[second.layer]
    apart = difference(a, choice.head, b, second.head)
    st.markdown(_sentence(_differs(choice, second), a, b, page))
    _maps(choice, second, apart, page)
    _numbers(choice, second, apart, page)
    _measures(a, choice.head, b, second.head, page)
    return lambda: compared(choice, second)


def compared(choice: Choice, second: SecondRun) -> dict[str, np.ndarray]:
    """The weights of A and of B, and A − B where they have one shape."""
    a, b = choice.run().layers[choice.layer], second.run().layers[second.layer]
    maps = {"A": shown_weights(a, choice.head), "B": shown_weights(b, second.head)}
    apart = difference(a, choice.head, b, second.head)
    return maps if apart is None else maps | {"A_minus_B": apart.weights.numpy()}


def _maps(choice: Choice, second: SecondRun, apart: Difference | None, page: Words) -> None:
    """Positions of different sentences light up together only when they can be compared one to one."""
    a, b = choice.run().layers[choice.layer], second.run().layers[second.layer]
    about = {"A": _about(choice), "B": _about(second)}
    columns = st.columns(2 if apart is None else 3, gap="medium")
    with columns[0]:
        _map("A", _title("A", a, choice.head, page), shown_weights(a, choice.head), a, page, about["A"])
    with columns[1]:
        group = "compare_b" if apart is None else "main"
        _map("B", _title("B", b, second.head, page), shown_weights(b, second.head), b, page, about["B"], group=group)
    if apart is not None:
        with columns[2]:
            sides = (("A", a, choice), ("B", b, second))
            both = " · ".join(f"{side}: {_place(of, one.head, page)} · {about[side]}" for side, of, one in sides)
            _map("D", "A − B", apart.weights.numpy(), a, page, both, scale="signed")


def _about(one: Choice | SecondRun) -> str:
    """What a figure says it is of; its title names the layer and the head."""
    return of_study(one.study, one.model.layers, "", words("controls"))


def _map(
    side: str,
    title: str,
    values: np.ndarray,
    layer: LayerTrace,
    page: Words,
    about: str,
    *,
    scale: str = "weights",
    group: str = "main",
) -> None:
    panel = Panel(name=side, values=values, rows="query", cols="key", scale=scale, title=title, about=about)
    canvas(
        [[panel]],
        key=f"compare_{side}",
        queries=layer.queries,
        keys=layer.keys,
        words=words("canvas"),
        group=group,
        summary=page.data("compare.map", title=title),
        on_pick=token_chosen if group == "main" else None,
    )


def _differs(choice: Choice, second: SecondRun) -> list[str]:
    """What is not the same in A and B, as keys of the words."""
    a, b = choice.study, second.study
    named = {
        "sentence": a.text != b.text,
        "model": a.model != b.model or (a.model == SCRATCH and a.sizes != b.sizes),
        "layer": choice.layer != second.layer,
        "head": choice.head != second.head,
        "settings": not same_settings(a.settings, choice.layer, b.settings, second.layer),
    }
    return [name for name, is_other in named.items() if is_other]


def _sentence(differs: list[str], a: LayerTrace, b: LayerTrace, page: Words) -> str:
    if not differs:
        return page["compare.same"]
    between = page["compare.differs.between"]
    sentence = page.data("compare.differs.in", what=between.join(page[f"compare.differs.{name}"] for name in differs))
    counts = (len(a.queries), len(a.keys), len(b.queries), len(b.keys))
    if counts[:2] != counts[2:]:
        return f"{sentence} {page.format('compare.shapes', a=_shape(a), b=_shape(b))}"
    moved = sum(mine != theirs for mine, theirs in zip(a.keys, b.keys, strict=True))
    return f"{sentence} {page.format('compare.positions', count=moved)}" if moved else sentence


def _shape(layer: LayerTrace) -> str:
    return f"{len(layer.queries)} × {len(layer.keys)}"


def _title(side: str, layer: LayerTrace, head: int, page: Words) -> str:
    return f"{side} · {_place(layer, head, page)}"


def _place(layer: LayerTrace, head: int, page: Words) -> str:
    return page.data("overview.head", layer=layer_label(layer.name), head=head + 1)


def _numbers(choice: Choice, second: SecondRun, apart: Difference | None, page: Words) -> None:
    """Jensen–Shannon divergence, the largest difference, the cosine of the outputs: where each of them is defined."""
    numbers: list[tuple[str, float]] = []
    if apart is not None:
        numbers += [("divergence", apart.divergence), ("largest", apart.largest)]
    one_model = (choice.study.model, choice.study.sizes) == (second.study.model, second.study.sizes)
    if one_model and choice.study != second.study:
        cosine = output_cosine(choice.run(), second.run())
        numbers += [] if cosine is None else [("cosine", float(cosine.mean())), ("least", float(cosine.min()))]
    undefined = words("common")["undefined"]
    with st.container(horizontal=True, gap="large"):
        for name, value in numbers:
            label, tip = page[f"compare.number.{name}"], page[f"compare.number.{name}_help"]
            st.metric(label, significant(value, undefined=undefined), help=tip, width="content")


def _measures(a: LayerTrace, head_a: int, b: LayerTrace, head_b: int, page: Words) -> None:
    in_a = measured(a, slice(head_a, head_a + 1))
    in_b = measured(b, slice(head_b, head_b + 1))
    undefined = words("common")["undefined"]
    with st.expander(page["compare.measures"]):
        st.dataframe(
            [
                {
                    page["compare.measure"]: with_unit(name, page),
                    "A": significant(float(in_a[name]), undefined=undefined),
                    "B": significant(float(in_b[name]), undefined=undefined),
                    "A − B": significant(float(in_a[name] - in_b[name]), undefined=undefined),
                }
                for name in MEASURED
            ],
            hide_index=True,
            height="content",
        )
