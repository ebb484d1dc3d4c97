"""Which head links two tokens: every head of a run, for one query and one key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.measures import value_weighted_norm
from attention_core.models.base import LayerTrace, Model, Run, Settings, Tokens
from attention_core.models.strain import weight_gradients

LINK_MEASURES = ("weight", "contribution", "gradient")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    r"""One head, counted from 0, and what it does from query i to key j.

    weight: $\alpha_{ij}$. contribution: $\lVert \alpha_{ij}\,v_j W^O \rVert$, the length of what the head adds to the
    output of the query because of this key (Kobayashi et al. 2020, arXiv:2004.10102, section 3), in the unit of the
    output; $\lVert \alpha_{ij}\,v_j \rVert$ where W_O is not exposed, 0 for a head that is switched off. gradient:
    $|\partial L/\partial\alpha_{ij}|$ of `weight_gradients`; NaN where it was not asked for.
    """

    layer: int
    head: int
    weight: float
    contribution: float
    gradient: float = nan


def links(
    run: Run, layer: int, query: int, key: int, gradients: Mapping[int, Float[Tensor, "h n_k"]] | None = None
) -> list[Link]:
    """Every head that may look from this query to this key, layer by layer, in the layers with the tokens of `layer`.

    `gradients`: what `gradient_rows` gives for this query. Nothing is run again.
    """
    asked, heads = run.layers[layer], []
    for index, of_layer in enumerate(run.layers):
        if (of_layer.queries, of_layer.keys) == (asked.queries, asked.keys):
            slopes = None if gradients is None else gradients[index][:, key].abs()
            heads += _links_of(of_layer, query, key, slopes)
    return heads


def ranked(heads: Sequence[Link], by: str) -> list[Link]:
    """The largest first; equal ones as they were, those without a number last."""
    return sorted(heads, key=lambda link: (isnan(getattr(link, by)), -getattr(link, by)))


def gradient_rows(model: Model, tokens: Tokens, settings: Settings, query: int) -> dict[int, Float[Tensor, "h n_k"]]:
    """By layer, ∂L/∂α of this query's row, from one forward and one backward pass (`weight_gradients`); layers that
    have no such query are left out.
    """
    slopes = weight_gradients(model, tokens, settings)
    return {index: rows[:, query].clone() for index, rows in enumerate(slopes) if query < rows.shape[1]}


def _links_of(layer: LayerTrace, query: int, key: int, slopes: Float[Tensor, " h"] | None) -> list[Link]:
    at = (slice(None), slice(query, query + 1), slice(key, key + 1))
    trace, W_O = layer.attention, layer.projections.W_O
    weights = trace.weights[at]
    handed_on = value_weighted_norm(weights, trace.v[:, key : key + 1], W_O)[:, 0, 0]
    silent = torch.tensor([(layer.index, head) in layer.settings.ablated for head in range(len(weights))])
    numbers = zip(
        layer.allowed[at][:, 0, 0].tolist(),
        weights[:, 0, 0].tolist(),
        handed_on.masked_fill(silent, 0.0).tolist(),
        (torch.full_like(handed_on, nan) if slopes is None else slopes).tolist(),
        strict=True,
    )
    return [
        Link(layer=layer.index, head=head, weight=weight, contribution=contribution, gradient=gradient)
        for head, (allowed, weight, contribution, gradient) in enumerate(numbers)
        if allowed
    ]
