"""Below the laboratory: whether another loss would conclude the same, three laws, and why to believe the numbers."""

from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, SWEPT_RULES, Probe, Table
from pages.saturation.vanishing import losses
from pages.saturation.vanishing.laws import law_figure, theory
from pages.saturation.vanishing.numbers import Place, arrays, autograd_residual
from pages.saturation.vanishing.pictures import READ
from ui.chart import chart
from ui.compute import room
from ui.controls import focus
from ui.layout import mode, take_away, trust_line
from ui.scripts import filled
from ui.session import Question, answer, probe, tabulated
from ui.text import Words


def other_losses(question: Question, layer: Probe, stand: Place, tokens: tuple[str, ...], page: Words) -> None:
    """A table: whether another loss would come to another conclusion."""
    d_k, alpha = D_K_STOPS[stand.d_k], INPUT_SCALES[stand.alpha]
    _, target = focus(len(tokens), len(tokens))
    ratios = answer(("losses", question, target, d_k, alpha), lambda: losses.ratios(layer, target, d_k, alpha))
    st.header(page["depends.title"], anchor="losses")
    st.markdown(page.format("depends.text", d_k=d_k, alpha=alpha, token=tokens[target]))
    with st.container(key="table_losses"):
        st.markdown(losses.table(ratios, page))
    st.caption(page["depends.reason"])


def three_laws(layer: Probe, own: Table, stand: Place, page: Words) -> None:
    """What theory says, over what was measured."""
    st.header(page["law.title"], anchor="laws")
    st.markdown(page["law.text"])
    for number, (column, law) in enumerate(zip(st.columns(3), theory(layer, own, stand, page), strict=True)):
        with column:
            st.markdown(f"**{law.title}**")
            chart(law_figure(law, mode()), key=f"law_{number}", alt=law.title)


def evidence(question: Question, own: Table, stand: Place, tokens: tuple[str, ...], page: Words) -> None:
    """Why the numbers can be believed, and how to take them away."""
    layer, rule, d_k, alpha = probe(question), SWEPT_RULES[stand.rule], D_K_STOPS[stand.d_k], INPUT_SCALES[stand.alpha]
    residual = answer(("autograd", question, rule, d_k, alpha), lambda: autograd_residual(layer, rule, d_k, alpha))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            residual=residual,
            lost=residual is None,
            oracle="torch.autograd",
            seed=question.seed,
            dtype="float32",
            device="cpu",
        )
        take_away(
            "vanishing",
            arrays=lambda: taken(question, tokens),
            snippet=script(question, stand, page),
            count=own.measures.numel() + own.log_gains.numel(),
        )


def script(question: Question, stand: Place, page: Words) -> str:
    """Python that prints the read-outs of the head in focus."""
    return filled(
        Path(__file__).with_name("script.py"),
        text=question.text,
        seed=question.seed,
        target=question.target,
        rule=SWEPT_RULES[stand.rule],
        d_k=D_K_STOPS[stand.d_k],
        alpha=INPUT_SCALES[stand.alpha],
        head=stand.head,
        labels={name: page[f"measure.{name}"] for name in READ},
    )


def taken(question: Question, tokens: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The table, to take away."""
    layer = probe(question)
    return arrays(room().result(question, lambda: tabulated(layer)), tokens)
