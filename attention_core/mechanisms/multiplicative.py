"""Scores that are products: dot, scaled dot, general, cosine, and the squared distance that contains one."""

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.mechanisms.base import Call, Cost, LayerSizes, Mechanism, Parts, gaussian, products
from attention_core.remedies import unit
from attention_core.scalings import INVERSE_SQRT


def cosine(q: Float[Tensor, "*batch n_q d_k"], k: Float[Tensor, "*batch n_k d_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$e_{ij} = \frac{q_i \cdot k_j}{\lVert q_i\rVert\lVert k_j\rVert}$, between −1 and 1."""
    return unit(q) @ unit(k).mT


def distance(q: Float[Tensor, "*batch n_q d_k"], k: Float[Tensor, "*batch n_k d_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$e_{ij} = -\tfrac12\lVert q_i - k_j\rVert^2$, 0 at best: the dot product less half of both squared lengths.

    After Kim et al. 2021, arXiv:2006.04710, who have no ½ (and W_Q = W_K). With it the term in q·k has the factor 1, so
    that for keys of one length this is exactly the dot product.
    """
    return q @ k.mT - 0.5 * q.square().sum(-1)[..., :, None] - 0.5 * k.square().sum(-1)[..., None, :]


def _general(call: Call) -> Parts:
    W_a = call.parameters["W_a"]
    return Parts(score=lambda q, k: (q @ W_a) @ k.mT)


def _scaled(sizes: LayerSizes) -> Cost:
    return Cost(products=products(sizes).products, pointwise=sizes.pairs, held=sizes.pairs)


def _general_cost(sizes: LayerSizes) -> Cost:
    turned = 2 * sizes.n_head * sizes.n_q * sizes.d_k**2
    return Cost(products=products(sizes).products + turned, pointwise=0, held=sizes.pairs)


def _cosine_cost(sizes: LayerSizes) -> Cost:
    lengths = 3 * sizes.n_head * (sizes.n_q + sizes.n_k) * sizes.d_k  # a square, an addition and a division each
    return Cost(products=products(sizes).products, pointwise=lengths, held=sizes.pairs)


def _distance_cost(sizes: LayerSizes) -> Cost:
    squares = 2 * sizes.n_head * (sizes.n_q + sizes.n_k) * sizes.d_k
    return Cost(products=products(sizes).products, pointwise=squares + 3 * sizes.pairs, held=sizes.pairs)


def _draw_general(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    return {"W_a": gaussian((sizes.n_head, sizes.d_k, sizes.d_k), sizes.d_k, generator)}


# ∂L/∂e_j = Σ_l ∂α_l/∂e_j g_l with the Jacobian of softmax, ∂α_l/∂e_j = α_l (δ_jl − α_j).
SMOOTH = "Smooth: score j of a row gets α_j (g_j − Σ_l α_l g_l), with g_j = ∂L/∂α_j."

DOT = Mechanism(
    title="Dot",
    formula=r"e_{ij} = q_i \cdot k_j",
    reference="Luong et al. (2015), arXiv:1508.04025",
    score="dot",
    gradient=SMOOTH,
    prepare=lambda call: Parts(),
    scoring=products,
)
SCALED_DOT = Mechanism(
    title="Scaled dot",
    formula=r"e_{ij} = \frac{q_i \cdot k_j}{\sqrt{d_k}}",
    reference="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
    score="dot",
    scaling="1/√d_k",
    gradient=SMOOTH,
    prepare=lambda call: Parts(scaling=INVERSE_SQRT),
    scoring=_scaled,
)
GENERAL = Mechanism(
    title="General",
    formula=r"e_{ij} = q_i^\top W_a k_j",
    reference="Luong et al. (2015), arXiv:1508.04025",
    score="general",
    gradient=SMOOTH,
    prepare=_general,
    scoring=_general_cost,
    draw=_draw_general,
)
COSINE = Mechanism(
    title="Cosine",
    formula=r"e_{ij} = \frac{q_i \cdot k_j}{\lVert q_i\rVert\,\lVert k_j\rVert}",
    reference="Graves et al. (2014), arXiv:1410.5401, equation 6",
    score="cosine",
    gradient="Smooth, and at right angles to q and k: their lengths get none.",
    prepare=lambda call: Parts(score=cosine),
    scoring=_cosine_cost,
)
DISTANCE = Mechanism(
    title="Distance",
    formula=r"e_{ij} = -\frac{\lVert q_i - k_j\rVert^2}{2\sqrt{d_k}}",
    reference="after Kim et al. (2021), arXiv:2006.04710, who have no ½",
    score="distance",
    scaling="1/√d_k",
    gradient=SMOOTH,
    prepare=lambda call: Parts(score=distance, scaling=INVERSE_SQRT),
    scoring=_distance_cost,
)
