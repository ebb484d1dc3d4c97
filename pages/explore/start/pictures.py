"""The small laboratory of the first page: one map from soft to hard, two sliders, and how many rows can still learn.
Pure."""

from collections.abc import Sequence

import numpy as np

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, Probe
from ui.components.lab import Box, Controls, Film, Gauge, Map, Plot, Slider, Softmax
from ui.stops import d_k_slider, scale_slider
from ui.text import Words, words

HEAD = 0  # of the untrained layer: all of its heads are drawn alike
LEFT, RIGHT = Box(span=5, narrow=4, height=262), Box(stack="right", span=7, narrow=4)


def sliders(d_k: int, alpha: int, page: Words) -> list[Slider]:
    """d_k and α, as indices of their stops."""
    return [d_k_slider(d_k, page), scale_slider(alpha, page)]


def films(probe: Probe, alive: np.ndarray) -> list[Film]:
    """Scores by d_k, α² by α, and how many rows are alive by both."""
    scores = np.stack([probe.scores(d_k)[HEAD].numpy() for d_k in D_K_STOPS])
    squares = np.square(np.array(INPUT_SCALES, dtype=np.float32))[:, None]
    return [
        Film("scores", scores, ("d_k",)),
        Film("factor", squares, ("alpha",)),
        Film("alive", alive, ("d_k", "alpha")),
    ]


def computed(n: int) -> list[Softmax]:
    """The weights, under the finger."""
    return [Softmax(name="weights", scores="scores", factor="factor", cols=n, size=n * n)]


def plots(tokens: Sequence[str], page: Words) -> list[Plot]:
    """The map; beside it the sliders and the gauge."""
    n = len(tokens)
    return [
        Map(
            name="weights",
            box=LEFT,
            title=page["map"],
            film="weights",
            rows=n,
            cols=n,
            names=tuple(tokens),
            root=True,
            says=words("canvas", page.language)["pair"],
        ),
        Controls(name="controls", box=RIGHT, sliders=("d_k", "alpha")),
        Gauge(
            name="gauge",
            box=RIGHT,
            film="alive",
            count=n,
            title=page["gauge"],
            says=page["alive"],
            note=page["gauge_note"],
        ),
    ]
