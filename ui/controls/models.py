"""The model of a page: the menu, loading it, and opening a layer that this visitor has trained."""

from collections.abc import Callable
from contextlib import nullcontext

import streamlit as st

from attention_core.experiments.pronoun import PRONOUNS
from attention_core.models import EMBEDDED, Model, ModelError, Sizes
from ui import session
from ui.controls.table import TEXT, model, model_names
from ui.focus import look
from ui.session import OWN_NAME, SCRATCH, TAUGHT
from ui.state import Setting
from ui.text import Words, words

SHOWN = 80  # characters of a name that a link may make as long as it likes
WARNING = ":material/warning:"


def model_label(name: str) -> str:
    """What the menu of models calls this model."""
    trained = session.own().get(name)
    return words("controls")[name] if name in (SCRATCH, TAUGHT) else trained.title if trained else name


def absent_notice(setting: Setting[str], common: Words, label: Callable[[str], str] = model_label) -> None:
    """Say so where the link names a model that is not offered here, or a layer that was trained in another session."""
    if name := _absent(setting):
        if OWN_NAME.fullmatch(name):
            st.info(common["closed"], icon=":material/school:")
        else:
            sentence = common.format("not_offered", name=name[:SHOWN], shown=label(setting.default))
            st.info(sentence, icon=":material/link_off:")


def model_menu(setting: Setting[str], title: str, label: Callable[[str], str], width: int) -> str:
    """A menu of models. A name in the link that is not offered here stays in it until another is chosen: the same link
    may be opened where it is.
    """
    setting.seed()
    st.selectbox(title, setting.choices(), format_func=label, key=setting.name, width=width)
    return setting.peek() if _absent(setting) else setting.value()


def _absent(setting: Setting[str]) -> str:
    """The model that the link names, that is not here, and that nobody has chosen another for; else nothing."""
    linked = st.query_params.get(setting.key, "")
    known = linked in (*setting.choices(), *model_names())
    return "" if known or setting.peek() != setting.default else linked


def loaded(name: str, sizes: Sizes, common: Words) -> tuple[str, Model]:
    """The chosen model, or the default with one sentence that says why not. One that an operator names loads slowly."""
    at_hand = name in (EMBEDDED, SCRATCH, TAUGHT, *session.own())
    try:
        with nullcontext() if at_hand else st.spinner(common["loading"], show_time=True):
            return name, session.model(name, sizes)
    except ModelError as error:
        refused(error, common)
        return EMBEDDED, session.embedded()


def refused(error: ModelError, common: Words) -> None:
    """One sentence that says why a model cannot be used."""
    st.warning(common.format(f"model_error.{error.kind}", name=error.name, what=error.what), icon=WARNING)


def show(name: str) -> None:
    """Choose this layer of the visitor's for the pages that follow, and a sentence that it knows."""
    layer = session.own()[name].model
    last = len(layer.layers) - 1
    tokens = layer.tokenize(layer.example)
    query = next((at for at, word in enumerate(tokens.strings) if word in PRONOUNS), len(tokens) - 1)
    weights = layer.run(tokens).layers[last].attention.weights[0, query]
    model().put(name)
    TEXT.put(layer.example)
    learned = int(weights.argmax())  # what it has learned to look at
    look(layer=last, head=0, query=query, key=learned, tokens=tokens.strings)
