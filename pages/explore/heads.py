"""All heads of all layers; one of them large; measured, compared, rolled out, switched off."""

import numpy as np
import streamlit as st

from attention_core.models import Run
from ui.controls import Choice, study_bar, switch
from ui.evidence import evidence
from ui.heads import difference, off, other, pairs, table, through
from ui.heads.picture import large, overview, portrait, strip
from ui.layout import page_header
from ui.session import SCRATCH, answer
from ui.text import words
from ui.trust import row_sum_residual

SHOWS = ("head", "all", "mean", "norm")
SECTIONS = {
    "lines": pairs.section,
    "measures": table.section,
    "compare": difference.section,
    "rollout": through.section,
    "other": other.section,
    "off": off.section,
}
TAKE_VALUES = 2**20  # the weights of all heads up to so many; of a longer text the layer in focus only
# On a narrow screen the large head follows its thumbnails at once; its portrait comes after it.
STYLE = """<style>
@media (max-width: 640px) {
  [data-testid="stColumn"]:has(.st-key-portrait), [data-testid="stColumn"]:has(.st-key-portrait) > div {
    display: contents;
  }
  [data-testid="stLayoutWrapper"]:has(> .st-key-portrait) { order: 2; }
}
</style>"""


def arrays(choice: Choice, run: Run) -> dict[str, np.ndarray]:
    """The weights on screen, to take away."""
    every = sum(layer.attention.weights.numel() for layer in run.layers) <= TAKE_VALUES
    layers = run.layers if every else run.layers[choice.layer : choice.layer + 1]
    return {f"weights_{layer.index + 1}": layer.attention.weights.numpy() for layer in layers}


page = words("heads")
st.html(STYLE)
page_header(page)
choice = study_bar().choose()
run = choice.run()
layer = run.layers[choice.layer]
if choice.study.model == SCRATCH:
    st.info(page["untrained"], icon=":material/casino:")
left, right = st.columns([1.16, 1], gap="large")
with left:
    focus = overview(choice, run, page)
    strip(layer, focus, page)
    with st.container(key="portrait"):
        portrait(choice, layer, page)
with right:
    shown = switch("show", SHOWS, page["show"], lambda name: page[f"shows.{name}"])
    seen = large(choice, layer, shown, focus, page)
tab = switch("tab", tuple(SECTIONS), page["tabs"], lambda name: page[f"tab.{name}"])
seen |= SECTIONS[tab](choice, run, page)
rows = answer(("row sums", choice.study), lambda: max(map(row_sum_residual, run.layers)))
evidence(choice, "heads", rows=rows, arrays=lambda: arrays(choice, choice.run()) | seen)
