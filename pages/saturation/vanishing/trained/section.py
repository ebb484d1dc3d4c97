"""The trained model under strain: choose where it acts and under which loss; the rest follows the sliders."""

import math
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from attention_core.models import Model, Settings
from attention_core.models.strain import Strain
from pages.saturation.vanishing.settings import STRAIN, STRAIN_RULE
from pages.saturation.vanishing.trained.numbers import RULES, SCALES, arrays, scalings, stops, strains
from pages.saturation.vanishing.trained.pictures import films, plots, sliders
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.compute import room
from ui.controls import Choice, focus, model_label, set_focus, switch
from ui.errors import fragment
from ui.focus import look, settle
from ui.layout import take_away, trust_line
from ui.scripts import Code, filled
from ui.session import SCRATCH
from ui.snippets import layer_code, model_code
from ui.text import Words, words
from ui.waiting import awaited

WHERE = ("all", "here")  # layers
LOSSES = ("direction", "token")


def section(choice: Choice, page: Words) -> None:
    """Choose where the strain acts, and the loss; the rest follows the sliders."""
    st.markdown(page["strained.intro"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = switch(
            "strain_where",
            WHERE,
            page["strained.where"],
            lambda name: page.format(f"strained.{name}", number=choice.number),
        )
        target = choose_loss(choice, page)
    if choice.study.model == SCRATCH:
        st.info(page["strained.unsupported"], icon=":material/info:")
        return
    strained_as = stops(choice.study.settings, None if where == "all" else (choice.layer,))
    atlas(choice, choice.model, strained_as, target, page)


def choose_loss(choice: Choice, page: Words) -> int | None:
    """None for the random direction, else the token that every token should name: the key in focus."""
    if choice.study.model == SCRATCH:
        return None
    layer = choice.run().layers[choice.layer]
    settle(layer.queries, layer.keys, lambda: layer.attention.weights[choice.head])
    if choice.model.word_embeddings(choice.tokens).shape[-1] != choice.run().output.shape[-1]:
        return None  # embeddings of another width cannot read the output
    loss = switch("loss", LOSSES, page["loss"], lambda name: page[f"losses.{name}"], page["strained.loss_help"])
    return None if loss == "direction" else choose_target(choice, page)


def choose_target(choice: Choice, page: Words) -> int:
    """The key token in focus."""
    n = len(choice.tokens)
    query, key = focus(n, n)
    st.session_state["strain_target"] = key
    return st.selectbox(
        page["strained.target"],
        range(n),
        format_func=lambda index: f"{index + 1}: {choice.tokens.strings[index]}",
        key="strain_target",
        on_change=lambda: set_focus(query, st.session_state["strain_target"]),
        width=220,
    )


@fragment
def atlas(choice: Choice, model: Model, strained_as: Sequence[Settings], target: int | None, page: Words) -> None:
    """Every stop is one forward and one backward pass; they are kept, so this is slow once."""
    tokens = choice.tokens
    question = ("strains", choice.study.model, choice.study.sizes, choice.study.text, strained_as, target)
    strained = awaited(
        question, lambda: strains(model, tokens, strained_as, target), topic="strain", what=page["strained.working"]
    )
    if strained is None:
        return
    draw(choice, strained, page)
    for note in notes(choice):
        st.caption(page[f"strained.{note}"])
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(model=model_label(choice.study.model), dtype="float32", device="cpu")
        take_away(
            "strained",
            arrays=lambda: arrays(tokens, room().result(question, lambda: strains(model, tokens, strained_as, target))),
            snippet=script(choice, strained_as, target),
        )


def notes(choice: Choice) -> list[str]:
    """What a reader has to know about the layer in focus to read its numbers: keys of the words under `strained`."""
    layer = choice.run().layers[choice.layer]
    sharing = layer.built.layers_of_W_Q
    keys = ["no_W_Q"] if sharing == 0 else ["shared_W_Q"] if sharing > 1 else []
    unscaled = layer.settings.scaling == "model" and math.isclose(layer.own_scale, 1.0, rel_tol=1e-4)
    return [*keys, "unscaled"] if unscaled else keys


def draw(choice: Choice, strained: Sequence[Strain], page: Words) -> None:
    """The laboratory: what the model comes to at every stop."""
    lab(
        plots(choice, strained, page),
        key="strained",
        sliders=sliders(choice, STRAIN.value(), STRAIN_RULE.value(), page),
        films=films(choice, strained),
        words=words("canvas"),
        summary=page["summary"],
        on_move=moved,
        on_pick=picked,
    )


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    STRAIN.put(SCALES[at["scale"]])
    STRAIN_RULE.put(RULES[at["rule"]])


def picked(pick: Pick) -> None:
    """A click on an atlas chooses the layer and the head, on every page."""
    look(layer=pick.row, head=pick.col)
    st.rerun()  # their widgets stand outside the fragment of the atlas


def script(choice: Choice, strained_as: Sequence[Settings], target: int | None) -> str:
    """Python that prints the numbers of the head in focus at every stop."""
    return filled(
        Path(__file__).with_name("script.py"),
        model=model_code(choice.study),
        text=choice.study.text,
        settings=Code(f"models.{strained_as[0]!r}"),
        scalings=scalings(strained_as),
        scales=SCALES,
        target=target,
        layer=layer_code(choice.model.layers, choice.layer),
        head=choice.head,
    )
