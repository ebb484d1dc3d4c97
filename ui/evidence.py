"""What ends a page about a run: why its numbers can be believed, and how to take them away."""

import numpy as np
import streamlit as st

from ui.controls import Choice, focus, model_label
from ui.layout import Arrays, take_away, trust_line
from ui.session import SCRATCH, answer
from ui.snippets import layer_code, snippet
from ui.trust import sdpa_residual


def evidence(choice: Choice, name: str, *, rows: float, arrays: Arrays, script: str = "") -> None:
    """The trust line and the take-away menu. `rows`: how far the sums of rows lie from 1, at most.
    `script`: the page's own, where it has one.
    """
    run = choice.run()
    layer = run.layers[choice.layer]
    query, _ = focus(len(layer.queries), len(layer.keys))
    with st.container(horizontal=True, vertical_alignment="center"):
        trust_line(
            rows=rows,
            residual=answer(("sdpa", choice.study, choice.layer), lambda: sdpa_residual(layer)),
            oracle="torch.nn.functional.scaled_dot_product_attention",
            seed=choice.study.sizes.seed if choice.study.model == SCRATCH else None,
            dtype=str(run.output.dtype).removeprefix("torch."),
            model=model_label(choice.study.model),
            device=str(run.output.device),
        )
        named = {"layer": np.array(choice.number), "queries": np.array(layer.queries), "keys": np.array(layer.keys)}
        place = layer_code(choice.model.layers, choice.layer)
        code = script or snippet(choice.study, place, choice.head, query)
        take_away(name, arrays=lambda: {**named, **arrays()}, snippet=code)
