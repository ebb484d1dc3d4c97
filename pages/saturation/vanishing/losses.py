"""Does the conclusion depend on the loss? Three losses side by side, at the sliders' position."""

from collections.abc import Mapping

import streamlit as st

from attention_core.losses import GRADIENTS, LOSSES, gradient_norms
from attention_core.saturation import Probe
from attention_core.scalings import SCALINGS
from ui.numbers import significant
from ui.text import Words

SMALL = 0.8  # below this share of itself a gradient counts as weaker, above its inverse as stronger


def ratios(probe: Probe, target: int, d_k: int, alpha: float) -> dict[str, dict[str, float]]:
    """Per loss and gradient, its norm without scaling over that with 1/√d_k: the median over the heads."""
    plain, scaled = (alpha**2 * SCALINGS[rule].factor(d_k) for rule in ("none", "inverse_sqrt"))
    found = {}
    for loss in LOSSES:
        above, below = (gradient_norms(probe, loss, target, d_k, factor) for factor in (plain, scaled))
        found[loss] = {name: float(above[name].median() / below[name].median()) for name in GRADIENTS}
    return found


def verdict(of: Mapping[str, float]) -> str:
    """`agree` when every loss sees that gradient move the same way, else `differ`."""
    ways = {(ratio > 1 / SMALL) - (ratio < SMALL) for ratio in of.values()}
    return "differ" if len(ways) > 1 else "agree"


def section(by_loss: Mapping[str, Mapping[str, float]], token: str, d_k: int, alpha: float, page: Words) -> None:
    """A table of the `ratios`, and in which rows the losses disagree."""
    st.header(page["depends.title"], anchor="losses")
    st.markdown(page.format("depends.text", d_k=d_k, alpha=alpha, token=token))
    head = [page["depends.gradient"], *(page[f"depends.{loss}"] for loss in LOSSES), page["depends.verdict"]]
    rows = [
        [
            page[f"measure.log_{name}"],
            *(significant(by_loss[loss][name], 3) for loss in LOSSES),
            page[f"depends.{verdict({loss: by_loss[loss][name] for loss in LOSSES})}"],
        ]
        for name in GRADIENTS
    ]
    with st.container(key="table_losses"):
        st.markdown("\n".join("| " + " | ".join(row) + " |" for row in (head, ["---", *["---:"] * 3, "---"], *rows)))
    st.caption(page["depends.reason"])
