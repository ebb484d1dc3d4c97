"""Keys and values shared by heads, kept in a cache, read one token at a time. Pure."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import AttentionTrace
from attention_core.kv_cache import decode, elements_per_token, full_pass, groups, latent_elements, shared
from attention_core.multihead import project
from pages.mechanisms.order.reading import D_HEAD, N_HEAD, Reading, apart, log10
from ui.scripts import filled

KEY_HEADS = (1, 2, 4, 8)
PUBLISHED_HEADS = (1, 2, 4, 8, 16, 32, 64, 128)
PUBLISHED = (128, 128)  # heads and their width in DeepSeek-V2, arXiv:2405.04434, section 3.1.2
LATENT = (512, 64)  # what it keeps instead: the compressed vector, the rotary key
COUNTED = ("per token", "kept", "residual", "projected", "projected again")
ATTENTIONS = ("MHA", "GQA", "MQA", "MLA")


class Decoded(NamedTuple):
    """The sentence read one token at a time, with KEY_HEADS key heads (first axis).

    `sharing`: which key head each head reads, NaN where there is none; `rows`: the weights of one head at every step,
    NaN after it; `cache`: COUNTED at every step, the residual from the full pass as log₁₀; `whole`: the full pass.
    """

    sharing: Float[Tensor, "*key_heads h h"]
    rows: Float[Tensor, "*key_heads n n"]
    cache: Float[Tensor, "*key_heads n counted"]
    whole: Float[Tensor, "*key_heads n n"]


def decoded(reading: Reading, head: int) -> Decoded:
    """Every number of key heads."""
    parts = [_decoded(reading, head, key_heads) for key_heads in KEY_HEADS]
    return Decoded(*(torch.stack(numbers) for numbers in zip(*parts, strict=True)))


def _decoded(reading: Reading, head: int, key_heads: int) -> Decoded:
    n, layer = len(reading.tokens), shared(reading.layer, key_heads)
    steps, _ = decode(reading.x, layer)
    full = full_pass(reading.x, layer)
    sharing = F.one_hot(groups(N_HEAD, key_heads), N_HEAD).double()
    sharing[:, key_heads:] = torch.nan
    rows = [F.pad(step.weights[head, 0], (0, n - t - 1), value=torch.nan) for t, step in enumerate(steps)]
    t, per_token = torch.arange(1, n + 1).double(), float(elements_per_token(key_heads, D_HEAD))
    # Without a cache step t projects all t tokens again, so t(t + 1)/2 in all.
    cache = (torch.full((n,), per_token), per_token * t, log10(residuals(steps, full)), t, t * (t + 1) / 2)
    whole = full.weights[head].masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), torch.nan)
    return Decoded(sharing, torch.stack(rows), torch.stack(cache, dim=-1), whole)


def residuals(steps: Sequence[AttentionTrace], full: AttentionTrace) -> Float[Tensor, " n"]:
    """Per step: how far its contexts lie from the full pass."""
    return torch.stack([(step.context[:, 0] - full.context[:, t]).abs().max() for t, step in enumerate(steps)])


def published_elements() -> Float[np.ndarray, "heads kinds"]:
    """Numbers kept per token and layer in a large model: all heads, so many, one, and the compressed vector."""
    n_head, width = PUBLISHED
    most, least, latent = elements_per_token(n_head, width), elements_per_token(1, width), latent_elements(*LATENT)
    rows = [(most, elements_per_token(key_heads, width), least, latent) for key_heads in PUBLISHED_HEADS]
    return np.array(rows, dtype=np.float32)


def sdpa_residual(reading: Reading) -> float:
    """All numbers of key heads: how far the full pass lies from torch's own grouped attention."""
    worst = 0.0
    for key_heads in KEY_HEADS:
        layer = shared(reading.layer, key_heads)
        q, k, v = (project(reading.x, W)[None] for W in (layer.W_Q, layer.W_K, layer.W_V))
        theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0]
        worst = max(worst, apart(full_pass(reading.x, layer).context, theirs))
    return worst


def arrays(reading: Reading, key_heads: int) -> dict[str, np.ndarray]:
    """The cache after the last token, and the weights of all heads."""
    layer = shared(reading.layer, key_heads)
    _, cache = decode(reading.x, layer)
    weights = full_pass(reading.x, layer).weights
    tensors = {"k": cache.k.numpy(), "v": cache.v.numpy(), "weights": weights.numpy()}
    return {"tokens": np.array(reading.tokens), **tensors}


def script(reading: Reading, key_heads: int) -> str:
    """The script of this section: it decodes with a cache and compares with the full pass."""
    return filled(Path(__file__).with_name("script.py"), **reading.values(), key_heads=key_heads)
