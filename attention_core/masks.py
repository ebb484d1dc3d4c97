"""Who may attend to whom. Boolean, True = may attend; rows are queries, columns are keys.

A block of n_q queries stands at the end of the n_k keys: query i has position i + n_k − n_q.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


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


def _lag(n_q: int, n_k: int, device: torch.device | str) -> Int[Tensor, "n_q n_k"]:
    """How many tokens the key lies before the query."""
    position = torch.arange(n_q, device=device) + (n_k - n_q)
    return position[:, None] - torch.arange(n_k, device=device)
