"""The reader's sentence, an untrained layer: drag d_k and the input scale, watch softmax saturate and gradients die."""

from pathlib import Path

import numpy as np
import streamlit as st
from jaxtyping import Float
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from attention_core.saturation import D_K_STOPS, MEASURE_NAMES, SWEPT_RULES, Table, cross
from pages.saturation.vanishing import conclusions, numbers, pictures
from pages.saturation.vanishing.guide import GUIDE, prediction
from pages.saturation.vanishing.numbers import Place
from pages.saturation.vanishing.settings import RULE, WHERE_FROM
from pages.saturation.vanishing.trained import section as trained
from ui.components.canvas import Pick
from ui.components.lab import Positions, lab
from ui.controls import focus, sentence_bar, set_focus, study_bar, switch, whole_number
from ui.controls.widgets import pills
from ui.errors import fragment
from ui.focus import settle
from ui.guide import predict
from ui.layout import page_header, style
from ui.session import MAX_PROBED, Question, answer, bands, known, probe, tabulated
from ui.stops import PROBE_HEAD, head_number, released, where
from ui.text import Words, words
from ui.waiting import awaited
from ui.waiting import style as style_of_work

SEEDS = 8
TABLE, BANDS = "table", "bands"  # what is worked on for one reader at a time
IN_SIGHT = "curves_in_sight"  # the question whose curves the reader has on screen
LOSSES = ("direction", "token")


def weights(question: Question) -> Float[Tensor, "n n"]:
    """Those of the chosen head where the sliders stand, scaled: which are the largest does not depend on α."""
    d_k = D_K_STOPS[where()[0]]
    return (probe(question).scores(d_k)[head_number() - 1] * d_k**-0.5).softmax(dim=-1)


def standing(n: int) -> Place:
    """Where the link says the sliders stand, each at its nearest stop."""
    query, _ = focus(n, n)
    d_k, alpha = where()
    return Place(rule=SWEPT_RULES.index(RULE.value()), d_k=d_k, alpha=alpha, head=head_number() - 1, query=query)


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    RULE.put(SWEPT_RULES[at["rule"]])
    released(at)


def picked(pick: Pick) -> None:
    """A thumbnail chooses a head; a row of the large map, or a bar, the query."""
    if pick.panel == "heads":
        PROBE_HEAD.put(pick.row + 1)
    elif pick.panel == "weights":
        set_focus(pick.row, pick.col)


@fragment
def laboratory(question: Question, tokens: tuple[str, ...], page: Words) -> None:
    """Everything that follows the sliders: first the curves through where they stand, then every stop of the reader's
    own seed, which the other seeds then widen into bands.
    """
    stand, layer = standing(len(tokens)), probe(question)

    def draw(own: Table, summarised: np.ndarray, seeds: int) -> None:
        lab(
            pictures.plots(summarised, tokens, stand, seeds, page),
            key="vanishing",
            sliders=pictures.sliders(stand, page),
            films=pictures.films(layer, own, summarised, stand),
            computed=pictures.computed(len(tokens), stand),
            words=words("canvas"),
            summary=page["summary"],
            on_move=moved,
            on_pick=picked,
            seen="" if seeds > 1 else "curves",
            seen_for=question,
            on_seen=lambda: st.session_state.update({IN_SIGHT: question}),
        )

    with st.container(key=f"awaited_{TABLE}"):
        own = awaited(question, lambda: tabulated(layer), topic=TABLE, what=page["working"])
    with st.container(key="pictures"):
        if own is None:
            first = answer(("cross", question, stand.d_k, stand.alpha), lambda: cross(layer, stand.d_k, stand.alpha))
            draw(first, numbers.summary([first]), 1)
            return
        wide = bands_of(question, own, page)
        draw(own, numbers.summary([own]) if wide is None else wide, 1 if wide is None else SEEDS)
    conclusions.other_losses(question, layer, stand, tokens, page)
    conclusions.three_laws(layer, own, stand, page)
    conclusions.evidence(question, own, stand, tokens, page)


def bands_of(question: Question, own: Table, page: Words) -> np.ndarray | None:
    """The quantiles over all seeds: begun when the curves are on screen and a core has nothing else to do."""
    wide = ("bands", question, SEEDS)
    if st.session_state.get(IN_SIGHT) != question and not known(wide):
        return None
    with st.container(key=f"awaited_{BANDS}"):
        return awaited(
            wide, lambda: bands(question, SEEDS, own, numbers.summary), topic=BANDS, what=page["bands"], idle=True
        )


def choose_target(strings: tuple[str, ...], page: Words) -> int:
    """The token that every query should name: the key token in focus."""
    query, key = focus(len(strings), len(strings))
    st.session_state["target"] = key
    return st.selectbox(
        page["target"],
        range(len(strings)),
        format_func=lambda index: f"{index + 1}: {strings[index]}",
        key="target",
        on_change=lambda: set_focus(query, st.session_state["target"]),
        width=190,
    )


def untrained(place: DeltaGenerator, page: Words) -> None:
    """A fresh layer on the reader's sentence."""

    def choose_loss() -> tuple[int, str, DeltaGenerator]:
        """The seed of the matrices, what the gradients are of, and the place for a token that belongs to it."""
        seed = whole_number("seed", 0, 9999, 0, page["seed"], 120)
        loss = switch("loss", LOSSES, page["loss"], lambda name: page[f"losses.{name}"], page["loss_help"])
        return seed, loss, st.empty()

    text, tokens, (seed, loss, beside) = sentence_bar(choose_loss, least=2)
    strings = tokens.strings[:MAX_PROBED]
    settle(strings, strings, lambda: weights(Question(text=text, seed=seed)))
    target = None
    if loss == "token":
        with beside:
            target = choose_target(strings, page)
    if len(tokens) > MAX_PROBED:
        st.caption(page.format("shortened", shown=MAX_PROBED, all=len(tokens)))
    question = Question(text=text, seed=seed, target=target)
    predict(place, prediction(probe(question)), page)
    laboratory(question, strings, page)


page = words("vanishing")
style(Path(__file__).with_name("style.css"))
style_of_work(TABLE, BANDS)
place = page_header(page, GUIDE, "strained.standfirst" if WHERE_FROM.value() == "trained" else "standfirst")
if pills(WHERE_FROM, page["where"], lambda name: page[f"wheres.{name}"], folded=True) == "untrained":
    untrained(place, page)
else:
    trained.section(study_bar().choose(), page)
with st.expander(page["measures"]):
    st.markdown("\n".join(f"- **{page[f'measure.{name}']}**: {page[f'help.{name}']}" for name in MEASURE_NAMES))
