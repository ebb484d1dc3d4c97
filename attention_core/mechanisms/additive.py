"""Additive scores: a small network with one hidden layer looks at each pair of a query and a key."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.mechanisms.base import Call, Cost, LayerSizes, Mechanism, Parts, gaussian
from attention_core.mechanisms.multiplicative import SMOOTH

Activation = Callable[[Tensor], Tensor]


def additive(
    q: Float[Tensor, "*batch h n_q d_k"],
    k: Float[Tensor, "*batch h n_k d_k"],
    W_a: Float[Tensor, "h d_k d_a"],
    U_a: Float[Tensor, "h d_k d_a"],
    v_a: Float[Tensor, "h d_a"],
    activation: Activation = torch.tanh,
) -> Float[Tensor, "*batch h n_q n_k"]:
    r"""$e_{ij} = v_a^\top\,\mathrm{act}(W_a q_i + U_a k_j)$ (Bahdanau et al. 2014, arXiv:1409.0473, appendix A.1.2)."""
    hidden = activation((q @ W_a)[..., :, None, :] + (k @ U_a)[..., None, :, :])
    return (hidden @ v_a[:, None, :, None]).squeeze(-1)


def concatenated(
    q: Float[Tensor, "*batch h n_q d_k"],
    k: Float[Tensor, "*batch h n_k d_k"],
    W_a: Float[Tensor, "h d_both d_a"],
    v_a: Float[Tensor, "h d_a"],
) -> Float[Tensor, "*batch h n_q n_k"]:
    r"""$e_{ij} = v_a^\top\tanh(W_a[q_i; k_j])$: the same as `additive`, at the price of one product per pair."""
    n_q, n_k = q.shape[-2], k.shape[-2]
    rows, columns = (
        q[..., :, None, :].expand(*q.shape[:-1], n_k, -1),
        k[..., None, :, :].expand(*k.shape[:-2], n_q, -1, -1),
    )
    hidden = torch.tanh(torch.cat((rows, columns), dim=-1) @ W_a[:, None])
    return (hidden @ v_a[:, None, :, None]).squeeze(-1)


def _prepare(activation: Activation) -> Callable[[Call], Parts]:
    return lambda call: Parts(score=lambda q, k: additive(q, k, **call.parameters, activation=activation))


def _draw(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    shape = (sizes.n_head, sizes.d_k, sizes.d_k)
    return {
        "W_a": gaussian(shape, sizes.d_k, generator),
        "U_a": gaussian(shape, sizes.d_k, generator),
        "v_a": gaussian((sizes.n_head, sizes.d_k), sizes.d_k, generator),
    }


def _draw_concatenated(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    split = _draw(sizes, generator)
    return {"W_a": torch.cat((split["W_a"], split["U_a"]), dim=-2), "v_a": split["v_a"]}


def _split_cost(sizes: LayerSizes) -> Cost:
    hidden = sizes.pairs * sizes.d_k
    turned = 2 * sizes.n_head * (sizes.n_q + sizes.n_k) * sizes.d_k**2
    return Cost(products=turned + 2 * hidden, pointwise=2 * hidden, held=hidden)  # an addition and an activation


def _concatenated_cost(sizes: LayerSizes) -> Cost:
    hidden = sizes.pairs * sizes.d_k
    return Cost(products=4 * hidden * sizes.d_k + 2 * hidden, pointwise=hidden, held=2 * hidden)


ADDITIVE = Mechanism(
    title="Additive",
    formula=r"e_{ij} = v_a^\top \tanh(W_a q_i + U_a k_j)",
    reference="Bahdanau et al. (2014), arXiv:1409.0473",
    score="additive (tanh)",
    gradient=SMOOTH + " Where tanh is flat it fades once more.",
    prepare=_prepare(torch.tanh),
    scoring=_split_cost,
    draw=_draw,
)
ADDITIVE_RELU = Mechanism(
    title="Additive, ReLU",
    formula=r"e_{ij} = v_a^\top \max(0, W_a q_i + U_a k_j)",
    reference="Bahdanau et al. (2014), arXiv:1409.0473, with ReLU",
    score="additive (ReLU)",
    gradient=SMOOTH + " Hidden units below 0 pass none.",
    prepare=_prepare(torch.relu),
    scoring=_split_cost,
    draw=_draw,
)
CONCAT = Mechanism(
    title="Concat",
    formula=r"e_{ij} = v_a^\top \tanh(W_a [q_i; k_j])",
    reference="Luong et al. (2015), arXiv:1508.04025",
    score="additive (tanh)",
    gradient=ADDITIVE.gradient,
    prepare=lambda call: Parts(score=lambda q, k: concatenated(q, k, **call.parameters)),
    scoring=_concatenated_cost,
    draw=_draw_concatenated,
)
