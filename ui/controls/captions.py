"""What a saved figure says it is of: the layer and the head, the model, the sentence, what is set otherwise.

Plain text, in which `d_k` is written with its k below.
"""

from collections.abc import Sequence

import streamlit as st

from attention_core.models import LayerName, Settings, Sizes, layer_numbers
from ui.controls.models import model_label
from ui.controls.table import head_name
from ui.numbers import significant
from ui.session import SCRATCH, Study
from ui.text import Words

JOINT = " · "
AS_TYPED = str.maketrans({"_": "_\u2060"})  # a joiner without width: on a canvas, what follows "_" alone stands lower


def of_study(study: Study, layers: Sequence[LayerName], place: str, common: Words) -> str:
    """Model, sentence and settings of a study; before them `place`, which of its layers and heads."""
    sizes = _sizes(study.sizes, common) if study.model == SCRATCH else []
    changed = _changed(study.settings, layer_numbers(layers), common)
    typed = [model_label(study.model), common.data("caption.sentence", text=study.text)]
    return JOINT.join([*filter(None, [place]), *(text.translate(AS_TYPED) for text in typed), *sizes, *changed])


def of_sentence(model: str, text: str, common: Words) -> str:
    """Of a page that shows a sentence without settings; the seed of its layer, where the page asks for one."""
    seed = st.session_state.get("seed")
    seeded = [f"{common['size.seed']} {seed}"] if type(seed) is int else []
    return JOINT.join([model, common.data("caption.sentence", text=text).translate(AS_TYPED), *seeded])


def _sizes(sizes: Sizes, common: Words) -> list[str]:
    numbers = (f"{name} = {getattr(sizes, name)}" for name in ("d_model", "d_k", "d_v"))
    positions = f"{common['positions']}: {common[f'position.{sizes.positions}']}"
    return [f"h = {sizes.n_head}", *numbers, positions, f"{common['size.seed']} {sizes.seed}"]


def _changed(settings: Settings, numbers: Sequence[int], common: Words) -> list[str]:
    """The scaling rule always, of the rest what differs from how the model was built."""
    built = Settings()
    parts = {"scaling": common[f"scalings.{settings.scaling}"]}
    if settings.input_scale != built.input_scale:
        parts["input_scale"] = significant(settings.input_scale)
    if settings.temperature != built.temperature:
        parts["caption.temperature"] = significant(settings.temperature)
    if settings.normalizer != built.normalizer:
        parts["normalizer"] = common[f"normalizers.{settings.normalizer}"]
    if settings.mask != built.mask:
        parts["mask"] = common[f"masks.{settings.mask}"]
    if settings.mask == "window":
        parts["radius"] = str(settings.radius)
    if settings.ablated:
        parts["ablated"] = ", ".join(head_name(head, numbers) for head in sorted(settings.ablated))
    return [f"{common[name]}: {value}" for name, value in parts.items()]
