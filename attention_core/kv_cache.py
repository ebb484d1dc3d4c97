"""One token at a time: keys and values are kept, not computed again; and how much is kept when heads share them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attention_core.attention import AttentionTrace, attend
from attention_core.masks import causal
from attention_core.models.base import Projections
from attention_core.multihead import project


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """The keys and values of the tokens read so far, one per key head."""

    k: Float[Tensor, "g t d_k"]
    v: Float[Tensor, "g t d_v"]

    def appended(self, k: Float[Tensor, "g 1 d_k"], v: Float[Tensor, "g 1 d_v"]) -> "Cache":
        """The cache with one more token."""
        return Cache(torch.cat((self.k, k), dim=-2), torch.cat((self.v, v), dim=-2))

    def elements(self) -> int:
        """Numbers kept."""
        return self.k.numel() + self.v.numel()


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """The matrices of h query heads that share g key and value heads."""

    W_Q: Float[Tensor, "h d_model d_k"]
    W_K: Float[Tensor, "g d_model d_k"]
    W_V: Float[Tensor, "g d_model d_v"]


def grouped(W: Float[Tensor, "h d_model d"], n_key_head: int) -> Float[Tensor, "g d_model d"]:
    """One matrix per group of heads: the mean of its matrices, so W itself where each group is one head.

    Raises ValueError where the heads do not divide. Source: Ainslie et al. 2023, arXiv:2305.13245, section 2.1.
    """
    if n_key_head < 1 or len(W) % n_key_head:
        raise ValueError(f"{len(W)} heads do not divide into {n_key_head} groups")
    return W.unflatten(0, (n_key_head, -1)).mean(dim=1)


def groups(n_head: int, n_key_head: int) -> Int[Tensor, " h"]:
    """Which key head each query head reads."""
    return torch.arange(n_head) // (n_head // n_key_head)


def shared(layer: Projections, n_key_head: int) -> Grouped:
    """The layer with so many key and value heads: all of them is MHA, fewer GQA, one MQA (arXiv:1911.02150)."""
    assert layer.W_Q is not None and layer.W_K is not None and layer.W_V is not None
    return Grouped(layer.W_Q, grouped(layer.W_K, n_key_head), grouped(layer.W_V, n_key_head))


def full_pass(x: Float[Tensor, "n d_model"], layer: Grouped) -> AttentionTrace:
    """Causal attention on all tokens at once."""
    q, k, v = (project(x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
    return attend(q, k, v, allowed=causal(len(x), len(x)))


def decode(x: Float[Tensor, "n d_model"], layer: Grouped) -> tuple[list[AttentionTrace], Cache]:
    """The same, one token after another: each step projects one token, appends to the cache, and reads all of it."""
    cache = Cache(*(x.new_zeros(len(W), 0, W.shape[-1]) for W in (layer.W_K, layer.W_V)))
    steps = []
    for token in x:
        q, k, v = (project(token[None], W) for W in (layer.W_Q, layer.W_K, layer.W_V))
        cache = cache.appended(k, v)
        steps.append(attend(q, cache.k, cache.v))
    return steps, cache


def elements_per_token(n_key_head: int, d_head: int) -> int:
    """Numbers that MHA, GQA and MQA keep of a token in a layer: a key and a value per key head."""
    return 2 * n_key_head * d_head


def latent_elements(d_latent: int, d_rope: int) -> int:
    """Numbers that multi-head latent attention keeps: one compressed vector and one rotary key for all heads.

    DeepSeek-V2 (arXiv:2405.04434, section 2.1) keeps 512 + 64.
    """
    return d_latent + d_rope
