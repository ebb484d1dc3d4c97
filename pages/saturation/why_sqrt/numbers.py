"""The parts of the page about √d_k: claimed, exact and measured; the derivation line by line; the head in focus."""

import math

import numpy as np
import streamlit as st

from attention_core import variance
from attention_core.models import Run
from attention_core.variance import D_K_OCTAVES, Assumptions, Law, Line, Moments, Sums
from ui.chart import chart
from ui.controls import Choice, layer_label
from ui.figures.variance import Curves, histograms, parts_of_variance, spreads_by_layer
from ui.layout import mode
from ui.numbers import significant
from ui.session import SCRATCH, kept
from ui.text import Words, words

LAYERS, TOKENS, D_MODEL = 32, 32, 64  # of the check with really initialised layers
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


def curves_of(measured: Moments, exact: Law) -> Curves:
    """Mean and variance at every stop of d_k: measured, expected, and how far apart chance may bring them."""
    stops = np.array(D_K_OCTAVES, dtype=np.float64)
    return Curves(
        stops=stops,
        mean=measured.mean.numpy(),
        variance=measured.variance.numpy(),
        expected_mean=stops * exact.mean,
        expected_variance=stops * exact.variance,
        mean_error=np.sqrt(stops * exact.variance / variance.SAMPLES),
        variance_error=np.array([exact.variance_error(stop, variance.SAMPLES) for stop in D_K_OCTAVES]),
    )


def read_outs(d_k: int, measured: Moments, exact: Law, page: Words, *, tails: bool) -> None:
    """Claimed, exact and measured, side by side. With heavy `tails` nobody knows how far off the kurtosis is."""
    index = D_K_OCTAVES.index(d_k)
    mean, spread = float(measured.mean[index]), float(measured.variance[index])
    mean_error, spread_error = float(measured.mean_error[index]), float(measured.variance_error[index])
    excess, excess_error = float(measured.excess[index]), math.nan if tails else float(measured.excess_error[index])
    undefined = words("common")["undefined"]
    gaussian = variance.law(Assumptions())
    rows = (
        ("mean", 0.0, d_k * exact.mean, mean, mean_error),
        ("variance", float(d_k), d_k * exact.variance, spread, spread_error),
        ("scaled", 1.0, exact.variance, spread / d_k, spread_error / d_k),
        ("excess", gaussian.excess / d_k, exact.excess / d_k, excess, excess_error),
    )
    lines = [
        f"| {page['table.name']} | {page['table.claimed']} | {page['table.theory']} | {page['table.measured']} |",
        "|:--|--:|--:|--:|",
    ]
    for name, claimed, theory, value, error in rows:
        shown = significant(value, undefined=undefined)
        if math.isfinite(error):
            shown = f"{rounded(value, error)} ± {significant(error, 2)}"
        expected = significant(theory, undefined=undefined)
        lines.append(f"| {page[f'table.{name}']} | {significant(claimed)} | {expected} | **{shown}** |")
    with st.container(key="read_outs", gap="small"):
        st.markdown("\n".join(lines))
        st.caption(page.format("table.caption", samples=variance.SAMPLES))


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
    exact = line.right == line.exact_right  # what was not measured is not rounded either
    left, right = rounded(line.left, line.error), significant(line.right) if exact else rounded(line.right, line.error)
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
        chart(figure, key="trained_histogram", alt=alt)
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
        chart(figure, key="trained_parts", alt=alt)
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
    chart(figure, key="trained_heads", alt=page["trained.heads_alt"])
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
    return f"""# In the folder of Headlight: PYTHONPATH=. .venv/bin/python the_name_of_this_file.py
from attention_core.variance import Assumptions, draw, law, moments, products

assumed = {assumed!r}
sums = draw({assumed.distribution!r}, seed={number})
found = moments(products(sums, assumed))
exact = law(assumed)

at = sums.stops.index({d_k})
print("d_k", {d_k})
print("mean", float(found.mean[at]), "+-", float(found.mean_error[at]), "theory", {d_k} * exact.mean)
print("variance", float(found.variance[at]), "+-", float(found.variance_error[at]), "theory", {d_k} * exact.variance)
print("scaled", float(found.variance[at]) / {d_k}, "theory", exact.variance)
print("excess", float(found.excess[at]), "+-", float(found.excess_error[at]), "theory", exact.excess / {d_k})
"""


def einsum_residual(sums: Sums, assumed: Assumptions, number: int) -> float:
    """How far the first products are, at most, from numpy's: component by component, in float64, at the largest d_k."""
    q, k = (side.double().numpy() for side in variance.components(assumed, number))
    theirs = np.einsum("nd,nd->n", q, k)
    ours = variance.products(sums, assumed)[-1, : len(theirs)].numpy()
    return float(np.abs(theirs - ours).max())
