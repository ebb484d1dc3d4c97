"""The sentence and its shuffled twin, without and with positions. Pure."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.multihead import project
from attention_core.positions import alibi_bias, rope
from attention_core.shuffling import SCHEMES, Shuffled, placed, self_attention, shuffled, swaps
from pages.mechanisms.order.reading import N_HEAD, Reading, apart, log10
from ui.scripts import filled

SWAPS = 6
STOPS = (*map(str, range(SWAPS + 1)), "reversed")
MOVED = 0.01  # a weight that changed by more than this has moved
COMPARED = ("residual", "weights residual", "moved", "largest")


class Compared(NamedTuple):
    """One head under every scheme and in every order: weights of the sentence, shuffled, put back, and the change.

    `numbers` are COMPARED: log₁₀ of the residuals of outputs and of weights over all heads, and of the head how many
    weights moved, and the largest change.
    """

    own: Float[Tensor, "schemes n n"]
    moved: Float[Tensor, "schemes orders n n"]
    back: Float[Tensor, "schemes orders n n"]
    change: Float[Tensor, "schemes orders n n"]
    numbers: Float[Tensor, "schemes orders compared"]


def orders(n: int, seed: int) -> Int[Tensor, "orders n"]:
    """As written, after 1 … SWAPS swaps, and reversed: one row per stop of the slider."""
    return torch.cat((swaps(n, SWAPS, seed), torch.arange(n).flip(0)[None]))


def under_schemes(reading: Reading, seed: int) -> dict[str, Shuffled]:
    """Every scheme of positions, every order."""
    wanted = orders(len(reading.tokens), seed)
    return {scheme: shuffled(reading.x, reading.layer, scheme, wanted) for scheme in SCHEMES}


def compared(schemes: Mapping[str, Shuffled], head: int) -> Compared:
    """What one head makes of it."""
    own, moved, back = (
        torch.stack([getattr(sentence, name)[..., head, :, :] for sentence in schemes.values()])
        for name in ("weights", "moved", "back")
    )
    change = back - own[:, None]
    outputs = torch.stack([sentence.residual for sentence in schemes.values()])
    weights = torch.stack(
        [(sentence.back - sentence.weights).abs().amax(dim=(1, 2, 3)) for sentence in schemes.values()]
    )
    numbers = torch.stack(
        (
            log10(outputs),
            log10(weights),
            (change.abs() > MOVED).double().sum(dim=(-2, -1)),
            change.abs().amax(dim=(-2, -1)),
        ),
        dim=-1,
    )
    return Compared(own, moved, back, change, numbers)


def sdpa_residual(reading: Reading) -> float:
    """How far the contexts of all schemes and heads lie from torch's own attention."""
    worst = 0.0
    layer = reading.layer
    assert layer.W_Q is not None and layer.W_K is not None and layer.W_V is not None
    for scheme in SCHEMES:
        ours = self_attention(reading.x, layer, scheme).context
        x = placed(reading.x, scheme)
        q, k, v = (project(x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
        if scheme == "rope":
            q, k = rope(q), rope(k)
        bias = alibi_bias(N_HEAD, len(x), len(x)).double() if scheme == "alibi" else None
        worst = max(worst, apart(ours, F.scaled_dot_product_attention(q, k, v, attn_mask=bias)))
    return worst


def row_sums(schemes: Mapping[str, Shuffled]) -> float:
    """max |Σ_j α_ij − 1|."""
    return max(float((sentence.moved.sum(dim=-1) - 1).abs().max()) for sentence in schemes.values())


def arrays(reading: Reading, schemes: Mapping[str, Shuffled], seed: int) -> dict[str, np.ndarray]:
    """What the maps show, all heads and orders."""
    return {
        "tokens": np.array(reading.tokens),
        "orders": orders(len(reading.tokens), seed).numpy(),
        **{
            f"{scheme}_{name}": getattr(sentence, name).numpy()
            for scheme, sentence in schemes.items()
            for name in ("weights", "moved", "residual")
        },
    }


def script(reading: Reading, seed: int) -> str:
    """The script of this section: the residual of every scheme in every order."""
    return filled(Path(__file__).with_name("script.py"), **reading.values(), shuffle=seed)
