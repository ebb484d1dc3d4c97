"""Widgets that return core objects. Every value lives in the link, keeps from page to page, and is checked again here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from attention_core import NORMALIZERS, SCALINGS
from attention_core.models import EMBEDDED, LayerName, Model, ModelError, Run, Settings, Sizes, Tokens
from attention_core.text import clean
from ui import session
from ui.errors import ReaderError
from ui.sentences import SENTENCES, Sentence
from ui.session import SCRATCH, Study
from ui.text import Words, language_switch, words

MAX_CHARS = 4000
INPUT_SCALES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
TEMPERATURES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0)
MASKS = ("none", "causal", "window")
POSITIONS = ("none", "sinusoidal", "rope", "alibi")
SOURCES = ("embeddings", "digest")
DEFAULT_SENTENCE = SENTENCES[0].text


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
        return session.run(self.study)


def study_bar() -> Choice:
    """The bar every page begins with: sentence, examples, model, layer, head, settings, language; and what it found."""
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="study_bar"):
        typed = st.text_input(
            common["sentence"],
            DEFAULT_SENTENCE,
            key="text",
            bind="query-params",
            live=True,
            placeholder=common["placeholder"],
            width="stretch",
        )
        _examples(common)
        name = _model_select(common)
        model_place = st.container(width="content")
        language_switch()
    sizes = _sizes(name)
    name, model = _load(name, sizes, common)
    layer, head = _layer_and_head(model.layers, common)
    with model_place:
        settings = _settings(name, model.layers, layer, common)
    text, tokens = _read(typed, model, common)
    study = Study(text=text, model=name, sizes=sizes, settings=settings)
    return Choice(study=study, model=model, tokens=tokens, layer=layer, head=head)


def layer_label(layer: LayerName, common: Words | None = None) -> str:
    """ "Layer 3", "Encoder 2", "Cross 1" in the reader's language."""
    return (common or words("controls")).format(f"stack.{layer.stack}", number=layer.number)


def focus(n_q: int, n_k: int) -> tuple[int, int]:
    """The query token and the key token in focus, within a sentence of this length. The link carries them."""
    query, key = _pair(recall("focus", "3,1"))
    return min(query, n_q - 1), min(key, n_k - 1)


def set_focus(query: int, key: int) -> None:
    """Put this query token and this key token in focus."""
    remember("focus", f"{query},{key}")


def temperature() -> float:
    """The temperature that was last released on a slider: one of TEMPERATURES."""
    try:
        wanted = float(recall("temperature", "1.0"))
    except ValueError:
        wanted = 1.0
    return min(TEMPERATURES, key=lambda stop: abs(stop - wanted)) if math.isfinite(wanted) else 1.0


def set_temperature(value: float) -> None:
    """Use this temperature from the next run on."""
    remember("temperature", str(value))


def recall(name: str, default: str) -> str:
    """A value no widget owns: from this session, else from the link, else the default; the link follows."""
    value = st.session_state.get(f"kept_{name}", st.query_params.get(name, default))
    remember(name, value, default)
    return value


def remember(name: str, value: str, default: str | None = None) -> None:
    """Keep a value no widget owns, in this session and in the link (unless it is the default)."""
    st.session_state[f"kept_{name}"] = value
    if value == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def _pair(text: str) -> tuple[int, int]:
    parts = text.split(",")
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(p.isdecimal() for p in parts) else (0, 0)


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
    st.session_state["text"] = sentence.text
    if sentence.source:
        st.session_state["model"] = SCRATCH
        st.session_state["source"] = sentence.source
    elif st.session_state.get("model") == SCRATCH:
        st.session_state["model"] = EMBEDDED


def _model_select(common: Words) -> str:
    return st.selectbox(
        common["model"],
        list(session.catalogue()),
        format_func=lambda name: common["scratch"] if name == SCRATCH else name,
        key="model",
        bind="query-params",
        width=210,
    )


def _load(name: str, sizes: Sizes, common: Words) -> tuple[str, Model]:
    """The chosen model, or the default with one sentence that says why not."""
    try:
        with st.spinner(common["loading"], show_time=True):
            return name, session.model(name, sizes)
    except ModelError as error:
        st.warning(common.format(f"model_error.{error.kind}", name=error.name), icon=":material/warning:")
        return EMBEDDED, session.embedded()


def _read(typed: str, model: Model, common: Words) -> tuple[str, Tokens]:
    """The sentence as the model reads it, and below the bar what a reader should know about it."""
    cleaned = clean(typed, MAX_CHARS)
    tokens = model.tokenize(cleaned.text)
    facts = [common.format("tokens", count=len(tokens))]
    if not cleaned.text:
        st.warning(common["empty"], icon=":material/edit:")
        kept = st.session_state.get("last_sentence", DEFAULT_SENTENCE)
        return kept, model.tokenize(kept)
    if cleaned.truncated:
        facts.append(common.format("cut_characters", limit=MAX_CHARS, removed=cleaned.removed))
    if tokens.dropped:
        facts.append(common.format("cut_tokens", limit=model.max_tokens, dropped=tokens.dropped))
    if tokens.unknown:
        facts.append(common.format("unknown", count=tokens.unknown))
    st.caption(" · ".join(facts))
    st.session_state["last_sentence"] = cleaned.text
    return cleaned.text, tokens


def _layer_and_head(layers: Sequence[LayerName], common: Words) -> tuple[int, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="layer_and_head"):
        layer = 0
        if len(layers) > 1:
            layer = _pick("layer", range(len(layers)), common["layer"], lambda i: _short(layers, i, common))
        head = _pick("head", range(layers[layer].n_head), common["head"], lambda i: str(i + 1))
    return layer, head


def _short(layers: Sequence[LayerName], index: int, common: Words) -> str:
    layer = layers[index]
    return str(layer.number) if layer.stack == "layer" else layer_label(layer, common)


def _pick(key: str, options: range, label: str, name) -> int:  # noqa: ANN001 a callable of int
    """One of a few numbers, one click away; from thirteen on a list."""
    if st.session_state.get(key) not in (None, *options):
        st.session_state[key] = 0
    if len(options) <= 12:
        return st.segmented_control(
            label, options, default=0, format_func=name, required=True, key=key, bind="query-params"
        )
    return st.selectbox(label, options, format_func=name, key=key, bind="query-params", width=160)


def _settings(name: str, layers: Sequence[LayerName], layer: int, common: Words) -> Settings:
    default = Settings()
    with st.popover(common["settings"], icon=":material/tune:", width="content"):
        scaling = st.selectbox(
            common["scaling"],
            ["model", *SCALINGS],
            format_func=lambda rule: common["scaling_model"] if rule == "model" else common[f"scalings.{rule}"],
            key="scaling",
            bind="query-params",
            help=common["scaling_help"],
        )
        alpha = st.select_slider(
            common["input_scale"],
            INPUT_SCALES,
            1.0,
            key="alpha",
            bind="query-params",
            help=common["input_scale_help"],
        )
        normalizer = st.selectbox(
            common["normalizer"],
            list(NORMALIZERS),
            format_func=lambda rule: common[f"normalizers.{rule}"],
            key="normalizer",
            bind="query-params",
        )
        mask = st.segmented_control(
            common["mask"],
            MASKS,
            default="none",
            required=True,
            format_func=lambda rule: common[f"masks.{rule}"],
            key="mask",
            bind="query-params",
            help=common["mask_help"],
        )
        radius = default.radius
        if mask == "window":
            radius = st.number_input(common["radius"], 0, 64, default.radius, key="radius", bind="query-params")
        everywhere = False
        if len(layers) > 1:
            everywhere = (
                st.segmented_control(
                    common["where"],
                    ("here", "all"),
                    default="here",
                    required=True,
                    format_func=lambda where: common[f"wheres.{where}"],
                    key="where",
                    bind="query-params",
                )
                == "all"
            )
        off = st.multiselect(
            common["ablated"],
            [f"{i + 1}.{head + 1}" for i, named in enumerate(layers) for head in range(named.n_head)],
            key="off",
            bind="query-params",
            placeholder=common["ablated_placeholder"],
            help=common["ablated_help"],
        )
        if name == SCRATCH:
            st.caption(common["scratch_note"])
        st.button(common["reset"], icon=":material/restart_alt:", on_click=_reset, width="stretch")
    return replace(
        default,
        scaling=scaling,
        input_scale=float(alpha),
        temperature=temperature(),
        normalizer=normalizer,
        mask=mask,
        radius=int(radius),
        layers=None if everywhere else (layer,),
        ablated=frozenset((int(i) - 1, int(h) - 1) for i, h in (pair.split(".") for pair in off)),
    )


def _reset() -> None:
    """Back to what the model was built with. The sentence, the layer and the head stay."""
    for key in ("scaling", "alpha", "normalizer", "mask", "radius", "where", "off"):
        st.session_state.pop(key, None)
    remember("temperature", "1.0", "1.0")


def _sizes(name: str) -> Sizes:
    """The from-scratch layer's own controls, shown only when it is the model."""
    default = Sizes()
    if name != SCRATCH:
        return default
    common = words("controls")
    with st.container(horizontal=True, vertical_alignment="bottom", key="sizes"):
        numbers = {
            field: int(
                st.number_input(
                    common[f"size.{field}"],
                    0 if field == "seed" else 1,
                    largest,
                    getattr(default, field),
                    key=field,
                    bind="query-params",
                    width=120,
                )
            )
            for field, largest in (("n_head", 12), ("d_model", 512), ("d_k", 256), ("d_v", 256), ("seed", 9999))
        }
        positions = st.selectbox(
            common["positions"],
            POSITIONS,
            1,
            format_func=lambda rule: common[f"position.{rule}"],
            key="positions",
            bind="query-params",
            width=150,
        )
        source = st.selectbox(
            common["source"],
            SOURCES,
            format_func=lambda rule: common[f"sources.{rule}"],
            key="source",
            bind="query-params",
            width=190,
            help=common["source_help"],
        )
    if positions == "rope" and numbers["d_k"] % 2:
        raise ReaderError("odd_rope", d_k=numbers["d_k"])
    return Sizes(**numbers, positions=positions, source=source)
