"""The second run of a comparison, B: its controls begin as the first, A, but for the head."""

from dataclasses import dataclass, replace

import streamlit as st

from attention_core.models import (
    LayerName,
    Model,
    Run,
    Settings,
    Sizes,
    Tokens,
    UnknownWords,
    Unreadable,
    layer_numbers,
)
from attention_core.models.base import MASKS
from attention_core.text import Cleaned, clean
from ui.controls import (
    MAX_CHARS,
    TEMPERATURES,
    Choice,
    absent_notice,
    choose,
    dropdown,
    facts,
    loaded,
    model_label,
    model_menu,
    model_names,
    remarks,
    switch,
    unreadable,
    untaught,
    whole_number,
)
from ui.controls.table import RULES
from ui.numbers import significant
from ui.session import SAME, SCRATCH, Study, run_of
from ui.state import Setting, one_of
from ui.text import Words, words

SETTINGS = (SAME, "built", "own")  # of B: those of A, none, its own
TEXT = Setting(key="b_text", default="", parse=str)
TEMPERATURE = Setting(key="b_temperature", default=1.0, parse=float, options=TEMPERATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondRun:
    """A study, one of its layers, one head of that layer."""

    study: Study
    model: Model
    tokens: Tokens
    layer: int
    head: int

    def run(self) -> Run:
        """Everything its model computes for it; a download has no session in which to look for the model."""
        return run_of(self.study, self.model, self.tokens)


def choose_second(choice: Choice, page: Words) -> SecondRun | None:
    """The controls of B; None, with one sentence why, where its text cannot be read."""
    common = words("controls")
    absent_notice(_models(choice.study), common, lambda name: _model_label(name, page))
    notices = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="b_bar"):
        TEXT.seed()
        st.text_input(page["compare.sentence"], key=TEXT.name, placeholder=choice.study.text)
        typed = clean(TEXT.peek(), MAX_CHARS)
        TEXT.publish(typed.text)
        name, sizes = _model(choice, page)
        with notices:
            name, reader = loaded(name, sizes, common)
        layer, head = _layer_and_head(choice, reader.layers, page)
        rule = choose(
            "b_settings", SETTINGS, page["compare.settings"], lambda rule: page[f"compare.rules.{rule}"], width=190
        )
    settings = _settings(choice.study.settings, rule, layer, page)
    try:
        text, tokens = _read(typed, choice, reader)
    except UnknownWords as error:
        untaught(error, common)
        return None
    except Unreadable as error:
        unreadable(error, common)
        return None
    if typed.cut or tokens.dropped:
        st.caption(f"B: {facts(typed.cut, MAX_CHARS, tokens, reader, common)}")
    elif notes := remarks(common, tokens):
        st.caption(f"B: {' · '.join(notes)}")
    study = Study(text=text, model=name, sizes=sizes, settings=settings)
    return SecondRun(study=study, model=reader, tokens=tokens, layer=layer, head=head)


def _models(first: Study) -> Setting[str]:
    """That of A, or another."""
    others = (name for name in model_names() if name != first.model or name == SCRATCH)
    return one_of("b_model", (SAME, *others))


def _model_label(name: str, page: Words) -> str:
    return page["compare.as_a"] if name == SAME else model_label(name)


def _model(choice: Choice, page: Words) -> tuple[str, Sizes]:
    first = choice.study
    name = model_menu(_models(first), page["compare.model"], lambda name: _model_label(name, page), 190)
    sizes = first.sizes if first.model == SCRATCH else Sizes()
    if name == SCRATCH:
        sizes = replace(sizes, seed=whole_number("b_seed", 0, 9999, sizes.seed, page["compare.seed"], 110))
    return first.model if name == SAME else name, sizes


def _layer_and_head(choice: Choice, layers: tuple[LayerName, ...], page: Words) -> tuple[int, int]:
    numbers = layer_numbers(layers)
    default = numbers[min(choice.layer, len(layers) - 1)]
    setting = Setting(key="b_layer", default=default, parse=int, options=numbers)
    layer = numbers.index(dropdown(setting, page["compare.layer"], str, width=110))
    n_head = layers[layer].n_head
    default = (choice.head + 1) % n_head + 1
    return layer, whole_number("b_head", 1, n_head, default, page["compare.head"], 110) - 1


def _settings(first: Settings, rule: str, layer: int, page: Words) -> Settings:
    if rule == SAME:
        return replace(first, layers=None if first.layers is None else (layer,))
    if rule == "built":
        return Settings()
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="b_settings_bar"):
        scaling = choose("b_scaling", RULES, common["scaling"], lambda rule: common[f"scalings.{rule}"], width=220)
        mask = switch("b_mask", MASKS, common["mask"], lambda rule: common[f"masks.{rule}"])
        TEMPERATURE.seed()
        st.select_slider(
            page["temperature"], TEMPERATURES, key=TEMPERATURE.name, width=320, format_func=lambda t: significant(t)
        )
    return Settings(scaling=scaling, mask=mask, temperature=TEMPERATURE.value(), radius=first.radius, layers=(layer,))


def _read(typed: Cleaned, choice: Choice, reader: Model) -> tuple[str, Tokens]:
    """The text of B, that of A where nothing is typed, or nothing that can be read."""
    tokens = reader.tokenize(typed.text) if typed.text else None
    if tokens and not tokens.blank:
        return typed.text, tokens
    return choice.study.text, choice.tokens if reader is choice.model else reader.tokenize(choice.study.text)
