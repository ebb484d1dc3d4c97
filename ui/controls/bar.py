"""The bar most pages begin with: sentence, examples, model, settings; below it layer and head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from attention_core.models import LayerName, Model, Run, Settings, Sizes, Tokens, layer_numbers
from ui import session
from ui.components.assets import caption
from ui.controls import captions
from ui.controls.models import absent_notice, loaded, model_label, model_menu
from ui.controls.sentence import examples_menu, read, sentence_input
from ui.controls.settings import settings_menu, within
from ui.controls.sizes import chosen_sizes
from ui.controls.table import model as model_setting
from ui.controls.widgets import one_of_row
from ui.focus import HEAD, LAYER
from ui.session import SCRATCH, Study
from ui.state import Setting
from ui.text import Words, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader looks at: a study, one of its layers, one head of that layer."""

    study: Study
    model: Model
    tokens: Tokens
    layer: int
    head: int

    @property
    def number(self) -> int:
        """What links and files call the layer."""
        return layer_numbers(self.model.layers)[self.layer]

    def about(self, place: str) -> str:
        """What a figure says it is of that shows `place` and not the layer and the head."""
        return captions.of_study(self.study, self.model.layers, place, words("controls"))

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
        common = words("controls")
        with st.container(horizontal=True, vertical_alignment="bottom", key="layer_and_head"):
            layer, head = _layer_and_head(self.model.layers, common)
            if self.facts:
                st.caption(self.facts)
        for note in _notes(self.model.layers, layer, common):
            st.caption(note)
        study = self.study(layer)
        name = layer_label(self.model.layers[layer], common)
        place = common.data("caption.head", layer=name, head=head + 1)
        caption(place, captions.of_study(study, self.model.layers, "", common))
        return Choice(study=study, model=self.model, tokens=self.tokens, layer=layer, head=head)

    def study(self, layer: int, mask: str | None = None) -> Study:
        """What is computed where the reader looks at this layer; with another `mask`, if one is given."""
        settings = within(replace(self.settings, mask=mask or self.settings.mask), self.model.layers, layer)
        return Study(text=self.text, model=self.name, sizes=self.sizes, settings=settings)


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
    reading = read(typed, model, common, menu=True)
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
    """ "Layer 3", "Encoder 2", "Cross 1", "Layer 3 of 4" in the reader's language."""
    common = common or words("controls")
    label = common.data(f"stack.{layer.stack}", number=layer.number)
    return label if layer.of is None else common.data("stack.of", layer=label, of=layer.of)


def _layer_and_head(layers: Sequence[LayerName], common: Words) -> tuple[int, int]:
    layer, of = 0, layers[0].of
    if len(layers) > 1 or of is not None:
        label = common["layer"] if of is None else common.format("layer_among", of=of)
        layer = one_of_row(_numbered(layers), label, lambda index: _short(layers[index], common))
    heads = HEAD.among(range(layers[layer].n_head))
    return layer, one_of_row(heads, common["head"], lambda index: str(index + 1))


def _numbered(layers: Sequence[LayerName]) -> Setting[int]:
    """The layer: its index here, what the model calls it in the link."""
    numbers = layer_numbers(layers)
    return replace(
        LAYER.among(range(len(layers))),
        parse=lambda spelling: numbers.index(int(spelling)),
        spell=lambda index: str(numbers[index]),
        spelled_out=layers[0].of is not None,  # that it is the first here says nothing about the model
    )


def _notes(layers: Sequence[LayerName], layer: int, common: Words) -> list[str]:
    """What a reader should know about the layers of this model, or about this one."""
    notes, (of, maps) = [], (layers[0].of, layers[layer].maps)
    if of is not None:
        notes.append(common.format("some_layers", count=len(layers), of=of))
    if maps > 1:
        notes.append(common.format("maps", maps=maps))
    return notes


def _short(layer: LayerName, common: Words) -> str:
    return str(layer.number) if layer.stack == "layer" else layer_label(layer, common)
