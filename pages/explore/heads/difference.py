"""This run and another one, side by side, with their difference."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace, Model, ModelError, Run, Settings, Sizes, Tokens, UnknownWords
from attention_core.text import clean
from pages.explore.heads import compare
from pages.explore.heads.shared import shown_weights, token_chosen, with_unit
from ui.components.canvas import Panel, canvas
from ui.controls import (
    MAX_CHARS,
    TEMPERATURES,
    Choice,
    choose,
    layer_label,
    model_label,
    model_names,
    switch,
    untaught,
    whole_number,
)
from ui.layout import Arrays
from ui.link import publish, seed
from ui.numbers import significant
from ui.session import SCRATCH, Study, model, run_of
from ui.text import Words, words

SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Run B: a study, one of its layers, one head of that layer."""

    study: Study
    model: Model
    tokens: Tokens
    layer: int
    head: int

    def run(self) -> Run:
        """Everything its model computes for it; a download has no session in which to look for the model."""
        return run_of(self.study, self.model, self.tokens)


def section(choice: Choice, page: Words) -> Arrays:
    """Choose B, see A and B and A − B, read how far they are apart."""
    other = _choose_b(choice, page)
    if other is None:
        return dict
    run, run_b = choice.run(), other.run()
    a, b = run.layers[choice.layer], run_b.layers[other.layer]
    found = compare.difference(a, choice.head, b, other.head)
    differs = _differs(choice, other)
    st.markdown(_sentence(differs, a, b, page))
    maps = compared(choice, other)
    titles = {"A": _title("A", a, choice.head, page), "B": _title("B", b, other.head, page)}
    columns = st.columns(2 if found is None else 3, gap="medium")
    for column, (side, layer) in zip(columns[:2], (("A", a), ("B", b)), strict=True):
        with column:
            # Positions of different sentences light up together only when they can be compared one to one.
            group = "main" if side == "A" or found else "compare_b"
            _map(side, titles[side], maps[side], "weights", layer, group, page)
    if found is not None:
        with columns[2]:
            _map("D", "A − B", maps["A_minus_B"], "signed", a, "main", page)
    _numbers(choice, other, run, run_b, found, page)
    _measures(a, choice.head, b, other.head, page)
    return lambda: compared(choice, other)


def compared(choice: Choice, other: Other) -> dict[str, np.ndarray]:
    """The weights of A and of B, and A − B where they have one shape."""
    a, b = choice.run().layers[choice.layer], other.run().layers[other.layer]
    maps = {"A": shown_weights(a, choice.head), "B": shown_weights(b, other.head)}
    found = compare.difference(a, choice.head, b, other.head)
    return maps if found is None else maps | {"A_minus_B": found.weights.numpy()}


def _choose_b(choice: Choice, page: Words) -> Other | None:
    """The controls of B. Everything begins as in A, but for the head, so that there is something to see."""
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="b_bar"):
        seed("b_text", "", str)
        typed = st.text_input(page["compare.sentence"], key="b_text", placeholder=choice.study.text)
        publish("b_text", typed, "")
        options = (SAME, *(name for name in model_names() if name != choice.study.model or name == SCRATCH))
        name = choose(
            "b_model",
            options,
            page["compare.model"],
            lambda name: page["compare.as_a"] if name == SAME else model_label(name),
            width=190,
        )
        sizes = _sizes_of_b(choice, name, page)
        name = choice.study.model if name == SAME else name
        try:
            chosen = model(name, sizes)
        except ModelError as error:
            st.warning(common.format(f"model_error.{error.kind}", name=error.name), icon=":material/warning:")
            return None
        layers = chosen.layers
        default = min(choice.layer, len(layers) - 1)
        layer = whole_number("b_layer", 1, len(layers), default + 1, page["compare.layer"], 110) - 1
        n_head = layers[layer].n_head
        head = whole_number("b_head", 1, n_head, (choice.head + 1) % n_head + 1, page["compare.head"], 110) - 1
        rule = choose(
            "b_settings",
            (SAME, "built", "own"),
            page["compare.settings"],
            lambda rule: page[f"compare.rules.{rule}"],
            width=190,
        )
    settings = _settings_of_b(choice.study.settings, rule, layer, page)
    text = clean(typed, MAX_CHARS).text
    try:
        tokens = chosen.tokenize(text)
        if not text or not len(tokens):  # nothing typed, or nothing that can be read
            text, tokens = choice.study.text, chosen.tokenize(choice.study.text)
    except UnknownWords as error:
        untaught(error, common)
        return None
    study = Study(text=text, model=name, sizes=sizes, settings=settings)
    return Other(study=study, model=chosen, tokens=tokens, layer=layer, head=head)


def _sizes_of_b(choice: Choice, name: str, page: Words) -> Sizes:
    sizes = choice.study.sizes if choice.study.model == SCRATCH else Sizes()
    if name != SCRATCH:
        return sizes
    return replace(sizes, seed=whole_number("b_seed", 0, 9999, sizes.seed, page["compare.seed"], 110))


def _settings_of_b(a: Settings, rule: str, layer: int, page: Words) -> Settings:
    here = None if a.layers is None else (layer,)
    if rule == SAME:
        return replace(a, layers=here)
    if rule == "built":
        return Settings()
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="b_settings_bar"):
        scaling = choose(
            "b_scaling",
            ("model", "none", "inverse_sqrt", "inverse"),
            common["scaling"],
            lambda rule: common[f"scalings.{rule}"],
            width=220,
        )
        mask = switch("b_mask", ("none", "causal", "window"), common["mask"], lambda rule: common[f"masks.{rule}"])
        seed("b_temperature", 1.0, float, TEMPERATURES)
        temperature = float(
            st.select_slider(
                page["temperature"], TEMPERATURES, key="b_temperature", width=320,
                format_func=lambda value: significant(value),
            )
        )  # fmt: skip
        publish("b_temperature", str(temperature), "1.0")
    return Settings(scaling=scaling, mask=mask, temperature=temperature, radius=a.radius, layers=(layer,))


def _differs(choice: Choice, other: Other) -> list[str]:
    """What is not the same in A and B, as keys of the words."""
    a, b = choice.study, other.study
    named = {
        "sentence": a.text != b.text,
        "model": a.model != b.model or (a.model == SCRATCH and a.sizes != b.sizes),
        "layer": choice.layer != other.layer,
        "head": choice.head != other.head,
        "settings": not compare.same_settings(a.settings, choice.layer, b.settings, other.layer),
    }
    return [name for name, is_other in named.items() if is_other]


def _sentence(differs: list[str], a: LayerTrace, b: LayerTrace, page: Words) -> str:
    if not differs:
        return page["compare.same"]
    between = page["compare.differs.between"]
    said = page.data("compare.differs.in", what=between.join(page[f"compare.differs.{name}"] for name in differs))
    counts = (len(a.queries), len(a.keys), len(b.queries), len(b.keys))
    if counts[:2] != counts[2:]:
        return f"{said} {page.format('compare.shapes', a=_shape(a), b=_shape(b))}"
    moved = sum(mine != theirs for mine, theirs in zip(a.keys, b.keys, strict=True))
    return f"{said} {page.format('compare.positions', count=moved)}" if moved else said


def _shape(layer: LayerTrace) -> str:
    return f"{len(layer.queries)} × {len(layer.keys)}"


def _title(side: str, layer: LayerTrace, head: int, page: Words) -> str:
    return f"{side} · {page.data('overview.head', layer=layer_label(layer.name), head=head + 1)}"


def _map(side: str, title: str, values: np.ndarray, scale: str, layer: LayerTrace, group: str, page: Words) -> None:
    panel = Panel(name=side, values=values, rows="query", cols="key", scale=scale, title=title)
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


def _numbers(choice: Choice, other: Other, run: Run, run_b: Run, found: compare.Difference | None, page: Words) -> None:
    """Jensen–Shannon divergence, the largest difference, the cosine of the outputs: where each of them is defined."""
    shown: list[tuple[str, float]] = []
    if found is not None:
        shown += [("divergence", found.divergence), ("largest", found.largest)]
    one_model = (choice.study.model, choice.study.sizes) == (other.study.model, other.study.sizes)
    cosine = compare.output_cosine(run, run_b) if one_model and choice.study != other.study else None
    if cosine is not None:
        shown += [("cosine", float(cosine.mean())), ("least", float(cosine.min()))]
    undefined = words("common")["undefined"]
    with st.container(horizontal=True, gap="large"):
        for name, value in shown:
            label, tip = page[f"compare.number.{name}"], page[f"compare.number.{name}_help"]
            st.metric(label, significant(value, undefined=undefined), help=tip, width="content")


def _measures(a: LayerTrace, head_a: int, b: LayerTrace, head_b: int, page: Words) -> None:
    in_a = compare.measured(a, slice(head_a, head_a + 1))
    in_b = compare.measured(b, slice(head_b, head_b + 1))
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
                for name in compare.MEASURED
            ],
            hide_index=True,
            height="content",
        )
