"""Why √d_k: the variance of q·k drawn, derived line by line, and broken, on demand and in a trained head."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import streamlit as st

from attention_core import variance
from attention_core.models import Run
from attention_core.variance import D_K_STOPS, Assumptions, Law, Line, Moments, Sums
from ui.controls import Choice, choose, layer_label, study_bar, whole_number
from ui.figures.variance import Curves, against_d_k, histograms, parts_of_variance, spreads_by_layer
from ui.heads.shared import kept
from ui.layout import mode, page_header, take_away, trust_line
from ui.link import publish, seed
from ui.numbers import significant
from ui.palette import hue
from ui.session import SCRATCH, draw
from ui.text import Words, words

N = TypeVar("N", int, float)

MEANS = tuple(step / 10 for step in range(-20, 21))
CORRELATIONS = tuple(step / 20 for step in range(-20, 21))
DEFAULT_D_K = 64
SEEDS = 10_000
LAYERS, TOKENS, D_MODEL = 32, 32, 64  # of the check with really initialised layers
PLAIN = {"displayModeBar": False}
FORMULAS = {
    "product": r"E(XY) = E(X)\,E(Y)",
    "zero": r"E(X)\,E(Y) = 0",
    "definition": r"D(XY) = E(X^2Y^2) - [E(XY)]^2",
    "squares": r"E(X^2Y^2) = E(X^2)\,E(Y^2)",
    "ones": r"E(X^2)\,E(Y^2) = 1",
    "sum_mean": r"E(q\cdot k) = \sum_{i=1}^{d_k} E(q_ik_i) = 0",
    "sum_variance": r"D(q\cdot k) = \sum_{i=1}^{d_k} D(q_ik_i)",
    "d_k": r"\sum_{i=1}^{d_k} D(q_ik_i) = d_k",
    "scaled": r"D\Big(\frac{q\cdot k}{\sqrt{d_k}}\Big) = \frac{D(q\cdot k)}{(\sqrt{d_k})^2} = 1",
}
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
@media (max-width: 640px) {{ [class*="st-key-line_"] .stHorizontalBlock {{ gap: 0.2rem; }} }}
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
    d_k = stop("mc_d_k", D_K_STOPS, DEFAULT_D_K, page["control.d_k"], int)
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
    with st.spinner(page.format("drawing", samples=variance.SAMPLES, d_k=D_K_STOPS[-1]), show_time=True):
        return draw(assumed.distribution, number)


def read_outs(d_k: int, index: int, measured: Moments, exact: Law, page: Words) -> None:
    """Claimed, exact and measured, side by side."""
    mean, spread = float(measured.mean[index]), float(measured.variance[index])
    mean_error, spread_error = float(measured.mean_error[index]), float(measured.variance_error[index])
    undefined = words("common")["undefined"]
    gaussian = variance.law(Assumptions())
    rows = (
        ("mean", 0.0, d_k * exact.mean, mean, mean_error),
        ("variance", float(d_k), d_k * exact.variance, spread, spread_error),
        ("scaled", 1.0, exact.variance, spread / d_k, spread_error / d_k),
        ("excess", gaussian.excess / d_k, exact.excess / d_k, float(measured.excess[index]), None),
    )
    lines = [
        f"| {page['table.name']} | {page['table.claimed']} | {page['table.theory']} | {page['table.measured']} |",
        "|:--|--:|--:|--:|",
    ]
    for name, claimed, theory, value, error in rows:
        shown = significant(value, undefined=undefined)
        if error is not None:
            shown = f"{rounded(value, error)} ± {significant(error, 2)}"
        expected = significant(theory, undefined=undefined)
        lines.append(f"| {page[f'table.{name}']} | {significant(claimed)} | {expected} | **{shown}** |")
    with st.container(key="read_outs", gap="small"):
        st.markdown("\n".join(lines))
        st.caption(page.format("table.caption", samples=variance.SAMPLES))


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
    index = D_K_STOPS.index(d_k)
    stops = np.array(D_K_STOPS, dtype=np.float64)
    curves = Curves(
        stops=stops,
        mean=measured.mean.numpy(),
        variance=measured.variance.numpy(),
        expected_mean=stops * exact.mean,
        expected_variance=stops * exact.variance,
        mean_error=np.sqrt(stops * exact.variance / variance.SAMPLES),
        variance_error=np.array([exact.variance_error(stop, variance.SAMPLES) for stop in D_K_STOPS]),
    )
    shown = dots[index].numpy()
    labels = {name: page[f"label.{name}"] for name in ("measured", "claim", "expected", "density", "dots")}
    with left:
        read_outs(d_k, index, measured, exact, page)
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
        st.plotly_chart(figure, key="mc_histogram", theme=None, config=PLAIN, alt=alt)
    with right:
        names = ("d_k", "variance", "mean", "ratio", "dots", "measured", "claim", "noise")
        own = {"theory": page["label.expected"], "scaled": page["label.scaled_dots"]}
        labels = {name: page[f"label.{name}"] for name in names} | own
        figure = against_d_k(curves, chosen=index, labels=labels, mode=mode(), height=590)
        alt = page.data("label.curves_alt", first=D_K_STOPS[0], last=D_K_STOPS[-1])
        st.plotly_chart(figure, key="mc_curves", theme=None, config=PLAIN, alt=alt)
    if exact.variance and not math.isfinite(exact.excess):
        st.warning(page["infinite"], icon=":material/warning:")
    if assumed.initialisation == "linear":
        linear_check(assumed, d_k, number, page)
    return sums, assumed, d_k, number, curves, shown


def linear_check(assumed: Assumptions, d_k: int, number: int, page: Words) -> None:
    """The variance of q·k in layers that were really initialised as nn.Linear does it."""
    found = kept(
        "mc_linear",
        (d_k, number),
        lambda: variance.linear_layer(D_MODEL, d_k, layers=LAYERS, tokens=TOKENS, seed=number),
    )
    each = variance.moments(found.square().mean(dim=(-2, -1)))
    st.caption(
        page.format(
            "linear",
            layers=LAYERS,
            d_model=D_MODEL,
            tokens=TOKENS,
            variance=float(each.mean),
            error=float(each.mean_error),
            theory=d_k * assumed.component_variance**2,
        )
    )


def derivation(sums: Sums, assumed: Assumptions, d_k: int, page: Words) -> None:
    """Every line with what it needs, both of its sides as measured, and whether it is true here."""
    st.header(page["derivation.title"], anchor="derivation")
    st.markdown(page.format("derivation.text", d_k=d_k))
    with st.container(key="derivation", gap="small"):
        for line in variance.derivation(sums, assumed, d_k):
            with st.container(key=f"line_{line.key}"):
                formula, needs, found = st.columns([1.2, 1.1, 1.45], gap="medium", vertical_alignment="center")
                formula.latex(FORMULAS[line.key])
                needs.markdown(page[f"needs.{line.key}"])
                found.markdown(both_sides(line, page) + "  \n" + verdict(line, assumed, d_k, page))


def both_sides(line: Line, page: Words) -> str:
    """Left and right, with the standard error of the left."""
    left, right = (rounded(side, line.error) for side in (line.left, line.right))
    return (
        f"{page['derivation.left']} **{left}** ± {significant(line.error, 2)} · {page['derivation.right']} **{right}**"
    )


def rounded(value: float, error: float) -> str:
    """As many digits as the standard error leaves meaningful: two of its own, four of the value at most."""
    digits = 1 - math.floor(math.log10(error)) if 0 < error < math.inf else 15
    return significant(round(value, digits))


def verdict(line: Line, assumed: Assumptions, d_k: int, page: Words) -> str:
    """Whether the line is true of these assumptions, and if not, what is true instead."""
    if line.holds:
        return f":green[:material/check:] {page['derivation.holds']}"
    exact = variance.law(assumed)
    each = exact.mean if line.key == "sum_mean" else exact.variance
    key = "scaled_zero" if line.key == "scaled" and line.exact_left == 0 else line.key
    why = page.format(
        f"false.{key}",
        left=line.exact_left,
        right=line.exact_right,
        mean=assumed.mean,
        squared=assumed.component_variance + assumed.mean**2,
        each=each,
        d_k=d_k,
        sqrt=math.sqrt(d_k),
        root=math.sqrt(d_k * exact.variance),
    )
    return f":red[:material/close: **{page['derivation.false']}**] {why}"


def trained(choice: Choice, run: Run, page: Words) -> np.ndarray:
    """The q and k of the head in focus, where the assumptions fail; the spread of every head."""
    layer = run.layers[choice.layer]
    attention = layer.head(choice.head)
    n_q, d_k = attention.q.shape
    found = variance.observed(attention.q, attention.k)
    looked_at = (choice.study, choice.layer, choice.head, mode(), page.language)  # a slider above changes none of it
    dots = (attention.q.double() @ attention.k.double().mT).numpy()
    mean, spread = float(found.mean), float(found.variance)
    st.header(page["trained.title"], anchor="trained")
    named = {"layer": layer_label(layer.name), "head": choice.head + 1, "n_q": n_q, "n_k": len(attention.k), "d_k": d_k}
    st.text(page.data("trained.text", **named))
    if choice.study.model == SCRATCH:
        st.info(page["trained.untrained"], icon=":material/casino:")
    left, right = st.columns(2, gap="large")
    with left:
        labels = {name: page[f"label.{name}"] for name in ("measured", "claim", "density", "dots")}
        labels |= {"scaled": page["label.scaled_dots"], "expected": page["trained.own"]}
        figure = kept(
            "mc_trained_histogram",
            looked_at,
            lambda: histograms(dots.ravel(), d_k=d_k, expected=(mean, spread), labels=labels, mode=mode()),
        )
        alt = page.data("trained.histogram_alt", count=dots.size, mean=mean, variance=spread, d_k=d_k)
        st.plotly_chart(figure, key="trained_histogram", theme=None, config=PLAIN, alt=alt)
    with right:
        undefined = words("common")["undefined"]
        claims = {"mean": 0.0, "variance": float(d_k), "std": 1.0, "excess": variance.law(Assumptions()).excess / d_k}
        values = {"mean": mean, "variance": spread, "std": math.sqrt(spread / d_k), "excess": float(found.excess)}
        with st.container(horizontal=True, gap="medium", key="trained_numbers"):
            for name, value in values.items():
                with st.container(width="content", gap=None):
                    st.metric(page[f"trained.{name}"], significant(value, undefined=undefined), width="content")
                    st.caption(page.format("trained.claims", value=claims[name]))
        st.markdown(page["trained.parts"])
        parts = np.array([float(found.own), float(found.together), float(found.offset), spread])
        names = [page[f"trained.part_{name}"] for name in ("own", "together", "offset", "total")]
        figure = kept(
            "mc_trained_parts",
            looked_at,
            lambda: parts_of_variance(parts, names=names, claim=float(d_k), label=page["trained.axis"], mode=mode()),
        )
        alt = page.data("trained.parts_alt", total=spread, d_k=d_k)
        st.plotly_chart(figure, key="trained_parts", theme=None, config=PLAIN, alt=alt)
        apart = abs(parts[:3].sum() - np.var(dots)) / (np.var(dots) or 1.0)
        st.caption(page.format("trained.residual", value=float(apart)))
    every_head(choice, run, page)
    return dots


def every_head(choice: Choice, run: Run, page: Words) -> None:
    """The standard deviation of q·k/√d_k of all heads of all layers."""

    def spreads() -> list[np.ndarray]:
        return [
            (variance.observed(each.attention.q, each.attention.k).variance / each.attention.q.shape[-1]).sqrt().numpy()
            for each in run.layers
        ]

    values = kept("mc_heads", choice.study, spreads)
    together = np.concatenate(values)
    st.markdown(page["trained.heads"])
    figure = kept(
        "mc_trained_heads",
        (choice.study, choice.layer, choice.head, mode(), page.language),
        lambda: spreads_by_layer(
            values,
            names=[layer_label(each.name) for each in run.layers],
            chosen=(choice.layer, choice.head),
            label=page["trained.std"],
            mode=mode(),
        ),
    )
    st.plotly_chart(figure, key="trained_heads", theme=None, config=PLAIN, alt=page["trained.heads_alt"])
    st.caption(
        page.format(
            "trained.heads_range",
            low=float(together.min()),
            high=float(together.max()),
            wide=int((together > 1).sum()),
            count=len(together),
        )
    )


def corrections(page: Words) -> None:
    """Where the usual telling of this derivation needs a word more."""
    st.header(page["correction.title"], anchor="corrections")
    left, right = st.columns(2, gap="large")
    left.markdown(page["correction.scalars"])
    right.markdown(page["correction.conditions"])
    st.caption(page["correction.sources"])


def script(assumed: Assumptions, d_k: int, number: int) -> str:
    """Python that draws the same samples and prints the same numbers."""
    return f"""from attention_core.variance import Assumptions, draw, law, moments, products

assumed = {assumed!r}
sums = draw({assumed.distribution!r}, seed={number})
found = moments(products(sums, assumed))
exact = law(assumed)

at = sums.stops.index({d_k})
print("d_k", {d_k})
print("mean", float(found.mean[at]), "+-", float(found.mean_error[at]), "theory", {d_k} * exact.mean)
print("variance", float(found.variance[at]), "+-", float(found.variance_error[at]), "theory", {d_k} * exact.variance)
print("scaled", float(found.variance[at]) / {d_k}, "theory", exact.variance)
print("excess", float(found.excess[at]), "theory", exact.excess / {d_k})
"""


def einsum_residual(sums: Sums, assumed: Assumptions, number: int) -> float:
    """How far the first products are, at most, from numpy's: component by component, in float64, at the largest d_k."""
    q, k = (side.double().numpy() for side in variance.components(assumed, number))
    theirs = np.einsum("nd,nd->n", q, k)
    ours = variance.products(sums, assumed)[-1, : len(theirs)].numpy()
    return float(np.abs(theirs - ours).max())


page = words("why_sqrt")
st.html(STYLE)
page_header(page)
choice = study_bar()
sums, assumed, d_k, number, curves, shown = laboratory(page)
derivation(sums, assumed, d_k, page)
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
