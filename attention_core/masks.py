"""Who may attend to whom. Boolean, True = may attend; rows are queries, columns are keys.

A block of n_q queries stands at the end of the n_k keys: query i has position i + n_k − n_q.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Kind = Literal["none", "causal", "window", "causal_window", "other"]


def causal(n_q: int, n_k: int, device: torch.device | str = "cpu") -> Bool[Tensor, "n_q n_k"]:
    """True where the key is not after the query: j ≤ i + n_k − n_q."""
    return _lag(n_q, n_k, device) >= 0


def window(
    n_q: int, n_k: int, radius: int, *, causal: bool = False, device: torch.device | str = "cpu"
) -> Bool[Tensor, "n_q n_k"]:
    """True where query and key are at most `radius` tokens apart; `causal` keeps only the keys not after the query.

    Raises ValueError for a negative radius. Source: Luong et al. 2015, arXiv:1508.04025, section 3.2.
    """
    if radius < 0:
        raise ValueError(f"the window radius must be 0 or more tokens, not {radius}")
    lag = _lag(n_q, n_k, device)
    return (lag >= (0 if causal else -radius)) & (lag <= radius)


def padding(lengths: Int[Tensor, " batch"], n_k: int) -> Bool[Tensor, "batch 1 1 n_k"]:
    """True for the first `lengths[b]` keys of sequence b; broadcasts over heads and queries."""
    return (torch.arange(n_k, device=lengths.device) < lengths[:, None])[:, None, None, :]


def kind(allowed: Bool[Tensor, "n_q n_k"]) -> tuple[Kind, int]:
    """What a mask does on these tokens: nothing, one of the shapes above, or another; and the half-width of a window,
    0 where there is none. A window that reaches over the whole text forbids nothing that is seen.
    """
    n_q, n_k = allowed.shape
    if bool(allowed.all()):
        return "none", 0
    lags = _lag(n_q, n_k, allowed.device).masked_fill(~allowed, 0)
    back, ahead = int(lags.max().clamp(min=0)), int(-lags.min().clamp(max=0))
    shapes: list[tuple[Kind, int, Tensor]] = [
        ("causal", 0, causal(n_q, n_k, allowed.device)),
        ("window", max(back, ahead), window(n_q, n_k, max(back, ahead), device=allowed.device)),
        ("causal_window", back, window(n_q, n_k, back, causal=True, device=allowed.device)),
    ]
    for name, radius, shape in shapes:
        if torch.equal(allowed, shape):
            return name, radius
    return "other", 0


def _lag(n_q: int, n_k: int, device: torch.device | str) -> Int[Tensor, "n_q n_k"]:
    """How many tokens the key lies before the query."""
    position = torch.arange(n_q, device=device) + (n_k - n_q)
    return position[:, None] - torch.arange(n_k, device=device)
