"""What a mask lets through: how many pairs, how far in several layers, and whether later tokens matter."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core import masks
from attention_core.models.base import Projections
from attention_core.shuffling import self_attention

MASK_KINDS = ("none", "causal", "window", "causal_window")


def mask(kind: str, n: int, radius: int) -> Bool[Tensor, "n n"]:
    """One of MASK_KINDS for n tokens; True = may attend. Raises KeyError for another kind."""
    return {
        "none": lambda: torch.ones(n, n, dtype=torch.bool),
        "causal": lambda: masks.causal(n, n),
        "window": lambda: masks.window(n, n, radius),
        "causal_window": lambda: masks.window(n, n, radius, causal=True),
    }[kind]()


def pairs(kind: str, n: int, radius: int) -> int:
    """How many pairs the mask allows, by formula.

    All: n². Causal: n(n + 1)/2. Window: n(2D + 1) − D(D + 1), with D cut at n − 1; its causal half:
    n(D + 1) − D(D + 1)/2.
    """
    D = min(radius, n - 1)
    return {
        "none": n * n,
        "causal": n * (n + 1) // 2,
        "window": n * (2 * D + 1) - D * (D + 1),
        "causal_window": n * (D + 1) - D * (D + 1) // 2,
    }[kind]


def heard_through(allowed: Bool[Tensor, "n n"], layers: int) -> Float[Tensor, "layers n n"]:
    """1 where a token hears another through L layers of this mask, for L = 1 … `layers`: (A^L)_ij > 0.

    Source: Beltagy et al. 2020, arXiv:2004.05150, section 3.1: a window of half-width D reaches L·D tokens.
    """
    one = allowed.float()
    reached = [one]
    for _ in range(layers - 1):
        reached.append(((reached[-1] @ one) > 0).float())
    return torch.stack(reached)


def prefix_change(
    x: Float[Tensor, "n d_model"],
    layer: Projections,
    kind: str,
    radius: int,
    length: int,
    whole: Float[Tensor, "h n d_v"] | None = None,
) -> Float[Tensor, " length"]:
    """Per token of the first `length`: how much its context changes, at most, when the rest of the text is appended.

    `whole`: the contexts of the whole text, where they are known already.
    """
    alone = self_attention(x[:length], layer, allowed=mask(kind, length, radius)).context
    if whole is None:
        whole = self_attention(x, layer, allowed=mask(kind, len(x), radius)).context
    return (alone - whole[..., :length, :]).abs().amax(dim=(0, 2))
