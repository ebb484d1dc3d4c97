"""Causal and window masks on the sentence: who is heard, through how many layers, and what a suffix changes. Pure."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.hearing import MASK_KINDS, heard_through, mask, pairs, prefix_change
from attention_core.multihead import project
from attention_core.shuffling import self_attention
from pages.mechanisms.order.reading import Reading, apart, evenly, log10
from ui.scripts import filled

RADII = (0, 1, 2, 3, 4, 6, 8, 12, 16)
LAYERS = 6
WITH_RADIUS = ("window", "causal_window")


class Masked(NamedTuple):
    """A sentence under a mask, or under every one.

    `weights` of one head, NaN where masked; `reached`, after 1 … LAYERS layers, and the share of pairs in it; `counts`:
    allowed pairs, these by formula, their share; `changes` of every token before a suffix, NaN in it, and log₁₀ of the
    largest where the suffix is `appended` and where other words take its place.
    """

    weights: Float[Tensor, "*masks n n"]
    reached: Float[Tensor, "*masks layers n n"]
    shares: Float[Tensor, "*masks layers"]
    counts: Float[Tensor, "*masks 3"]
    changes: Float[Tensor, "*masks prefixes n"]
    worst: Float[Tensor, "*masks prefixes 2"]


def radii(n: int) -> tuple[int, ...]:
    """The half-widths a sentence of n tokens can tell apart."""
    return tuple(radius for radius in RADII if radius < n)


def prefixes(n: int) -> tuple[int, ...]:
    """How many tokens are read alone: at most eight of 1 … n − 1."""
    return tuple(place + 1 for place in evenly(n - 1, 8))


def masked(reading: Reading, head: int) -> Masked:
    """Every mask (first axis) of every half-width (second axis)."""
    return _stacked(_of_kind(reading, kind, head) for kind in MASK_KINDS)


def _of_kind(reading: Reading, kind: str, head: int) -> Masked:
    wide = radii(len(reading.tokens))
    if kind in WITH_RADIUS:
        return _stacked(_under(reading, kind, radius, head) for radius in wide)
    once = _under(reading, kind, wide[0], head)  # the half-width means nothing to it
    return Masked(*(numbers.expand(len(wide), *numbers.shape) for numbers in once))


def _stacked(parts: Iterable[Masked]) -> Masked:
    return Masked(*(torch.stack(numbers) for numbers in zip(*parts, strict=True)))


def _under(reading: Reading, kind: str, radius: int, head: int) -> Masked:
    n = len(reading.tokens)
    allowed = mask(kind, n, radius)
    whole = self_attention(reading.x, reading.layer, allowed=allowed)
    reached = heard_through(allowed, LAYERS)
    changes, worst = _suffix(reading, kind, radius, whole.context)
    return Masked(
        weights=whole.weights[head].masked_fill(~allowed, torch.nan),
        reached=reached,
        shares=reached.mean(dim=(1, 2)),
        counts=torch.tensor([float(allowed.sum()), float(pairs(kind, n, radius)), float(allowed.sum()) / n**2]),
        changes=changes,
        worst=worst,
    )


def _suffix(
    reading: Reading, kind: str, radius: int, whole: Float[Tensor, "h n d_v"]
) -> tuple[Float[Tensor, "prefixes n"], Float[Tensor, "prefixes 2"]]:
    """What the words after every prefix change in it: when they are appended, and when others take their place."""
    n = len(reading.tokens)
    # All later words become other words: the first ones again, from the last to the first.
    others = torch.stack([torch.cat((reading.x[:m], reading.x[torch.arange(n - m) % m].flip(0))) for m in prefixes(n)])
    contexts = self_attention(others, reading.layer, allowed=mask(kind, n, radius)).context
    replaced = (contexts - whole).abs()
    changes, worst = [], []
    for index, length in enumerate(prefixes(n)):
        appended = prefix_change(reading.x, reading.layer, kind, radius, length, whole)
        changes.append(torch.cat((appended, torch.full((n - length,), torch.nan))))
        worst.append(torch.stack((log10(appended.max()), log10(replaced[index, :, :length].max()))))
    return torch.stack(changes), torch.stack(worst)


def sdpa_residual(reading: Reading, kind: str, radius: int) -> float:
    """How far all heads under this mask lie from torch's own attention."""
    layer = reading.layer
    assert layer.W_Q is not None and layer.W_K is not None and layer.W_V is not None
    allowed = mask(kind, len(reading.x), radius)
    q, k, v = (project(reading.x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    return apart(self_attention(reading.x, layer, allowed=allowed).context, theirs)


def arrays(reading: Reading, kind: str, radius: int) -> dict[str, np.ndarray]:
    """The mask, the weights of all heads, who reaches whom."""
    allowed = mask(kind, len(reading.x), radius)
    return {
        "tokens": np.array(reading.tokens),
        "allowed": allowed.numpy(),
        "weights": self_attention(reading.x, reading.layer, allowed=allowed).weights.numpy(),
        "reached": heard_through(allowed, LAYERS).numpy(),
    }


def script(reading: Reading, kind: str, radius: int, length: int) -> str:
    """The script of this section: how many pairs are allowed and reached, and what the suffix changes."""
    return filled(Path(__file__).with_name("script.py"), **reading.values(), kind=kind, radius=radius, length=length)
