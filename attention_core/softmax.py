"""One row of softmax under a microscope: its Jacobian, how much of a gradient it lets through, in stable closed forms.

Everything takes probabilities p on the last axis, made by a softmax that subtracts the maximum, so that small ones are
relatively exact. 1 − p_i of the largest is then summed from the others: the subtraction would give 0 at a gap of 37.
Below: what a dtype does to a row of two, and from which gap on it loses it.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.precision import wide


def complement(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""$q_i = \sum_{j \ne i} p_j$, relatively exact also where p_i rounds to 1."""
    return _without_each(p)


def jacobian(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n n"]:
    r"""$J = \mathrm{diag}(p) - pp^\top$, i.e. $\partial p_i/\partial x_j = p_i(\delta_{ij} - p_j)$.

    Its diagonal is p_i q_i. Symmetric, positive semi-definite, J·1 = 0. Source: Bridle 1990, Neurocomputing 68,
    227–236.
    """
    outer = -p[..., :, None] * p[..., None, :]
    return outer.diagonal_scatter(p * complement(p), dim1=-2, dim2=-1)


def backward(p: Float[Tensor, "*batch n"], dp: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""The gradient through the row: $ds = J\,dp = p \odot (dp - \langle p, dp\rangle)$.

    dp is shifted to 0 at the largest p (J does not see shifts), so that nothing cancels when p saturates.
    """
    shifted = dp - dp.gather(-1, p.argmax(dim=-1, keepdim=True))
    return p * (shifted - (p * shifted).sum(dim=-1, keepdim=True))


def row_gain(p: Float[Tensor, "*batch n"], dp: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$\gamma = \lVert J\,dp\rVert / \lVert dp\rVert \le \lVert J\rVert_2 \le \tfrac12$; below 10⁻³ a row is dead."""
    return torch.linalg.vector_norm(backward(p, dp), dim=-1) / torch.linalg.vector_norm(dp, dim=-1)


def trace(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$\mathrm{tr} J = \sum_i p_i q_i = 1 - \sum_i p_i^2$, from 0 (one-hot) to 1 − 1/n (uniform)."""
    return (p * complement(p)).sum(dim=-1)


def frobenius(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$\lVert J\rVert_F = \big(\sum_i p_i^2 (q_i^2 + \sum_{j\ne i} p_j^2)\big)^{1/2} \le \tfrac12$; uniform: √(n−1)/n.

    All terms are positive; S₂ − 2S₃ + S₂² is the same number and cancels to 0 at a gap of 25.
    """
    rest = _without_each(p.square())
    return (p.square() * (complement(p).square() + rest)).sum(dim=-1).sqrt()


def eigenvalues(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    r"""λ₁ ≥ … ≥ λ_n = 0 of J, interlaced with p: $p_{(1)} \ge \lambda_1 \ge p_{(2)} \ge \dots \ge \lambda_n$."""
    return torch.linalg.eigvalsh(jacobian(p)).flip(-1)


def spectral(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$\lVert J\rVert_2 = \lambda_1$, max p_i q_i ≤ λ₁ ≤ max 2 p_i q_i ≤ ½ (Nair 2025, arXiv:2510.23012)."""
    return eigenvalues(p)[..., 0]


def entropy(p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
    r"""$H = -\sum_i p_i \ln p_i$ in nats with 0 · ln 0 = 0, relatively exact also where p_max rounds to 1.

    There its logarithm is log1p(−q), q the sum of the others: ln 1 = 0 would lose q, of q (1 + ln 1/q) in all. A row
    that sums to something else than 1 keeps ln p_max.
    """
    exact = wide(p)
    largest, place = exact.max(dim=-1, keepdim=True)
    others = exact.scatter(-1, place, 0.0)
    p_max, q = largest[..., 0], others.sum(dim=-1)
    whole = ((p_max + q - 1).abs() <= 4 * torch.finfo(p.dtype).eps) & (q < 0.5)
    lead = torch.where(whole, -p_max * torch.log1p(-q.clamp(max=0.5)), torch.special.entr(p_max))
    return torch.special.entr(others).sum(dim=-1) + lead


def two_to_one(a: Float[Tensor, "*batch"]) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    r"""The favourite of the row [a, a, 2a]: $y_3 = 1/(1 + 2e^{-a})$, and $1 - y_3 = 2e^{-a}/(1 + 2e^{-a})$.

    The second is not a subtraction: at a = 100 it is 7.4·10⁻⁴⁴, while y₃ is 1 in every dtype.
    """
    rest = 2 * torch.exp(-a)
    return 1 / (1 + rest), rest / (1 + rest)


def central_differences(x: Float[Tensor, " n"], h: float) -> Float[Tensor, "n n"]:
    r"""$\partial p_i/\partial x_j \approx \big(p_i(x + h e_j) - p_i(x - h e_j)\big)/2h$ with torch's own softmax.

    Off by O(h²) from the formula and by O(ε/h) from rounding, so there is a best h, near ε^{1/3}.
    """
    step = h * torch.eye(len(x), dtype=x.dtype)
    return ((torch.softmax(x + step, dim=-1) - torch.softmax(x - step, dim=-1)) / (2 * h)).mT


def entropy_bound(sigma: Float[Tensor, "*batch"], n: int) -> Float[Tensor, "*batch"]:
    r"""The least entropy, in nats, of a row of n keys whose logits have norm at most σ (attained).

    $\ln(1 + (n-1)\beta) + \sigma\sqrt{n(n-1)}\,\beta / (1 + (n-1)\beta)$ with $\beta = e^{-\sigma\sqrt{n/(n-1)}}$:
    the entropy of the logits $\sigma(\sqrt{(n-1)/n}, -1/\sqrt{n(n-1)}, \dots)$. Zhai et al. 2023, arXiv:2303.06296,
    theorem 3.1.
    """
    beta = torch.exp(-sigma * (n / (n - 1)) ** 0.5)
    return torch.log1p((n - 1) * beta) + sigma * (n * (n - 1)) ** 0.5 * beta / (1 + (n - 1) * beta)


def row_of_two(
    gaps: Float[Tensor, " gaps"], dtype: torch.dtype, *, subtract_max: bool = True
) -> tuple[Float[Tensor, "gaps 2"], Float[Tensor, "gaps 2"]]:
    r"""p of the scores [g, 0] and $\partial p_1/\partial x$ by torch's autograd, both really computed in `dtype`.

    Without `subtract_max`: $e^{x_i}/\sum_j e^{x_j}$ as written, which overflows to ∞/∞ = NaN.
    """
    x = torch.stack([gaps, torch.zeros_like(gaps)], dim=-1).to(dtype).requires_grad_()
    if subtract_max:
        p = torch.softmax(x, dim=-1)
    else:
        powers = torch.exp(x)
        p = powers / powers.sum(dim=-1, keepdim=True)
    (slope,) = torch.autograd.grad(p[:, 0].sum(), x)
    return p.detach(), slope


Event = Callable[[Float[Tensor, "gaps 2"], Float[Tensor, "gaps 2"]], Tensor]

# What can happen to a row of two as its gap grows: name → (is the maximum subtracted, has it happened).
ROUNDINGS: dict[str, tuple[bool, Event]] = {
    "one": (True, lambda p, slope: p[:, 0] == 1),
    "no_slope": (True, lambda p, slope: slope[:, 0] == 0),
    "zero": (True, lambda p, slope: p[:, 1] == 0),
    "overflow": (False, lambda p, slope: p[:, 0].isnan()),
}


def first_gap(loss: str, dtype: torch.dtype) -> float:
    """The least gap at which this one of ROUNDINGS happens in `dtype`; gaps are rounded to it on the way in."""
    subtract_max, happened = ROUNDINGS[loss]
    return _first(lambda gaps: happened(*row_of_two(gaps, dtype, subtract_max=subtract_max)))


def first_favourite(dtype: torch.dtype) -> float:
    """The least a at which y₃ of [a, a, 2a] is exactly 1 in `dtype`."""
    row = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)
    return _first(lambda a: torch.softmax((a[:, None] * row).to(dtype), dim=-1)[:, 2] == 1)


def _first(happened: Callable[[Float[Tensor, " gaps"]], Tensor], high: float = 1024.0) -> float:
    """Where a condition that stays true once it is true becomes true, between 0 and `high`: 33 points at a time."""
    low = 0.0
    for _ in range(10):  # 32 to the tenth parts of `high`: finer than float64 tells apart
        points = torch.linspace(low, high, 33, dtype=torch.float64)
        first = int(happened(points).int().argmax())
        low, high = float(points[max(first - 1, 0)]), float(points[first])
    return high


def expected_maximum(n: int) -> float:
    r"""$m_n = \mathbb E\max_{i\le n} z_i = \int z\, n\, \varphi(z)\, \Phi(z)^{n-1}\, dz$: the mean of the largest of n
    independent N(0, 1), about √(2 ln n).

    For Gaussian logits of standard deviation σ, E tr J → m_n/σ as σ grows (Stein: σ² E tr J = E⟨x, p⟩ → E max x).
    """
    z = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    normal = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64))
    density = n * normal.log_prob(z).exp() * normal.cdf(z) ** (n - 1)
    return float(torch.trapezoid(z * density, z))


def _without_each(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Σ_{j≠i} x_j for positive x: the total less x_i, but for the largest the sum of the others."""
    largest = x.argmax(dim=-1, keepdim=True)
    others = x.scatter(-1, largest, 0.0).sum(dim=-1, keepdim=True)
    return (others + x.gather(-1, largest) - x).scatter(-1, largest, others)
