"""What ends a page about a run: why its numbers can be believed, and how to take them away."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from attention_core.models import LayerTrace, Run
from ui.controls import Choice, focus, model_label
from ui.layout import Arrays, take_away, trust_line
from ui.session import SCRATCH
from ui.snippets import snippet
from ui.trust import row_sum_residual, sdpa_residual


def evidence(choice: Choice, run: Run, name: str, *, checked: Sequence[LayerTrace], arrays: Arrays) -> None:
    """The trust line and the take-away menu; of the layers `checked` the sums of all rows are."""
    layer = run.layers[choice.layer]
    query, _ = focus(len(layer.queries), len(layer.keys))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=max(row_sum_residual(each) for each in checked),
            residual=sdpa_residual(layer),
            oracle="torch.nn.functional.scaled_dot_product_attention",
            seed=choice.study.sizes.seed if choice.study.model == SCRATCH else None,
            dtype=str(run.output.dtype).removeprefix("torch."),
            model=model_label(choice.study.model),
            device=str(run.output.device),
        )
        named = {"queries": np.array(layer.queries), "keys": np.array(layer.keys)}
        take_away(
            name, arrays=lambda: {**named, **arrays()}, snippet=snippet(choice.study, choice.layer, choice.head, query)
        )
