"""Moments of samples, with standard errors, in float64; and those of all pairs of real queries and keys."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    r"""Sample mean, variance (÷ n−1) and excess kurtosis along the last axis, with standard errors.

    That of the variance uses the fourth central moment, $\sqrt{(m_4 - \frac{n-3}{n-1}s^4)/n}$ (Mood, Graybill & Boes
    1974, p. 229): for heavy tails it is far from the $s^2\sqrt{2/n}$ of a Gaussian. NaN for fewer than two samples.
    """

    mean: Float[Tensor, "*batch"]
    mean_error: Float[Tensor, "*batch"]
    variance: Float[Tensor, "*batch"]
    variance_error: Float[Tensor, "*batch"]
    excess: Float[Tensor, "*batch"]
    excess_error: Float[Tensor, "*batch"]


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    r"""q·k of real vectors over their n_q × n_k pairs, population moments; the parts add up to the variance exactly:

    $D(q\cdot k) = \sum_i\sigma_{q_i}^2\sigma_{k_i}^2 + \sum_{i\ne j}(\Sigma_q)_{ij}(\Sigma_k)_{ij}
    + \bar q^\top\Sigma_k\bar q + \bar k^\top\Sigma_q\bar k$ where every query meets every key. Where a mask chooses
    the pairs, means and covariances count each q and k as often as it occurs in them, and one part is added: what it
    changes that they are not all pairs of these q and k, $D_{\text{pairs}} - D_{\text{all}}$.
    """

    mean: Float[Tensor, "*batch"]
    variance: Float[Tensor, "*batch"]
    excess: Float[Tensor, "*batch"]
    own: Float[Tensor, "*batch"]  # each component by itself: all that the derivation counts
    together: Float[Tensor, "*batch"]  # components that move together
    offset: Float[Tensor, "*batch"]  # means that are not 0
    pairing: Float[Tensor, "*batch"]  # which query meets which key


def moments(samples: Float[Tensor, "*batch samples"]) -> Moments:
    """Mean, variance, excess kurtosis and standard errors, in float64.

    That of the excess κ − 3 is the spread of each sample's influence on it, z⁴ − 2κz² − 4γz + κ (γ: skew), over √n.
    """
    x = samples.double()
    n = x.shape[-1]
    mean = x.mean(dim=-1)
    squares = (x - mean[..., None]).square()
    m2, m4 = squares.mean(dim=-1), squares.square().mean(dim=-1)
    variance = m2 * (n / (n - 1) if n > 1 else math.nan)
    spread = (m4 - (n - 3) / max(n - 1, 1) * variance.square()) / n
    return Moments(
        mean, (variance / n).sqrt(), variance, spread.clamp(min=0).sqrt(), _excess(m2, m4), _excess_error(x, mean, m2)
    )


def observed(
    q: Float[Tensor, "*batch n_q d_k"],
    k: Float[Tensor, "*batch n_k d_k"],
    allowed: Bool[Tensor, "*#batch n_q n_k"] | None = None,
) -> Observed:
    """The moments of q_i·k_j over the allowed pairs (None: all), and where the variance comes from, in float64.

    NaN where nothing is allowed.
    """
    q, k = q.double(), k.double()
    dots = q @ k.mT
    share = torch.ones_like(dots) if allowed is None else allowed.expand(dots.shape).double()
    share = share / share.sum(dim=(-2, -1), keepdim=True)
    of_q, of_k = share.sum(dim=-1), share.sum(dim=-2)
    (q_mean, q_cov), (k_mean, k_cov) = _mean_and_covariance(q, of_q), _mean_and_covariance(k, of_k)
    own = (q_cov.diagonal(dim1=-2, dim2=-1) * k_cov.diagonal(dim1=-2, dim2=-1)).sum(dim=-1)
    mean = (share * dots).sum(dim=(-2, -1))
    apart = dots - mean[..., None, None]
    m2, m4 = ((share * apart**power).sum(dim=(-2, -1)) for power in (2, 4))
    every = of_q[..., :, None] * of_k[..., None, :]
    pairing = ((share - every) * apart**2).sum(dim=(-2, -1)) + (every * apart).sum(dim=(-2, -1)).square()
    return Observed(
        mean=mean,
        variance=m2,
        excess=_excess(m2, m4),
        own=own,
        together=(q_cov * k_cov).sum(dim=(-2, -1)) - own,
        offset=_quadratic(k_cov, q_mean) + _quadratic(q_cov, k_mean),
        pairing=torch.zeros_like(mean) if allowed is None else pairing,
    )


def _excess_error(x: Tensor, mean: Tensor, m2: Tensor) -> Tensor:
    z = (x - mean[..., None]) / m2[..., None].sqrt()
    z2 = z.square()
    z4 = z2.square()
    pairs = ((z2, z), (z2, z2), (z4, z), (z4, z2), (z4, z4))
    skew, kurtosis, fifth, sixth, eighth = ((a * b).mean(dim=-1) for a, b in pairs)
    spread = eighth - 4 * kurtosis * sixth - 8 * skew * fifth + 4 * kurtosis**3 - kurtosis**2
    return ((spread + 16 * skew**2 * (1 + kurtosis)).clamp(min=0) / x.shape[-1]).sqrt()


def _excess(m2: Tensor, m4: Tensor) -> Tensor:
    return torch.where(m2 > 0, m4 / m2.square() - 3, torch.nan)


def _mean_and_covariance(x: Float[Tensor, "*batch n d_k"], share: Float[Tensor, "*batch n"]) -> tuple[Tensor, Tensor]:
    """Of the rows of x, each counted as its share says."""
    mean = (share[..., None] * x).sum(dim=-2)
    centred = x - mean[..., None, :]
    return mean, centred.mT @ (share[..., None] * centred)


def _quadratic(matrix: Tensor, vector: Tensor) -> Tensor:
    return (vector[..., None, :] @ matrix @ vector[..., :, None]).squeeze(-1).squeeze(-1)
