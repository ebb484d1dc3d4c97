"""The first page: where a sentence looks, what hardens a head, and three ways on."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.models import EMBEDDED
from attention_core.saturation import D_K_STOPS, INPUT_SCALES
from pages.explore.start import numbers, pictures
from pages.explore.start.arcs import GROUP, Sentence, arcs
from pages.explore.start.doors import doors
from pages.explore.start.settings import CHOSEN, D_K, SCALE
from ui.components.canvas import Pick, mount
from ui.components.lab import Positions, lab
from ui.controls import DEFAULT_SENTENCE, Choice, focus
from ui.controls.sentence import examples_menu, read, sentence_input
from ui.errors import fragment
from ui.evidence import evidence
from ui.focus import TOKENS, look
from ui.layout import page_header, style
from ui.numbers import nearest_ratio
from ui.session import MAX_PROBED, PROBED, SCRATCH, Question, Study, answer, embedded, model, probe, run
from ui.text import Words, words
from ui.thumbnails import Thumbnails, thumbnails
from ui.training.recorded import accuracies
from ui.trust import row_sum_residual

ASKED_IN = "asked_in"  # the sentence in which the reader, or the link, has chosen the word that asks


def moved(at: Positions) -> None:
    """A released slider: its value goes into the link."""
    D_K.put(D_K_STOPS[at["d_k"]])
    SCALE.put(INPUT_SCALES[at["alpha"]])


def head_chosen(wall: Thumbnails, pick: Pick) -> None:
    """A thumbnail: its arcs from now on."""
    CHOSEN.put(wall.heads[pick.panel])


def arcs_picked(text: str, tags: tuple[numbers.Tag, ...], pick: Pick) -> None:
    """A word asks from now on, and the head that reads most from it answers; or a tagged head."""
    if pick.panel == "tag":
        CHOSEN.put((tags[pick.row].layer, tags[pick.row].head))
    else:
        st.session_state[ASKED_IN] = text
        look(query=pick.row)
        CHOSEN.reset()


def query_of(text: str, strings: tuple[str, ...], weights: numbers.Weights) -> int:
    """The word that asks: the one the link names or the reader has clicked in this sentence, else the one to begin
    with.
    """
    first = text if TOKENS.key in st.query_params or text == DEFAULT_SENTENCE else ""
    if st.session_state.setdefault(ASKED_IN, first) == text:
        return focus(len(strings), len(strings))[0]
    return numbers.asking(strings, weights)


@fragment
def body(text: str, facts: str, page: Words) -> None:
    """All that a word or a head changes."""
    study = Study(text=text, model=EMBEDDED)
    traces = run(study)
    strings = traces.layers[0].queries
    weights = answer(("stacked", study), lambda: numbers.stacked(traces))
    query = query_of(text, strings, weights)
    tags = answer(("tags", study, query), lambda: numbers.tags(strings, weights, query))
    chosen, pair = CHOSEN.value(), tags[-1]
    known = 0 <= chosen[0] < weights.shape[0] and 0 <= chosen[1] < weights.shape[1]
    layer, head = chosen if known else (pair.layer, pair.head)
    written = {(tag.layer, tag.head): str(number) for number, tag in enumerate(tags, start=1)}
    wall = answer(
        ("start wall", study, tuple(written), page.language),
        lambda: thumbnails(traces, page, group=GROUP, tags=written, numbered=False),
    )
    left, right = st.columns([1.22, 1], gap="large")
    with left:
        sentence = Sentence(
            words=strings,
            query=query,
            head=(layer, head),
            weights=traces.layers[layer].attention.weights[head].numpy(),
            run=wall.run,
        )
        arcs(sentence, tags, page, partial(arcs_picked, text, tags))
        if " · " in facts:  # more than how many tokens there are
            st.caption(facts)
    with right:
        st.markdown(page["wall"])
        mount(wall.canvas, "wall", partial(head_chosen, wall))
    foot(
        text,
        query,
        page,
        Choice(study=study, model=embedded(), tokens=embedded().tokenize(text), layer=layer, head=head),
    )


def foot(text: str, query: int, page: Words, choice: Choice) -> None:
    """The small laboratory, the three doors, and why the numbers can be believed."""
    question, weights = Question(text=text), choice.run().layers[choice.layer].attention.weights[choice.head]
    layer = probe(question)
    strings = model(SCRATCH, PROBED).tokenize(text).strings[:MAX_PROBED]
    d_k, alpha = nearest_ratio(D_K_STOPS, D_K.value()), nearest_ratio(INPUT_SCALES, SCALE.value())
    alive, scaled = answer(("lives", question), lambda: (numbers.lives(layer), numbers.scaled_lives(layer)))
    left, right = st.columns([2, 1], gap="large")
    with left:
        lab(
            pictures.plots(strings, page),
            key="start",
            sliders=pictures.sliders(d_k, alpha, page),
            films=pictures.films(layer, alive),
            computed=pictures.computed(len(strings)),
            words=words("canvas"),
            summary=page["summary"],
            on_move=moved,
        )
    with right:
        learned = {stem: np.array(values) for stem, (_, values) in accuracies("induction").items()}
        n, one = len(strings), nearest_ratio(INPUT_SCALES, 1.0)
        doors(page, weights[query].numpy(), alive[:, one, 0] / n, scaled / n, learned)
    traces = choice.run()
    rows = answer(("row sums", choice.study), lambda: max(map(row_sum_residual, traces.layers)))
    evidence(choice, "start", rows=rows, arrays=lambda: {"weights": weights.numpy()})


page = words("start")
style(Path(__file__).with_name("style.css"))
page_header(page)
common = words("controls")
with st.container(horizontal=True, vertical_alignment="bottom", key="sentence_bar"):
    typed = sentence_input(common)
    examples_menu(common)
reading = read(typed, embedded(), common, least=4)
body(reading.text, reading.facts, page)
