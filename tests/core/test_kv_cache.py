"""Decoding with a cache is one causal pass; sharing heads is torch's grouped attention."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from attention_core.kv_cache import (
    Grouped,
    decode,
    elements_per_token,
    full_pass,
    grouped,
    groups,
    latent_elements,
    shared,
)
from tests.harness.layers import projections

N, D_MODEL, HEADS, D_K, D_V = 11, 29, 6, 5, 7


@pytest.fixture
def x():
    return torch.randn(N, D_MODEL, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.fixture
def layer():
    return projections(HEADS, D_MODEL, D_K, D_V)


def whole(layer):
    return Grouped(layer.W_Q, layer.W_K, layer.W_V)


def by_torch(x, layer):
    q, k, v = (torch.stack([x @ W for W in matrices])[None] for matrices in (layer.W_Q, layer.W_K, layer.W_V))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0]


@pytest.mark.parametrize("key_heads", [1, 2, 3, 6])
def test_decode_with_a_cache_is_the_full_pass(x, layer, key_heads):
    small = shared(layer, key_heads)
    steps, cache = decode(x, small)
    together = torch.cat([step.context for step in steps], dim=-2)
    assert_close(together, by_torch(x, small), rtol=0, atol=1e-14)
    assert float((together - full_pass(x, small).context).abs().max()) <= 1e-15
    assert cache.elements() == N * key_heads * (D_K + D_V)
    assert [step.k.shape[-2] for step in steps] == list(range(1, N + 1))


def test_as_many_key_heads_as_heads_is_multi_head_attention(x, layer):
    assert_close(full_pass(x, shared(layer, HEADS)).context, full_pass(x, whole(layer)).context, rtol=0, atol=0)
    assert float((full_pass(x, shared(layer, 1)).context - full_pass(x, whole(layer)).context).abs().max()) > 0.1


def test_multi_head_attention_is_torchs_module(x):
    d = 5
    width = d * HEADS
    theirs = nn.MultiheadAttention(width, HEADS, bias=False, dtype=torch.float64, batch_first=True)
    x = torch.randn(1, N, width, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    matrices = [W.T.unflatten(1, (HEADS, d)).transpose(0, 1) for W in theirs.in_proj_weight.detach().chunk(3)]
    layer = Grouped(*matrices)
    later = torch.ones(N, N, dtype=torch.bool).triu(1)
    expected, _ = theirs(x, x, x, attn_mask=later, need_weights=False)
    steps, _ = decode(x[0], layer)
    heads = torch.cat([step.context[:, 0].flatten()[None] for step in steps])
    assert_close(heads @ theirs.out_proj.weight.T, expected[0], rtol=0, atol=1e-12)


def test_groups_share_the_mean_of_their_matrices(layer):
    means = grouped(layer.W_K, 2)
    assert_close(means[0], (layer.W_K[0] + layer.W_K[1] + layer.W_K[2]) / 3)
    assert_close(means[1], (layer.W_K[3] + layer.W_K[4] + layer.W_K[5]) / 3)
    assert groups(HEADS, 2).tolist() == [0, 0, 0, 1, 1, 1]
    assert groups(HEADS, 6).tolist() == list(range(6))


@pytest.mark.parametrize("key_heads", [0, 4, 5, 7])
def test_groups_that_do_not_divide_are_an_error(layer, key_heads):
    with pytest.raises(ValueError, match="do not divide"):
        grouped(layer.W_K, key_heads)


def test_grouped_attention_repeats_each_key_head(x, layer):
    small = shared(layer, 3)
    repeated = Grouped(layer.W_Q, small.W_K.repeat_interleave(2, 0), small.W_V.repeat_interleave(2, 0))
    assert_close(full_pass(x, small).context, by_torch(x, repeated), rtol=0, atol=1e-13)


def test_published_cache_sizes():
    """Of 128 heads of 128 numbers, and DeepSeek-V2's 512 + 64 (arXiv:2405.04434, section 2.1)."""
    assert [elements_per_token(g, 128) for g in (128, 8, 1)] == [32_768, 2_048, 256]
    assert latent_elements(512, 64) == 576
