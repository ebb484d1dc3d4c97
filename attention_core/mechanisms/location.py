"""Scores that depend on where, not on what: the query alone says which positions matter."""

import torch
from torch import Tensor

from attention_core.mechanisms.base import Call, Cost, LayerSizes, Mechanism, Parts, gaussian


def _prepare(call: Call) -> Parts:
    W_a = call.parameters["W_a"]
    return Parts(score=lambda q, k: q @ W_a)


def _draw(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    return {"W_a": gaussian((sizes.n_head, sizes.d_k, sizes.n_k), sizes.d_k, generator)}


def _cost(sizes: LayerSizes) -> Cost:
    return Cost(products=2 * sizes.pairs * sizes.d_k, pointwise=0, held=sizes.pairs)


LOCATION = Mechanism(
    title="Location",
    formula=r"e_i = W_a q_i",
    reference="Luong et al. (2015), arXiv:1508.04025",
    score="location",
    gradient="Reaches q only: the keys are never looked at. W_a has one column per position.",
    prepare=_prepare,
    scoring=_cost,
    draw=_draw,
)
