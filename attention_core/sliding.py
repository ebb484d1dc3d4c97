r"""One query under a window that slides: its weights, a loss, and the gradient to p_t, at every D and p_t.

The loss asks for the value vector of one key, $L = \tfrac12\lVert c - v_{target}\rVert^2$, so
$\partial L/\partial w_s = (c - v_{target})\cdot v_s$. The softmax inside the window does not depend on p_t while no
token enters or leaves, so only the Gaussian carries the gradient, with σ = D/2:
$\frac{\partial L}{\partial p_t} = \sum_s \frac{\partial L}{\partial w_s}\, w_s\, \frac{s - p_t}{\sigma^2}$.
Source: Luong et al. 2015, arXiv:1508.04025, section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import attend
from attention_core.mechanisms.local import bell, near, weighted

NUMBERS = ("row_sum", "inside", "loss", "autograd", "closed", "difference", "residual", "apart")
STEP = 1e-5  # tokens, of the central differences


@dataclass(frozen=True, slots=True, eq=False)
class Slid:
    """What happens at one (D, p_t) or at many: leading axes are those stops. Keys outside the window hold NaN.

    `inside`: softmax over the window. `weights`: times the Gaussian. `numbers`: NUMBERS, that is Σ weights, tokens in
    the window, the loss, ∂loss/∂p_t three times (autograd, closed form, central differences with the tokens of the
    window held), how far these are apart at most, and how far `inside` is from the softmax over all keys.
    """

    inside: Float[Tensor, "*stops n"]
    weights: Float[Tensor, "*stops n"]
    numbers: Float[Tensor, "*stops numbers"]


def d_center(
    weights: Float[Tensor, "*batch n"],
    d_weights: Float[Tensor, "*batch n"],
    center: Float[Tensor, "*batch"],
    radius: int,
) -> Float[Tensor, "*batch"]:
    r"""$\partial L/\partial p_t = \sum_s \frac{\partial L}{\partial w_s} w_s (s - p_t)/\sigma^2$, σ = D/2."""
    offset = torch.arange(weights.shape[-1], dtype=weights.dtype) - center[..., None]
    return (d_weights * weights * offset).sum(dim=-1) / (radius / 2) ** 2


def slide(
    q: Float[Tensor, " d_k"],
    k: Float[Tensor, "n d_k"],
    v: Float[Tensor, "n d_v"],
    *,
    target: int,
    radii: Sequence[int],
    centers: Float[Tensor, " p"],
) -> Slid:
    """One query at every half-width D ≥ 1 (first axis) and every p_t in tokens (second axis)."""
    rows, keys, values = (vectors.expand(len(centers), -1, -1) for vectors in (q[None], k, v))
    everywhere = attend(rows, keys, values).weights[:, 0]
    by_radius = [_at(rows, keys, values, everywhere, target, radius, centers) for radius in radii]
    return Slid(
        inside=torch.stack([one.inside for one in by_radius]),
        weights=torch.stack([one.weights for one in by_radius]),
        numbers=torch.stack([one.numbers for one in by_radius]),
    )


def _at(
    rows: Float[Tensor, "p 1 d_k"],
    keys: Float[Tensor, "p n d_k"],
    values: Float[Tensor, "p n d_v"],
    everywhere: Float[Tensor, "p n"],
    target: int,
    radius: int,
    centers: Float[Tensor, " p"],
) -> Slid:
    n, v = keys.shape[-2], values[0]
    center = centers.clone().requires_grad_()
    allowed = near(center[:, None], n, radius)
    normalize = partial(weighted, center=center[:, None], radius=radius)
    trace = attend(rows, keys, values, normalize=normalize, allowed=allowed)
    loss = 0.5 * (trace.context[:, 0] - v[target]).square().sum(dim=-1)
    autograd = torch.autograd.grad(loss.sum(), center)[0]
    weights, context = trace.weights[:, 0].detach(), trace.context[:, 0].detach()
    closed = d_center(weights, (context - v[target]) @ v.mT, centers, radius)
    inside = attend(rows, keys, values, allowed=allowed).weights[:, 0]
    ahead, behind = (_loss(inside, bell(centers + step, n, radius), v, target) for step in (STEP, -STEP))
    difference = (ahead - behind) / (2 * STEP)
    numbers = {
        "row_sum": weights.sum(dim=-1),
        "inside": allowed[:, 0].sum(dim=-1).to(weights.dtype),
        "loss": loss.detach(),
        "autograd": autograd,
        "closed": closed,
        "difference": difference,
        "residual": torch.maximum((autograd - closed).abs(), (autograd - difference).abs()),
        "apart": (inside - everywhere).abs().amax(dim=-1),
    }
    hidden = ~allowed[:, 0]
    return Slid(
        inside=inside.masked_fill(hidden, torch.nan),
        weights=weights.masked_fill(hidden, torch.nan),
        numbers=torch.stack([numbers[name] for name in NUMBERS], dim=-1),
    )


def _loss(
    inside: Float[Tensor, "p n"], gaussian: Float[Tensor, "p n"], v: Float[Tensor, "n d_v"], target: int
) -> Float[Tensor, " p"]:
    return 0.5 * ((inside * gaussian) @ v - v[target]).square().sum(dim=-1)
