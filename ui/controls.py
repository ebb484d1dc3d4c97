"""Widgets that return core objects. Every value stands in the link, stays from page to page, and is checked here."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import streamlit as st

from attention_core import SCALINGS
from attention_core.experiments.pronoun import PRONOUNS
from attention_core.models import (
    EMBEDDED,
    LayerName,
    Model,
    ModelError,
    Run,
    Settings,
    Sizes,
    Tokens,
    UnknownWords,
)
from attention_core.models.base import MASKS
from attention_core.models.from_scratch import Positions, Source
from attention_core.text import clean
from ui import session
from ui.link import publish, put, recall, remember, resend, seed
from ui.sentences import SENTENCES, Sentence
from ui.session import OWN, SCRATCH, TAUGHT, Study
from ui.text import Words, words

S = TypeVar("S", bound=str)
T = TypeVar("T")

MAX_CHARS = 4000
SHOWN_WORDS = 6  # of those a model was not taught
INPUT_SCALES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
ROUND = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
# Fine enough that every frame of a drag finds a new stop: 160 to a factor of 100, and round numbers between them.
TEMPERATURES = tuple(sorted({*ROUND, *(float(f"{10 ** (k / 80):.3g}") for k in range(-104, 105))}))
POSITIONS: tuple[Positions, ...] = ("sinusoidal", "none", "rope", "alibi")
NORMALIZERS = ("softmax", "hard")  # of the core's, those that ui/explain.py explains
SOURCES: tuple[Source, ...] = ("embeddings", "digest")
RULES = ("model", *SCALINGS)
WHERES = ("here", "all")
RADII = (0, 64)  # tokens, of the window
COUNTED = ("scaling", "input_scale", "temperature", "normalizer", "mask", "ablated")  # what makes settings differ
SETTINGS = ("scaling", "alpha", "normalizer", "mask", "radius", "where", "off")  # the widgets of the settings popover
DEFAULT_SENTENCE = SENTENCES[0].text
DEFAULT_LAYER, DEFAULT_HEAD, *_DEFAULT_PAIR = SENTENCES[0].look
DEFAULT_FOCUS = ",".join(map(str, _DEFAULT_PAIR))


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
    tokens: Tokens
    facts: str

    def choose(self) -> Choice:
        """The row below the bar: layer and head. A fragment that begins with it runs alone when they change."""
        common = words("controls")
        with st.container(horizontal=True, vertical_alignment="bottom", key="layer_and_head"):
            layer, head = _layer_and_head(self.model.layers, common)
            if self.facts:
                st.caption(self.facts)
        settings = _chosen(self.model.layers, layer)
        study = Study(text=self.text, model=self.name, sizes=self.sizes, settings=settings)
        return Choice(study=study, model=self.model, tokens=self.tokens, layer=layer, head=head)


def study_bar(note: str = "") -> Bar:
    """The bar most pages begin with: sentence, examples, model, settings.

    `note`: what the page says about the settings, above them.
    """
    common = words("controls")
    if st.query_params.get("model", "").startswith(OWN) and not session.own():
        st.info(common["closed"], icon=":material/school:")
    with st.container(horizontal=True, vertical_alignment="bottom", key="study_bar"):
        typed = _sentence(common)
        _examples(common)
        name = choose(
            "model",
            model_names(),
            common["model"],
            model_label,
            width=210,
        )
        settings_place = st.container(width="content")
    sizes = _sizes() if name == SCRATCH else Sizes()
    name, model = _load(name, sizes, common)
    with settings_place:
        _settings(name, model.layers, common, note)
    text, tokens, facts = _read(typed, model, common)
    return Bar(text=text, name=name, model=model, sizes=sizes, tokens=tokens, facts=facts)


def sentence_bar(beside: Callable[[], T], least: int = 1) -> tuple[str, Tokens, T]:
    """The bar of pages that need only a sentence: the text, its tokens as the from-scratch layer reads them, and what
    the widgets `beside` it return. With fewer than `least` tokens the sentence before stays.
    """
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="sentence_bar"):
        typed = _sentence(common)
        _examples(common)
        found = beside()
    text, tokens, facts = _read(typed, session.model(SCRATCH, Sizes()), common, least)
    if facts:
        st.caption(facts)
    return text, tokens, found


def _sentence(common: Words) -> str:
    seed("text", DEFAULT_SENTENCE, str)
    return st.text_input(common["sentence"], key="text", live=True, placeholder=common["placeholder"], width="stretch")


def layer_label(layer: LayerName, common: Words | None = None) -> str:
    """ "Layer 3", "Encoder 2", "Cross 1" in the reader's language."""
    return (common or words("controls")).format(f"stack.{layer.stack}", number=layer.number)


def focus(n_q: int, n_k: int) -> tuple[int, int]:
    """The query token and the key token in focus, within a sentence of this length. The link carries them."""
    query, key = _pair(recall("focus", DEFAULT_FOCUS))
    return query if query < n_q else n_q // 2, key if key < n_k else n_k // 2


def set_focus(query: int, key: int) -> None:
    """Put this query token and this key token in focus from the next run on."""
    remember("focus", f"{query},{key}")


def temperature() -> float:
    """The temperature that was last released on a slider: one of TEMPERATURES."""
    return _nearest(recall("temperature", "1.0"))


def set_temperature(value: float) -> None:
    """For callbacks: use this temperature. The whole page runs, also where the slider stands in a fragment: the
    temperature is part of the study.
    """
    remember("temperature", str(value))
    st.rerun()


def _nearest(spelling: str) -> float:
    try:
        wanted = float(spelling)
    except ValueError:
        return 1.0
    return min(TEMPERATURES, key=lambda stop: abs(stop - wanted)) if math.isfinite(wanted) else 1.0


def _pair(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,6}),(\d{1,6})", text, re.ASCII) or re.fullmatch(r"(\d+),(\d+)", DEFAULT_FOCUS)
    assert found is not None
    return int(found[1]), int(found[2])


def _examples(common: Words) -> None:
    with st.popover(common["examples"], icon=":material/format_quote:", width="content"):
        for number, sentence in enumerate(SENTENCES):
            st.button(
                sentence.text,
                key=f"example_{number}",
                type="tertiary",
                on_click=partial(_use, sentence),
                width="stretch",
            )
            st.caption(common[f"why.{sentence.key}"])


def _use(sentence: Sentence) -> None:
    layer, head, query, key = sentence.look
    st.session_state.update(text=sentence.text, layer=layer - 1, head=head - 1)
    set_focus(query, key)
    if sentence.source:
        st.session_state["model"] = SCRATCH
        st.session_state["source"] = sentence.source
    elif st.session_state.get("model") in (SCRATCH, TAUGHT, *session.own()):
        st.session_state["model"] = EMBEDDED


def _load(name: str, sizes: Sizes, common: Words) -> tuple[str, Model]:
    """The chosen model, or the default with one sentence that says why not."""
    try:
        with st.spinner(common["loading"], show_time=True):
            return name, session.model(name, sizes)
    except ModelError as error:
        st.warning(common.format(f"model_error.{error.kind}", name=error.name), icon=":material/warning:")
        return EMBEDDED, session.embedded()


def _read(typed: str, model: Model, common: Words, least: int = 1) -> tuple[str, Tokens, str]:
    """The sentence as the model reads it, its tokens, and a line about its size; a notice across the page where it
    cannot be read.
    """
    cleaned = clean(typed, MAX_CHARS)
    try:
        tokens = model.tokenize(cleaned.text)
    except UnknownWords as error:
        _unknown(error, model, common)
        return model.example, model.tokenize(model.example), ""
    if not cleaned.text or len(tokens) < least:  # nothing typed, or nothing that can be read: an accent alone
        st.warning(common["one_token" if cleaned.text and len(tokens) else "empty"], icon=":material/edit:")
        kept = model.example or st.session_state.get("last_sentence", DEFAULT_SENTENCE)
        if len(model.tokenize(kept)) < least:
            kept = DEFAULT_SENTENCE
        return kept, model.tokenize(kept), ""
    framed = tokens.strings[0] == "[CLS]" and tokens.strings[-1] == "[SEP]"
    counted = "tokens_framed" if framed else "tokens" if len(tokens) > 1 else "token"
    facts = [common.format(counted, count=len(tokens))]
    if cleaned.cut:
        facts.append(common.format("cut_characters", limit=MAX_CHARS, cut=cleaned.cut))
    if tokens.dropped:
        facts.append(common.format("cut_tokens", limit=model.max_tokens, dropped=tokens.dropped))
    if tokens.unknown:
        facts.append(common.format("unknown", count=tokens.unknown))
        if 4 * tokens.unknown > len(tokens):
            facts.append(common["unknown_why"])
    st.session_state["last_sentence"] = cleaned.text
    publish("text", cleaned.text, DEFAULT_SENTENCE)
    return cleaned.text, tokens, " · ".join(facts)


def _unknown(error: UnknownWords, model: Model, common: Words) -> None:
    """What the model was not taught, and a sentence that it was."""

    def use() -> None:
        st.session_state["text"] = model.example

    untaught(error, common, common["untaught_own"])
    st.button(common["use_taught"], icon=":material/edit:", on_click=use, key="use_taught")


def untaught(error: UnknownWords, common: Words, then: str = "") -> None:
    """Which words a model was never taught, and which it knows; `then`: what the page does about it."""
    unknown = ", ".join(error.unknown[:SHOWN_WORDS])
    said = common.format("untaught", unknown=unknown, count=len(error.known))
    st.info(f"{said} {then}".strip(), icon=":material/school:")
    with st.expander(common["taught_words"]):
        st.text(" ".join(error.known))


def _layer_and_head(layers: Sequence[LayerName], common: Words) -> tuple[int, int]:
    layer = 0
    if len(layers) > 1:
        layer = _number(
            "layer", len(layers), DEFAULT_LAYER, common["layer"], lambda index: _short(layers[index], common)
        )
    return layer, _number("head", layers[layer].n_head, DEFAULT_HEAD, common["head"], lambda index: str(index + 1))


def _short(layer: LayerName, common: Words) -> str:
    return str(layer.number) if layer.stack == "layer" else layer_label(layer, common)


def _number(key: str, count: int, default: int, label: str, name: Callable[[int], str]) -> int:
    """One of a few things, counted from 0 here and from 1 in the link; from thirteen on a list."""
    default = min(default, count)
    seed(key, default - 1, lambda spelling: int(spelling) - 1, range(count))
    if count <= 12:
        index = st.segmented_control(label, range(count), format_func=name, required=True, key=key)
    else:
        index = st.selectbox(label, range(count), format_func=name, key=key, width=160)
    index = index or 0
    publish(key, str(index + 1), str(default))
    return index


def choose(
    key: str, options: Sequence[S], label: str, name: Callable[[S], str], help: str | None = None, width: int = 0
) -> S:
    """One of a list; the first is the default."""
    seed(key, options[0], str, options)
    chosen = st.selectbox(label, options, format_func=name, key=key, help=help, width=width or "stretch")
    publish(key, chosen, options[0])
    return chosen


def switch(
    key: str,
    options: Sequence[S],
    label: str,
    name: Callable[[S], str],
    help: str | None = None,
    *,
    folded: bool = False,
) -> S:
    """One of two or three, all in sight; the first is the default. `folded`: the label is heard, not seen."""
    seed(key, options[0], str, options)
    visibility = "collapsed" if folded else "visible"
    shown = st.segmented_control(
        label, options, format_func=name, required=True, key=key, help=help, label_visibility=visibility
    )
    chosen = options[0] if shown is None else shown
    publish(key, chosen, options[0])
    return chosen


def whole_number(key: str, low: int, high: int, default: int, label: str, width: int = 0) -> int:
    """A whole number between two bounds."""
    seed(key, default, int, range(low, high + 1))
    value = int(st.number_input(label, low, high, key=key, width=width or "stretch"))
    publish(key, str(value), str(default))
    return value


def _settings(name: str, layers: Sequence[LayerName], common: Words, note: str) -> None:
    resend(SETTINGS)
    _seed_settings(layers)
    chosen = _chosen(layers, 0)  # also known before the widgets are drawn: their button says how many differ
    count = sum(getattr(chosen, field) != getattr(Settings(), field) for field in COUNTED)
    label = common.format("settings_changed", count=count) if count else common["settings"]
    with st.popover(label, icon=":material/tune:", width="content", key="settings"):
        if note:
            st.caption(note)
        choose("scaling", RULES, common["scaling"], lambda rule: common[f"scalings.{rule}"], common["scaling_help"])
        st.select_slider(common["input_scale"], INPUT_SCALES, key="alpha", help=common["input_scale_help"])
        choose("normalizer", NORMALIZERS, common["normalizer"], lambda rule: common[f"normalizers.{rule}"])
        switch("mask", MASKS, common["mask"], lambda rule: common[f"masks.{rule}"], common["mask_help"])
        if chosen.mask == "window":
            whole_number("radius", *RADII, Settings().radius, common["radius"])
        if len(layers) > 1:
            switch("where", WHERES, common["where"], lambda place: common[f"wheres.{place}"])
        st.multiselect(
            common["ablated"],
            _switchable(layers),
            key="off",
            placeholder=common["ablated_placeholder"],
            help=common["ablated_help"],
        )
        if name == SCRATCH:
            st.caption(common["scratch_note"])
        st.button(common["reset"], icon=":material/restart_alt:", on_click=_reset, width="stretch")
    publish("alpha", str(chosen.input_scale), "1.0")
    publish("off", ",".join(st.session_state["off"]), "")


def _seed_settings(layers: Sequence[LayerName]) -> None:
    """Before the widgets of the settings: what they hold."""
    for key, options in (("scaling", RULES), ("normalizer", NORMALIZERS), ("mask", MASKS), ("where", WHERES)):
        seed(key, options[0], str, options)
    seed("alpha", 1.0, float, INPUT_SCALES)
    seed("radius", Settings().radius, int, range(RADII[0], RADII[1] + 1))
    seed("off", [], lambda spelling: spelling.split(","))
    off = [head for head in st.session_state["off"] if head in _switchable(layers)]
    if off != st.session_state["off"]:
        st.session_state["off"] = off


def _chosen(layers: Sequence[LayerName], layer: int) -> Settings:
    """The settings for this layer, from what their widgets hold. Where none differs but heads switched off, they are
    the same for every layer, and so is the run.
    """
    mask, off = st.session_state["mask"], st.session_state["off"]
    everywhere = Settings(
        scaling=st.session_state["scaling"],
        input_scale=float(st.session_state["alpha"]),
        temperature=temperature(),
        normalizer=st.session_state["normalizer"],
        mask=mask,
        radius=int(st.session_state["radius"]) if mask == "window" else Settings().radius,
        ablated=frozenset((int(layer) - 1, int(head) - 1) for layer, head in (name.split(".") for name in off)),
    )
    if replace(everywhere, ablated=frozenset()) == Settings() or (
        len(layers) > 1 and st.session_state["where"] == "all"
    ):
        return everywhere
    return replace(everywhere, layers=(layer,))


def _switchable(layers: Sequence[LayerName]) -> list[str]:
    """Every head as "layer.head", counted from 1."""
    return [f"{index + 1}.{head + 1}" for index, layer in enumerate(layers) for head in range(layer.n_head)]


def show(name: str) -> None:
    """Choose this layer of the visitor's for the pages that follow, and a sentence that it knows."""
    model = session.own()[name].model
    last = len(model.layers) - 1
    tokens = model.tokenize(model.example)
    query = next((at for at, word in enumerate(tokens.strings) if word in PRONOUNS), len(tokens) - 1)
    weights = model.run(tokens).layers[last].attention.weights[0, query]
    st.session_state.update(model=name, text=model.example, layer=last, head=0)
    set_focus(query, int(weights.argmax()))  # what it has learned to look at


def model_names() -> list[str]:
    """What the menu of models offers: the catalogue, and the layers this visitor has trained."""
    return [*session.catalogue(), *session.own()]


def model_label(name: str) -> str:
    """What the menu of models calls this model."""
    found = session.own().get(name)
    return words("controls")[name] if name in (SCRATCH, TAUGHT) else found.title if found else name


def switch_heads_off(heads: Sequence[tuple[int, int]]) -> None:
    """For callbacks: ablate exactly these heads, as (layer, head) counted from 0. The whole page runs."""
    put(off=[f"{layer + 1}.{head + 1}" for layer, head in heads])
    st.rerun()


def _reset() -> None:
    """Back to what the model was built with. The sentence, the layer and the head stay."""
    defaults = Settings()
    st.session_state.update(
        scaling=defaults.scaling, alpha=1.0, normalizer=defaults.normalizer, mask=defaults.mask, where="here", off=[]
    )
    remember("temperature", "1.0")


def _sizes() -> Sizes:
    """The from-scratch layer's own controls, shown only when it is the model."""
    default = Sizes()
    common = words("controls")
    bounds = {"n_head": (1, 12), "d_model": (1, 512), "d_k": (1, 256), "d_v": (1, 256), "seed": (0, 9999)}
    with st.container(horizontal=True, vertical_alignment="bottom", key="sizes"):
        numbers = {
            field: whole_number(field, low, high, getattr(default, field), common[f"size.{field}"], 120)
            for field, (low, high) in bounds.items()
        }
        positions = choose(
            "positions", POSITIONS, common["positions"], lambda rule: common[f"position.{rule}"], width=150
        )
        source = choose(
            "source", SOURCES, common["source"], lambda rule: common[f"sources.{rule}"], common["source_help"], 190
        )
    if positions == "rope" and numbers["d_k"] % 2:
        st.warning(words("common").format("error.odd_rope", d_k=numbers["d_k"]), icon=":material/edit:")
        return st.session_state.get("last_sizes", default)
    st.session_state["last_sizes"] = Sizes(**numbers, positions=positions, source=source)
    return st.session_state["last_sizes"]
