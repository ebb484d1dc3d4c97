"""What tells attention the order of the tokens: a term of x (sinusoidal), a turn of q and k (RoPE), a bias (ALiBi)."""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Pairing = Literal["interleaved", "halves"]


def sinusoidal(n: int, d_model: int, base: float = 10000.0) -> Float[Tensor, "n d_model"]:
    r"""$PE_{p,2i} = \sin(p\,\omega_i),\ PE_{p,2i+1} = \cos(p\,\omega_i)$ with $\omega_i = base^{-2i/d_{model}}$.

    float32. With an odd d_model the last sine has no cosine. For even d_model $PE_p \cdot PE_{p+k}$ depends on k only.
    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    angle = _angles(torch.arange(n), d_model, base)
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)[:, :d_model].float()


def rope(
    x: Float[Tensor, "*batch n d_k"],
    positions: Int[Tensor, "*#batch n"] | None = None,
    base: float = 10000.0,
    pairing: Pairing = "interleaved",
) -> Float[Tensor, "*batch n d_k"]:
    r"""Rotate pair i of the vector at position p by the angle $p\,base^{-2i/d_k}$: $q_m \cdot k_n$ sees only m − n.

    `positions` count from 0 when they are not given. Pair i is components (2i, 2i + 1) when `interleaved`, as in the
    paper, or (i, i + d_k/2) in `halves`, as in Llama. Half precision is rotated in float32.
    Raises ValueError for an odd d_k. Source: Su et al. 2021, arXiv:2104.09864, section 3.2.2.
    """
    d_k = x.shape[-1]
    if d_k % 2:
        raise ValueError(f"rotary positions turn pairs of components, so d_k must be even, not {d_k}")
    positions = torch.arange(x.shape[-2], device=x.device) if positions is None else positions
    angle = _angles(positions, d_k, base)
    precision = torch.promote_types(x.dtype, torch.float32)
    cos, sin = angle.cos().to(precision), angle.sin().to(precision)
    shape, axis = ((d_k // 2, 2), -1) if pairing == "interleaved" else ((2, d_k // 2), -2)
    first, second = x.unflatten(-1, shape).unbind(axis)
    turned = torch.stack((first * cos - second * sin, first * sin + second * cos), dim=axis)
    return turned.flatten(-2).to(x.dtype)


def alibi_slopes(n_head: int) -> Float[Tensor, " n_head"]:
    r"""$m_h = 2^{-8h/H}$ for $h = 1 \dots H$, float32; H = 8 gives ½, ¼, …, 1/256.

    When H is no power of two: the slopes of the next lower power P, then every other slope of 2P. Raises ValueError
    without a head. Source: Press et al. 2021, arXiv:2108.12409, section 3 and the authors' code.
    """
    if n_head < 1:
        raise ValueError(f"there must be at least 1 head, not {n_head}")
    power = 2 ** int(math.log2(n_head))
    exponents = [h / power for h in range(1, power + 1)] + [h / (2 * power) for h in range(1, 2 * power + 1, 2)]
    return torch.tensor([2 ** (-8 * exponent) for exponent in exponents[:n_head]])


def alibi_bias(n_head: int, n_q: int, n_k: int, device: torch.device | str = "cpu") -> Float[Tensor, "n_head n_q n_k"]:
    r"""$-m_h\,|i - j|$, to be added to the scores: the further a key, the lower its score. float32.

    A block of n_q queries stands at the end of the n_k keys: query i has position i + n_k − n_q.
    Source: Press et al. 2021, arXiv:2108.12409, section 3; |i − j| makes it symmetric where later keys are allowed.
    """
    query = torch.arange(n_q, device=device)[:, None] + (n_k - n_q)
    distance = (query - torch.arange(n_k, device=device)).abs()
    return -alibi_slopes(n_head).to(device)[:, None, None] * distance


def _angles(positions: Int[Tensor, "*batch n"], d: int, base: float) -> Float[Tensor, "*batch n pairs"]:
    """positions · base^(−2i/d) in float64: in float32 the angle is off by 10⁻² rad at position 10⁵."""
    frequency = base ** (-torch.arange(0, d, 2, dtype=torch.float64, device=positions.device) / d)
    return positions[..., None] * frequency
