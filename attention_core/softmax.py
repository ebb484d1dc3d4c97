"""One row of softmax under a microscope: its Jacobian, how much of a gradient it lets through, in stable closed forms.

Everything takes probabilities p on the last axis, made by a softmax that subtracts the maximum, so that small ones are
relatively exact. 1 − p_i of the largest is then summed from the others: the subtraction would give 0 at a gap of 37.
"""

import torch
from jaxtyping import Float
from torch import Tensor


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


def entropy_bound(sigma: Float[Tensor, "*batch"], n: int) -> Float[Tensor, "*batch"]:
    r"""The least entropy, in nats, of a row of n keys whose logits have norm at most σ (attained).

    $\ln(1 + (n-1)\beta) + \sigma\sqrt{n(n-1)}\,\beta / (1 + (n-1)\beta)$ with $\beta = e^{-\sigma\sqrt{n/(n-1)}}$:
    the entropy of the logits $\sigma(\sqrt{(n-1)/n}, -1/\sqrt{n(n-1)}, \dots)$. Zhai et al. 2023, arXiv:2303.06296,
    theorem 3.1.
    """
    beta = torch.exp(-sigma * (n / (n - 1)) ** 0.5)
    return torch.log1p((n - 1) * beta) + sigma * (n * (n - 1)) ** 0.5 * beta / (1 + (n - 1) * beta)


def _without_each(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Σ_{j≠i} x_j for positive x: the total less x_i, but for the largest the sum of the others."""
    largest = x.argmax(dim=-1, keepdim=True)
    others = x.scatter(-1, largest, 0.0).sum(dim=-1, keepdim=True)
    return (others + x.gather(-1, largest) - x).scatter(-1, largest, others)
