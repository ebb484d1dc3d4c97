"""The bar most pages begin with: sentence, examples, model, settings; below it layer and head."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from attention_core.models import LayerName, Model, Run, Settings, Sizes, Tokens
from ui import session
from ui.controls.models import absent_notice, loaded, model_label, model_menu
from ui.controls.sentence import examples_menu, read, sentence_input
from ui.controls.settings import settings_menu, within
from ui.controls.sizes import chosen_sizes
from ui.controls.table import model as model_setting
from ui.controls.widgets import one_of_row
from ui.focus import HEAD, LAYER
from ui.session import SCRATCH, Study
from ui.text import Words, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader looks at: a study, one of its layers, one head of that layer."""

    study: Study
    model: Model
    tokens: Tokens
    layer: int
    head: int

    def run(self) -> Run:
        """Everything the model computes for this study."""
        return session.run_of(self.study, self.model, self.tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What the bar of a page says: a text as a model reads it, and what a reader should know about its size."""

    text: str
    name: str
    model: Model
    sizes: Sizes
    settings: Settings
    tokens: Tokens
    facts: str

    def choose(self) -> Choice:
        """The row below the bar: layer and head. A fragment that begins with it runs alone when they change."""
        with st.container(horizontal=True, vertical_alignment="bottom", key="layer_and_head"):
            layer, head = _layer_and_head(self.model.layers, words("controls"))
            if self.facts:
                st.caption(self.facts)
        settings = within(self.settings, self.model.layers, layer)
        study = Study(text=self.text, model=self.name, sizes=self.sizes, settings=settings)
        return Choice(study=study, model=self.model, tokens=self.tokens, layer=layer, head=head)


def study_bar(note: str = "") -> Bar:
    """The bar; `note`: what the page says about the settings, above them."""
    common = words("controls")
    absent_notice(model_setting(), common)
    with st.container(horizontal=True, vertical_alignment="bottom", key="study_bar"):
        typed = sentence_input(common)
        examples_menu(common)
        name = model_menu(model_setting(), common["model"], model_label, 210)
        settings_place = st.container(width="content")
    sizes = chosen_sizes() if name == SCRATCH else Sizes()
    name, model = loaded(name, sizes, common)
    with settings_place:
        settings = settings_menu(name, model.layers, common, note)
    reading = read(typed, model, common)
    return Bar(
        text=reading.text,
        name=name,
        model=model,
        sizes=sizes,
        settings=settings,
        tokens=reading.tokens,
        facts=reading.facts,
    )


def layer_label(layer: LayerName, common: Words | None = None) -> str:
    """ "Layer 3", "Encoder 2", "Cross 1" in the reader's language."""
    return (common or words("controls")).format(f"stack.{layer.stack}", number=layer.number)


def _layer_and_head(layers: Sequence[LayerName], common: Words) -> tuple[int, int]:
    layer = 0
    if len(layers) > 1:
        layer = one_of_row(
            LAYER.among(range(len(layers))), common["layer"], lambda index: _short(layers[index], common)
        )
    heads = HEAD.among(range(layers[layer].n_head))
    return layer, one_of_row(heads, common["head"], lambda index: str(index + 1))


def _short(layer: LayerName, common: Words) -> str:
    return str(layer.number) if layer.stack == "layer" else layer_label(layer, common)
