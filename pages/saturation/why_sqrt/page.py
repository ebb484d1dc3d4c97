"""Why √d_k: the variance of q·k drawn, derived line by line, and broken, on demand and in a trained head."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import streamlit as st

from attention_core import variance
from attention_core.variance import D_K_OCTAVES, Assumptions, Sums
from pages.saturation.why_sqrt.numbers import (
    corrections,
    curves_of,
    derivation,
    einsum_residual,
    linear_check,
    read_outs,
    script,
    trained,
)
from ui.chart import chart
from ui.controls import choose, study_bar, whole_number
from ui.figures.variance import Curves, against_d_k, histograms
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import publish, seed
from ui.numbers import significant
from ui.palette import hue
from ui.session import draw
from ui.text import Words, words

N = TypeVar("N", int, float)

MEANS = tuple(step / 10 for step in range(-20, 21))
CORRELATIONS = tuple(step / 20 for step in range(-20, 21))
DEFAULT_D_K = 64
SEEDS = 10_000
RULE = f"light-dark({hue('line', 'light')}, {hue('line', 'dark')})"
STYLE = f"""<style>
[class*="st-key-line_"] {{ border-top: 1px solid {RULE}; padding-top: 0.5rem; }}
[class*="st-key-line_"] .stMarkdown > div:has(.katex-display) {{ margin-inline: 0 !important; }}
[class*="st-key-line_"] .katex-display {{ text-align: left !important; margin: 0 0 15px; overflow: visible; }}
[class*="st-key-line_"] .katex-display > .katex {{ text-align: left !important; }}
[class*="st-key-line_"] .katex {{ font-size: 1.1em; }}
@media (min-width: 641px) and (max-width: 1199px) {{
  .st-key-laboratory > div > .stHorizontalBlock {{ flex-wrap: wrap; }}
  .st-key-laboratory > div > .stHorizontalBlock > .stColumn {{ flex: 1 1 34%; }}
  .st-key-laboratory > div > .stHorizontalBlock > .stColumn:nth-child(2) {{ flex-grow: 2; }}
  .st-key-laboratory > div > .stHorizontalBlock > .stColumn:nth-child(3) {{ flex-basis: 100%; }}
}}
@media (max-width: 640px) {{
  [class*="st-key-line_"] .stHorizontalBlock {{ gap: 0.2rem; }}
  .st-key-laboratory .stColumn, .st-key-laboratory .stColumn > .stVerticalBlock, .st-key-mc_controls,
  .st-key-laboratory [data-testid="stLayoutWrapper"]:has(> .st-key-mc_controls) {{ display: contents; }}
  .st-key-laboratory .stElementContainer,
  .st-key-laboratory .stColumn [data-testid="stLayoutWrapper"] {{ order: 2; width: 100%; }}
  .st-key-laboratory .st-key-mc_d_k {{ order: 0; }}
  .st-key-laboratory .st-key-mc_histogram {{ order: 1; }}
}}
.st-key-read_outs table {{ width: 100%; font-variant-numeric: tabular-nums; }}
.st-key-read_outs td, .st-key-read_outs th {{ padding: 0.15rem 0.3rem; font-size: 0.86rem; border-width: 0 0 1px 0; }}
</style>"""


def stop(
    key: str, options: Sequence[N], default: N, label: str, read: Callable[[str], N], help: str | None = None
) -> N:
    """A slider over these numbers; its value stands in the link."""
    seed(key, default, read, options)
    value = st.select_slider(label, options, key=key, format_func=lambda one: significant(float(one)), help=help)
    publish(key, str(value), str(default))
    return value


def draw_again() -> None:
    """The next seed. A callback: it may change the widget."""
    st.session_state["mc_seed"] = (st.session_state["mc_seed"] + 1) % SEEDS


def controls(page: Words) -> tuple[Assumptions, int, int]:
    """What is assumed, d_k and the seed."""
    d_k = stop("mc_d_k", D_K_OCTAVES, DEFAULT_D_K, page["control.d_k"], int)
    mean = stop("mc_mean", MEANS, 0.0, page["control.mean"], float)
    correlation = stop(
        "mc_rho", CORRELATIONS, 0.0, page["control.correlation"], float, page["control.correlation_help"]
    )
    distribution = choose(
        "mc_distribution",
        tuple(variance.EVEN_MOMENTS),
        page["control.distribution"],
        lambda name: page.data(f"distributions.{name}", degrees=variance.DEGREES),
    )
    initialisation = choose(
        "mc_init",
        tuple(variance.COMPONENT_VARIANCE),
        page["control.initialisation"],
        lambda name: page[f"initialisations.{name}"],
        page["control.initialisation_help"],
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = whole_number("mc_seed", 0, SEEDS - 1, 0, page["control.seed"], 130)
        st.button(page["control.again"], icon=":material/casino:", on_click=draw_again, key="again")
    assumed = Assumptions(distribution=distribution, mean=mean, correlation=correlation, initialisation=initialisation)
    return assumed, d_k, number


def drawn(assumed: Assumptions, number: int, page: Words) -> Sums:
    """The draw behind everything: of the sliders only the distribution and the seed make a new one."""
    with st.spinner(page.format("drawing", samples=variance.SAMPLES, d_k=D_K_OCTAVES[-1]), show_time=True):
        return draw(assumed.distribution, number)


def laboratory(page: Words) -> tuple[Sums, Assumptions, int, int, Curves, np.ndarray]:
    """The first screen: assumptions, histograms, curves."""
    with st.container(key="laboratory"):
        left, middle, right = st.columns([1, 1.25, 1.25], gap="medium")
    with left, st.container(gap="xsmall", key="mc_controls"):
        assumed, d_k, number = controls(page)
    sums = drawn(assumed, number, page)
    exact = variance.law(assumed)
    dots = variance.products(sums, assumed)
    measured = variance.moments(dots)
    index = D_K_OCTAVES.index(d_k)
    curves = curves_of(measured, exact)
    shown = dots[index].numpy()
    labels = {name: page[f"label.{name}"] for name in ("measured", "claim", "expected", "density", "dots")}
    with left:
        read_outs(d_k, measured, exact, page, tails=assumed.distribution == "student")
    with middle:
        figure = histograms(
            shown,
            d_k=d_k,
            expected=(d_k * exact.mean, d_k * exact.variance),
            labels=labels | {"scaled": page["label.scaled_dots"]},
            mode=mode(),
            height=590,
        )
        alt = page.data(
            "label.histogram_alt", d_k=d_k, mean=float(measured.mean[index]), variance=float(measured.variance[index])
        )
        chart(figure, key="mc_histogram", alt=alt)
    with right:
        names = ("d_k", "variance", "mean", "ratio", "dots", "measured", "claim", "noise")
        own = {"theory": page["label.expected"], "scaled": page["label.scaled_dots"]}
        labels = {name: page[f"label.{name}"] for name in names} | own
        figure = against_d_k(curves, chosen=index, labels=labels, mode=mode(), height=590)
        alt = page.data("label.curves_alt", first=D_K_OCTAVES[0], last=D_K_OCTAVES[-1])
        chart(figure, key="mc_curves", alt=alt)
    if exact.variance and not math.isfinite(exact.excess):
        st.warning(page["infinite"], icon=":material/warning:")
    if assumed.initialisation == "linear":
        linear_check(assumed, d_k, number, page)
    return sums, assumed, d_k, number, curves, shown


page = words("why_sqrt")
st.html(STYLE)
page_header(page)
sums, assumed, d_k, number, curves, shown = laboratory(page)
derivation(sums, assumed, d_k, page)
st.header(page["trained.title"], anchor="trained")
choice = study_bar().choose()
run = choice.run()
real = trained(choice, run, page)
corrections(page)
with st.container(horizontal=True, vertical_alignment="center"):
    trust_line(
        residual=einsum_residual(sums, assumed, number),
        oracle="numpy.einsum",
        seed=number,
        dtype=str(sums.uv.dtype).removeprefix("torch."),
        model=choice.study.model,
        device=str(sums.uv.device),
    )
    take_away(
        "why_sqrt",
        arrays=lambda: {
            "d_k": curves.stops,
            "mean": curves.mean,
            "mean_error": curves.mean_error,
            "variance": curves.variance,
            "variance_error": curves.variance_error,
            "expected_mean": curves.expected_mean,
            "expected_variance": curves.expected_variance,
            "products": shown,
            "trained_products": real,
        },
        snippet=script(assumed, d_k, number),
    )
