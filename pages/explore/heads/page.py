"""All heads of all layers; one of them large; measured, compared, rolled out, switched off."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.models import layer_numbers
from pages.explore.heads import comparison, heads_off, lines, measures, other_weights, rollout
from pages.explore.heads.clicks import BODY, SECTION
from pages.explore.heads.guide import GUIDE, prediction
from pages.explore.heads.large import large, resting
from pages.explore.heads.links import script
from pages.explore.heads.overview import overview, strip
from pages.explore.heads.portrait import portrait
from ui.controls import Bar, Choice, study_bar, switch
from ui.errors import fragment
from ui.evidence import evidence
from ui.focus import settle
from ui.guide import predict
from ui.layout import Arrays, page_header, style
from ui.session import SCRATCH, answer
from ui.text import Words, words
from ui.trust import row_sum_residual

SHOWS = ("head", "all", "mean", "norm")
SECTIONS = {
    "lines": lines.section,
    "measures": measures.section,
    "compare": comparison.section,
    "rollout": rollout.section,
    "other": other_weights.section,
    "off": heads_off.section,
}
TAKE_VALUES = 2**20  # the weights of all heads up to so many; of a longer text the layer in focus only


def arrays(choice: Choice) -> dict[str, np.ndarray]:
    """The weights on screen, to take away."""
    run = choice.run()
    every = len(run.layers) * run.layers[0].attention.weights.numel() <= TAKE_VALUES
    layers = run.layers if every else run.layers[choice.layer : choice.layer + 1]
    numbers = layer_numbers(choice.model.layers)
    return {f"weights_{numbers[layer.index]}": layer.attention.weights.numpy() for layer in layers}


@partial(fragment, key=BODY)
def body(bar: Bar, page: Words) -> None:
    """All that a layer or a head changes."""
    choice = bar.choose()
    run = choice.run()
    layer = run.layers[choice.layer]
    if choice.study.model == SCRATCH:
        st.info(page["untrained"], icon=":material/casino:")
    settle(layer.queries, layer.keys, lambda: layer.attention.weights[choice.head])
    left, right = st.columns([1.16, 1], gap="large")
    with left:
        head = overview(choice, run, page)
        strip(layer, head, page)
        with st.container(key="portrait"):
            portrait(choice, page)
    with right:
        shown = switch("show", SHOWS, page["show"], lambda name: page[f"shows.{name}"])
        on_screen = large(choice, layer, shown, head, page)
        resting(layer, choice.head, shown, page)
    section(choice, on_screen, page)


@partial(fragment, key=SECTION)
def section(choice: Choice, on_screen: Arrays, page: Words) -> None:
    """One of several ways to look further, and what can be taken away."""
    tab = switch("tab", tuple(SECTIONS), page["tabs"], lambda name: page[f"tab.{name}"])
    further = SECTIONS[tab](choice, page)
    run = choice.run()
    rows = answer(("row sums", choice.study), lambda: max(map(row_sum_residual, run.layers)))
    evidence(
        choice, "heads", rows=rows, arrays=lambda: {**arrays(choice), **on_screen(), **further()}, script=script(choice)
    )


page = words("heads")
style(Path(__file__).with_name("style.css"))
place = page_header(page, GUIDE)
bar = study_bar()
body(bar, page)
predict(place, prediction(bar), page)  # after: which words are in focus is settled there
