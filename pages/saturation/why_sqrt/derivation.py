"""The derivation line by line: what each needs, both of its sides as measured, and whether it is true here."""

import streamlit as st

from attention_core import variance
from attention_core.variance import Assumptions, Sums
from pages.saturation.why_sqrt.tables import both_sides, verdict
from ui.text import Words

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


def derivation(sums: Sums, assumed: Assumptions, d_k: int, page: Words) -> None:
    """A row for every line."""
    st.header(page["derivation.title"], anchor="derivation")
    st.markdown(page.format("derivation.text", d_k=d_k))
    with st.container(key="derivation", gap="small"):
        for line in variance.derivation(sums, assumed, d_k):
            with st.container(key=f"line_{line.key}"):
                formula, needs, sides = st.columns([1.2, 1.1, 1.45], gap="medium", vertical_alignment="center")
                formula.latex(FORMULAS[line.key])
                needs.markdown(page[f"needs.{line.key}"])
                sides.markdown(both_sides(line, page) + "  \n" + verdict(line, assumed, d_k, page))
