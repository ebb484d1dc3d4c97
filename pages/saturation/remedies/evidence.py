"""What the sliders leave behind: the table, why its numbers can be believed, and a script that prints them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import streamlit as st

from attention_core.remedies import Remedy
from attention_core.remedy_curves import COLUMNS, Head, Place
from attention_core.saturation import D_K_STOPS, INPUT_SCALES
from pages.saturation.remedies import tables
from pages.saturation.remedies.numbers import (
    BASELINE,
    KEYS,
    Learned,
    autograd_residual,
    row_sum_residual,
    sdpa_residual,
)
from ui.layout import trust_line
from ui.scripts import filled
from ui.text import Words


def trust(
    head: Head, weights: np.ndarray, columns: np.ndarray, table: Mapping[str, Remedy], stand: Place, seed: int
) -> None:
    """Why the numbers can be believed."""
    fused = sdpa_residual(head, weights[KEYS.index(BASELINE)], stand)
    trust_line(
        rows=row_sum_residual(weights, table),
        residual=max(fused, autograd_residual(head, columns, table, stand)),
        oracle="torch SDPA, torch.autograd",
        seed=seed,
        dtype="float64 → float32",  # computed, and rounded to be sent
        device="cpu",
    )


def draw_table(columns: np.ndarray, n: int, page: Words) -> None:
    """The read-outs of every remedy."""
    st.dataframe(
        tables.rows(columns, n, page),
        hide_index=True,
        height="content",
        column_config={
            page[f"column.{name}"]: st.column_config.TextColumn(alignment="right", help=page[f"help.{name}"])
            if name.startswith("log_")
            else st.column_config.NumberColumn(format=tables.form(name, n, page), help=page[f"help.{name}"])
            for name in COLUMNS
        },
    )


def script(text: str, seed: int, number: int, stand: Place, learned: Learned, page: Words) -> str:
    """Python that prints the table at this place, its gradients by autograd."""
    return filled(
        Path(__file__).with_name("script.py"),
        text=text,
        seed=seed,
        head=number,
        d_k=D_K_STOPS[stand.d_k],
        alpha=INPUT_SCALES[stand.alpha],
        n=stand.n,
        T=learned["temperature"],
        g=learned["qk_norm"] or None,
        c=learned["softcap"],
        s=learned["ssmax"],
        titles=tuple(page[f"column.{name}"] for name in COLUMNS),
    )
