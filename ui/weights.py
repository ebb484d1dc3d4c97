"""The weights of one head, to be drawn. Pure."""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor

from attention_core.models import LayerTrace
from ui.components.canvas import Panel


def live_panel(layer: LayerTrace, head: int) -> Panel:
    """The scaled scores of one head at T = 1, of which the browser shows the weights; hard weights as they are."""
    trace = layer.head(head)
    if layer.settings.normalizer != "softmax":
        return weights_panel("weights", masked_like(trace.weights, trace.masked_scores), "weights", "α")
    forbidden = trace.masked_scores.isneginf()
    scores = trace.scaled_scores.masked_fill(forbidden, math.nan) * layer.settings.temperature
    bias = (trace.masked_scores - trace.capped_scores).masked_fill(forbidden, 0.0)
    panel = weights_panel("weights", scores, "weights", "α")
    biases = bias.numpy() if bool(bias.any()) else None
    return replace(panel, live=True, limit=1.0, bias=biases, softcap=layer.softcap)


def shown_weights(layer: LayerTrace, head: int) -> Float[np.ndarray, "n_q n_k"]:
    """The weights of one head, NaN where masked."""
    return masked_like(layer.attention.weights[head], layer.attention.masked_scores[head]).numpy()


def all_weights(layer: LayerTrace) -> Float[np.ndarray, "h n_q n_k"]:
    """The weights of all heads, NaN where masked."""
    return masked_like(layer.attention.weights, layer.attention.masked_scores).numpy()


def masked_like(values: Tensor, masked_scores: Tensor) -> Tensor:
    """The values, NaN where a score is masked."""
    return values.masked_fill(masked_scores.isneginf(), math.nan)


def weights_panel(name: str, values: Tensor, scale: str, title: str) -> Panel:
    """A matrix of queries and keys."""
    shape = " × ".join(map(str, values.shape))
    return Panel(name=name, values=values.numpy(), rows="query", cols="key", scale=scale, title=title, note=shape)
