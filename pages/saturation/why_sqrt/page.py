"""Why √d_k: the variance of q·k drawn, derived line by line, and broken, on demand and in a trained head."""

import math
from pathlib import Path

import streamlit as st

from attention_core import variance
from attention_core.variance import D_K_OCTAVES
from pages.saturation.why_sqrt import numbers, tables
from pages.saturation.why_sqrt.controls import controls
from pages.saturation.why_sqrt.derivation import derivation
from pages.saturation.why_sqrt.guide import GUIDE, prediction
from pages.saturation.why_sqrt.numbers import Drawn
from pages.saturation.why_sqrt.pictures.against_d_k import against_d_k
from pages.saturation.why_sqrt.pictures.histograms import histograms
from pages.saturation.why_sqrt.trained import trained
from ui.chart import chart
from ui.controls import study_bar
from ui.guide import predict
from ui.layout import mode, page_header, style, take_away, trust_line
from ui.scripts import Code, filled
from ui.session import draw, kept
from ui.text import Words, words

HEIGHT = 590  # of both figures of the first screen
FOLDER = Path(__file__).parent


def laboratory(page: Words) -> tuple[Drawn, int]:
    """The first screen: assumptions, histograms, curves. Returns what was drawn, and its seed."""
    with st.container(key="laboratory"):
        left, middle, right = st.columns([1, 1.25, 1.25], gap="medium")
    with left, st.container(gap="xsmall", key="mc_controls"):
        assumed, d_k, seed = controls(page)
    # Of the sliders only the distribution and the seed make a new draw.
    with st.spinner(page.format("drawing", samples=variance.SAMPLES, d_k=D_K_OCTAVES[-1]), show_time=True):
        sums = draw(assumed.distribution, seed)
    drawn = numbers.drawn(assumed, d_k, sums)
    with left, st.container(key="read_outs", gap="small"):
        st.markdown(tables.read_outs(numbers.readings(drawn), page))
        st.caption(page.format("table.caption", samples=variance.SAMPLES))
    with middle:
        draw_histograms(drawn, page)
    with right:
        draw_curves(drawn, page)
    if drawn.exact.variance and not math.isfinite(drawn.exact.excess):
        st.warning(page["infinite"], icon=":material/warning:")
    if assumed.initialisation == "linear":
        linear_check(drawn, seed, page)
    return drawn, seed


def draw_histograms(drawn: Drawn, page: Words) -> None:
    """The samples at the d_k in focus, before and after scaling."""
    d_k, exact, measured = drawn.d_k, drawn.exact, drawn.measured
    labels = {name: page[f"label.{name}"] for name in ("measured", "claim", "expected", "density", "dots")}
    labels["scaled"] = page["label.scaled_dots"]
    expected = (d_k * exact.mean, d_k * exact.variance)
    figure = histograms(drawn.shown, d_k=d_k, expected=expected, labels=labels, mode=mode(), height=HEIGHT)
    mean, spread = float(measured.mean[drawn.index]), float(measured.variance[drawn.index])
    chart(figure, key="mc_histogram", alt=page.data("label.histogram_alt", d_k=d_k, mean=mean, variance=spread))


def draw_curves(drawn: Drawn, page: Words) -> None:
    """Mean and variance at every d_k."""
    names = ("d_k", "variance", "mean", "ratio", "dots", "measured", "claim", "noise")
    labels = {name: page[f"label.{name}"] for name in names}
    labels |= {"theory": page["label.expected"], "scaled": page["label.scaled_dots"]}
    figure = against_d_k(numbers.curves(drawn), chosen=drawn.index, labels=labels, mode=mode(), height=HEIGHT)
    chart(figure, key="mc_curves", alt=page.data("label.curves_alt", first=D_K_OCTAVES[0], last=D_K_OCTAVES[-1]))


def linear_check(drawn: Drawn, seed: int, page: Words) -> None:
    """The variance of q·k in layers that were really initialised as nn.Linear does it."""
    measured = kept("mc_linear", (drawn.d_k, seed), lambda: numbers.of_linear_layers(drawn.d_k, seed))
    st.caption(
        page.format(
            "linear",
            layers=numbers.LAYERS,
            d_model=numbers.D_MODEL,
            tokens=numbers.TOKENS,
            variance=float(measured.mean),
            error=float(measured.mean_error),
            theory=drawn.d_k * drawn.assumed.component_variance**2,
        )
    )


def corrections(page: Words) -> None:
    """Where the usual telling of this derivation needs a word more."""
    st.header(page["correction.title"], anchor="corrections")
    left, right = st.columns(2, gap="large")
    left.markdown(page["correction.scalars"])
    right.markdown(page["correction.conditions"])
    st.caption(page["correction.sources"])


page = words("why_sqrt")
style(FOLDER / "style.css")
place = page_header(page, GUIDE)
drawn, seed = laboratory(page)
predict(place, prediction(drawn), page)
derivation(drawn.sums, drawn.assumed, drawn.d_k, page)
st.header(page["trained.title"], anchor="trained")
choice = study_bar().choose()
products = trained(choice, choice.run(), page)
corrections(page)
with st.container(horizontal=True, vertical_alignment="center"):
    trust_line(
        residual=numbers.einsum_residual(drawn, seed),
        oracle="numpy.einsum",
        seed=seed,
        dtype=str(drawn.sums.uv.dtype).removeprefix("torch."),
        model=choice.study.model,
        device=str(drawn.sums.uv.device),
    )
    take_away(
        "why_sqrt",
        arrays=lambda: numbers.arrays(numbers.curves(drawn), drawn.shown, products),
        snippet=filled(FOLDER / "script.py", assumed=Code(repr(drawn.assumed)), d_k=drawn.d_k, seed=seed),
    )
