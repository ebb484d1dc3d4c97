"""The q and k of the head in focus, where the assumptions fail; the spread of every head."""

import math

import numpy as np
import streamlit as st

from attention_core import variance
from attention_core.models import LayerTrace, Run
from attention_core.variance import Assumptions, Observed
from pages.saturation.why_sqrt.numbers import Pairs, own_scale, pairs, parts, parts_residual, spreads
from pages.saturation.why_sqrt.pictures.heads import parts_of_variance, spreads_by_layer
from pages.saturation.why_sqrt.pictures.histograms import histograms
from ui.chart import chart
from ui.controls import Choice, layer_label
from ui.layout import mode
from ui.numbers import significant
from ui.session import SCRATCH, kept
from ui.text import Words, words


def trained(choice: Choice, run: Run, page: Words) -> np.ndarray:
    """All q·k of the head in focus that its mask allows, against the claim. Returns them, NaN where it does not."""
    layer = run.layers[choice.layer]
    d_k, head = layer.attention.q.shape[-1], pairs(layer, choice.head)
    st.text(_whose(layer, choice.head, head, page))
    if choice.study.model == SCRATCH:
        st.info(page["trained.untrained"], icon=":material/casino:")
    left, right = st.columns(2, gap="large")
    with left:
        histogram(choice, head, d_k, page)
    with right:
        moments(head.observed, d_k, page)
        st.markdown(page["trained.parts_masked" if head.masked else "trained.parts"])
        variance_by_parts(choice, head, d_k, page)
        st.caption(page.format("trained.residual", value=parts_residual(head)))
    every_head(choice, run, page)
    return head.products


def _whose(layer: LayerTrace, number: int, head: Pairs, page: Words) -> str:
    """Which head, how many pairs, and what its model multiplies them by, where that is not 1/√d_k."""
    n_q, n_k = head.products.shape
    names = {"layer": layer_label(layer.name), "head": number + 1, "n_q": n_q, "n_k": n_k}
    names |= {"d_k": layer.attention.q.shape[-1], "count": len(head.seen)}
    text = page.data("trained.masked" if head.masked else "trained.text", **names)
    scale = own_scale(layer)
    if scale is None:
        return text
    spread = scale * math.sqrt(float(head.observed.variance))
    return text + "\n" + page.data("trained.own_scale", factor=scale, root=names["d_k"] ** -0.5, std=spread)


def looked_at(choice: Choice, page: Words) -> tuple:
    """What a figure of the head depends on: a slider above changes none of it."""
    return choice.study, choice.layer, choice.head, mode(), page.language


def histogram(choice: Choice, head: Pairs, d_k: int, page: Words) -> None:
    """All products before and after scaling."""
    mean, spread, dots = float(head.observed.mean), float(head.observed.variance), head.seen
    labels = {name: page[f"label.{name}"] for name in ("measured", "claim", "density", "dots")}
    labels |= {"scaled": page["label.scaled_dots"], "expected": page["trained.own"]}
    figure = kept(
        "mc_trained_histogram",
        looked_at(choice, page),
        lambda: histograms(dots, d_k=d_k, expected=(mean, spread), labels=labels, mode=mode()),
    )
    alt = page.data("trained.histogram_alt", count=dots.size, mean=mean, variance=spread, d_k=d_k)
    chart(figure, key="trained_histogram", alt=alt)


def moments(observed: Observed, d_k: int, page: Words) -> None:
    """Four numbers of the head above what is claimed of them."""
    spread, undefined = float(observed.variance), words("common")["undefined"]
    claimed_excess = variance.law(Assumptions()).excess / d_k
    values = {
        "mean": (float(observed.mean), 0.0),
        "variance": (spread, float(d_k)),
        "std": (math.sqrt(spread / d_k), 1.0),
        "excess": (float(observed.excess), claimed_excess),
    }
    with st.container(horizontal=True, gap="medium", key="trained_numbers"):
        for name, (value, claim) in values.items():
            with st.container(width="content", gap=None):
                st.metric(page[f"trained.{name}"], significant(value, undefined=undefined), width="content")
                st.caption(page.format("trained.claims", value=claim))


def variance_by_parts(choice: Choice, head: Pairs, d_k: int, page: Words) -> None:
    """Where the variance comes from."""
    total = float(head.observed.variance)
    kinds = ("own", "together", "offset", *(("pairing",) if head.masked else ()), "total")
    names = [page[f"trained.part_{name}"] for name in kinds]
    label, values = page["trained.axis"], np.append(parts(head.observed, masked=head.masked), total)
    figure = kept(
        "mc_trained_parts",
        looked_at(choice, page),
        lambda: parts_of_variance(values, names=names, claim=float(d_k), label=label, mode=mode()),
    )
    chart(figure, key="trained_parts", alt=page.data("trained.parts_alt", total=total, d_k=d_k))


def every_head(choice: Choice, run: Run, page: Words) -> None:
    """The standard deviation of q·k/√d_k of all heads of all layers."""
    values = kept("mc_heads", choice.study, lambda: spreads(run.layers))
    together = np.concatenate(values)
    st.markdown(page["trained.heads"])
    figure = kept(
        "mc_trained_heads",
        looked_at(choice, page),
        lambda: spreads_by_layer(
            values,
            names=[layer_label(layer.name) for layer in run.layers],
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
