"""The first page: where a sentence looks, what hardens a head, and three ways on."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.models import EMBEDDED
from attention_core.saturation import INPUT_SCALES
from pages.explore.start import numbers, pictures
from pages.explore.start.arcs import GROUP, Sentence, arcs
from pages.explore.start.doors import doors
from pages.explore.start.guide import GUIDE, prediction
from pages.explore.start.settings import CHOSEN, D_K, SCALE
from ui import tagging
from ui.components.assets import caption
from ui.components.canvas import Pick, mount
from ui.components.lab import lab
from ui.controls import Choice, captions, focus, model_label
from ui.controls.sentence import Reading, reading_bar
from ui.errors import fragment
from ui.evidence import evidence
from ui.focus import look, settle
from ui.guide import predict
from ui.layout import page_header, style
from ui.numbers import nearest_ratio
from ui.session import MAX_PROBED, PROBED, SCRATCH, Question, Study, answer, embedded, model, probe, run_of
from ui.stops import released, where
from ui.text import Words, words
from ui.thumbnails import Thumbnails, thumbnails
from ui.training.recorded import accuracies
from ui.trust import row_sum_residual


def head_chosen(wall: Thumbnails, pick: Pick) -> None:
    """A thumbnail: its arcs from now on."""
    CHOSEN.put(wall.heads[pick.panel])


def arcs_picked(tags: tuple[tagging.Tag, ...], pick: Pick) -> None:
    """A word asks from now on, and the head that reads most from it answers; or a tagged head."""
    if pick.panel == "tag":
        CHOSEN.put((tags[pick.row].layer, tags[pick.row].head))
    else:
        look(query=pick.row)
        CHOSEN.reset()


@fragment
def body(reading: Reading, page: Words) -> None:
    """All that a word or a head changes."""
    study = Study(text=reading.text, model=EMBEDDED)
    traces = run_of(study, embedded(), reading.tokens)
    strings = traces.layers[0].queries
    settle(strings, strings, lambda: tagging.stacked(traces))
    query, _ = focus(len(strings), len(strings))
    tags = answer(("tags", study, query), lambda: tagging.tags(strings, tagging.stacked(traces), query))
    chosen, pair = CHOSEN.value(), tags[-1]
    known = 0 <= chosen[0] < len(traces.layers) and 0 <= chosen[1] < traces.layers[chosen[0]].name.n_head
    layer, head = chosen if known else (pair.layer, pair.head)
    weights = traces.layers[layer].attention.weights[head]
    wall = answer(("start wall", study, page.language), lambda: thumbnails(traces, page, group=GROUP, numbered=False))
    left, right = st.columns([1.22, 1], gap="large")
    with left:
        sentence = Sentence(words=strings, query=query, head=(layer, head), weights=weights.numpy(), run=wall.run)
        arcs(sentence, tags, page, partial(arcs_picked, tags))
        if reading.notes:
            st.caption(" · ".join(reading.notes))
    with right:
        st.markdown(page["wall"])
        mount(wall.canvas, "wall", partial(head_chosen, wall))
    left, right = st.columns([2, 1], gap="large")
    with left:
        alive, scaled = laboratory(reading.text, page)
    with right:
        learned = {rule: np.array(values) for rule, (_, values) in accuracies("induction").items()}
        doors(page, weights[query].numpy(), alive, scaled, learned)
    choice = Choice(study=study, model=embedded(), tokens=reading.tokens, layer=layer, head=head)
    rows = answer(("row sums", study), lambda: max(map(row_sum_residual, traces.layers)))
    evidence(choice, "start", rows=rows, arrays=lambda: {"weights": weights.numpy()})


def rows_of(text: str) -> tuple[str, ...]:
    """The words of the rows of the laboratory."""
    return model(SCRATCH, PROBED).tokenize(text).strings[:MAX_PROBED]


def lives(question: Question) -> tuple[np.ndarray, np.ndarray]:
    """How many rows live over d_k and α unscaled, and over d_k scaled."""
    layer = probe(question)
    return answer(("lives", question), lambda: (numbers.lives(layer), numbers.scaled_lives(layer)))


def laboratory(text: str, page: Words) -> tuple[np.ndarray, np.ndarray]:
    """One head from soft to hard. Returns the shares of its rows that live over d_k, unscaled and scaled, at α = 1."""
    question = Question(text=text)
    layer, strings = probe(question), rows_of(text)
    alive, scaled = lives(question)
    lab(
        pictures.plots(strings, page),
        key="start",
        sliders=pictures.sliders(*where(D_K, SCALE), page),
        films=pictures.films(layer, alive),
        computed=pictures.computed(len(strings)),
        words=words("canvas"),
        summary=page["summary"],
        about=captions.of_sentence(words("controls")["scratch"], text, words("controls")),
        on_move=partial(released, d_k=D_K, scale=SCALE),
    )
    one = nearest_ratio(INPUT_SCALES, 1.0)
    return alive[:, one, 0] / len(strings), scaled / len(strings)


page = words("start")
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
sentence, _ = reading_bar(embedded(), lambda: None, least=4)
controls = words("controls")
caption("", captions.of_sentence(model_label(EMBEDDED), sentence.text, controls))
predict(place, prediction(len(rows_of(sentence.text)), partial(lives, Question(text=sentence.text))), page)
body(sentence, page)
