"""Local attention: softmax inside a window [p_t − D, p_t + D] of the keys. Positions count from 0."""

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.mechanisms.base import Call, Cost, LayerSizes, Mechanism, Parts, gaussian
from attention_core.normalizers import softmax
from attention_core.scalings import INVERSE_SQRT


def predicted(
    q: Float[Tensor, "*batch h n_q d_k"], W_p: Float[Tensor, "h d_k d_p"], v_p: Float[Tensor, "h d_p"], n_k: int
) -> Float[Tensor, "*batch h n_q"]:
    r"""$p_t = S\,\sigma(v_p^\top\tanh(W_p q_t))$ in tokens, S = n_k (Luong et al. 2015, arXiv:1508.04025, eq. 9)."""
    return n_k * torch.sigmoid((torch.tanh(q @ W_p) @ v_p[..., None]).squeeze(-1))


def bell(center: Float[Tensor, "*batch n_q"], n_k: int, radius: int) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\exp\!\big(-\frac{(s - p_t)^2}{2\sigma^2}\big)$ with σ = D/2 (equation 10). Raises ValueError for D = 0."""
    if radius < 1:
        raise ValueError("the Gaussian has σ = D/2, so D must be at least 1 token")
    offset = torch.arange(n_k, device=center.device, dtype=center.dtype) - center[..., None]
    return torch.exp(-offset.square() / (2 * (radius / 2) ** 2))


def near(center: Float[Tensor, "*batch n_q"], n_k: int, radius: int) -> Bool[Tensor, "*batch n_q n_k"]:
    """True where |s − p_t| ≤ D."""
    return (torch.arange(n_k, device=center.device) - center.detach()[..., None]).abs() <= radius


def weighted(
    scores: Float[Tensor, "*batch n_q n_k"],
    permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None,
    *,
    center: Float[Tensor, "*batch n_q"],
    radius: int,
) -> Float[Tensor, "*batch n_q n_k"]:
    """softmax times the Gaussian around p_t. Not renormalised, as in the paper: a row sums to less than 1."""
    return softmax(scores, permitted) * bell(center, scores.shape[-1], radius)


def _window(call: Call) -> Parts:
    """Query i stands at key i, as in the formula, also where there are more keys than queries or fewer."""
    return _around(call, _own(call))


def _monotonic(call: Call) -> Parts:
    return _around(call, _given(call, _own(call)))


def _around(call: Call, center: Tensor) -> Parts:
    return Parts(scaling=INVERSE_SQRT, allowed=near(center, call.k.shape[-2], call.options.radius))


def _own(call: Call) -> Tensor:
    """p_t = t for every query."""
    return torch.arange(call.q.shape[-2], dtype=call.q.dtype, device=call.q.device)


def _predictive(call: Call) -> Parts:
    n_k, radius = call.k.shape[-2], max(1, call.options.radius)
    center = _given(call, predicted(call.q, **call.parameters, n_k=n_k))
    return Parts(
        scaling=INVERSE_SQRT,
        normalize=partial(weighted, center=center, radius=radius),
        allowed=near(center, n_k, radius),
    )


def _given(call: Call, center: Tensor) -> Tensor:
    """The reader's p_t for every query, where one is given."""
    return center if call.options.center is None else torch.full_like(center, call.options.center)


def _draw(sizes: LayerSizes, generator: torch.Generator) -> dict[str, Tensor]:
    return {
        "W_p": gaussian((sizes.n_head, sizes.d_k, sizes.d_k), sizes.d_k, generator),
        "v_p": gaussian((sizes.n_head, sizes.d_k), sizes.d_k, generator),
    }


def _cost(sizes: LayerSizes) -> Cost:
    # All pairs are computed and the forbidden ones thrown away; a kernel made for windows needs only n_q (2D + 1).
    return Cost(products=2 * sizes.pairs * sizes.d_k, pointwise=sizes.pairs, held=sizes.pairs)


def _predictive_cost(sizes: LayerSizes) -> Cost:
    queries = sizes.n_head * sizes.n_q
    return Cost(
        products=2 * sizes.pairs * sizes.d_k + 2 * queries * sizes.d_k * (sizes.d_k + 1),
        pointwise=6 * sizes.pairs + queries * (sizes.d_k + 2),
        held=sizes.pairs,
    )


WINDOW = Mechanism(
    title="Window",
    formula=r"\alpha_{ij} = 0 \text{ unless } |i - j| \le D",
    reference="Beltagy et al. (2020), arXiv:2004.05150",
    score="dot",
    scaling="1/√d_k",
    mask="window around the query",
    gradient="Smooth inside the window, exactly 0 outside.",
    prepare=_window,
    scoring=_cost,
)
LOCAL_M = Mechanism(
    title="Local, monotonic",
    formula=r"p_t = t,\quad \alpha_{ts} = 0 \text{ unless } |s - p_t| \le D",
    reference="Luong et al. (2015), arXiv:1508.04025, section 3.2",
    score="dot",
    scaling="1/√d_k",
    mask="window around p_t = t",
    gradient="Smooth inside the window, exactly 0 outside; p_t is fixed.",
    prepare=_monotonic,
    scoring=_cost,
)
LOCAL_P = Mechanism(
    title="Local, predictive",
    formula=r"p_t = S\,\sigma(v_p^\top \tanh(W_p q_t)),\quad \alpha_{ts} = \mathrm{softmax}(e)_{ts}"
    r"\,e^{-(s - p_t)^2 / 2\sigma^2},\ \sigma = \tfrac{D}{2}",
    reference="Luong et al. (2015), arXiv:1508.04025, equations 9 and 10",
    score="dot",
    scaling="1/√d_k",
    normalizer="softmax × Gaussian",
    mask="window around the predicted p_t",
    gradient="Smooth inside the window; through the Gaussian it reaches p_t, and so q, W_p and v_p.",
    prepare=_predictive,
    scoring=_predictive_cost,
    draw=_draw,
)
