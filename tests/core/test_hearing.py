"""Masks: how many pairs, how far, and what later words change, counted by loops and by torch."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.hearing import MASK_KINDS, heard_through, mask, pairs, prefix_change
from attention_core.shuffling import self_attention
from tests.harness.layers import projections

N, D_MODEL, HEADS, D_K, D_V = 13, 29, 3, 5, 7
RADII = (0, 1, 2, 5, 12, 17)


@pytest.fixture
def x():
    return torch.randn(N, D_MODEL, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.fixture
def layer():
    return projections(HEADS, D_MODEL, D_K, D_V)


def may(kind, i, j, radius):
    near, before = abs(i - j) <= radius, j <= i
    return {"none": True, "causal": before, "window": near, "causal_window": near and before}[kind]


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("kind", MASK_KINDS)
def test_masks_and_their_numbers_of_pairs(kind, radius):
    expected = torch.tensor([[may(kind, i, j, radius) for j in range(N)] for i in range(N)])
    assert_close(mask(kind, N, radius), expected)
    assert pairs(kind, N, radius) == int(expected.sum())


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_reach_is_a_power_of_the_mask(kind):
    allowed = mask(kind, N, 2)
    for layers, reach in enumerate(heard_through(allowed, 5), start=1):
        power = torch.linalg.matrix_power(allowed.double(), layers)
        assert_close(reach, (power > 0).float())


def test_a_window_reaches_its_half_width_times_the_layers():
    for layers, reach in enumerate(heard_through(mask("window", N, 3), 4), start=1):
        assert_close(reach.bool(), mask("window", N, 3 * layers))


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_attention_under_a_mask_is_torchs(x, layer, kind):
    allowed = mask(kind, N, 2)
    q, k, v = (torch.einsum("nm,hmd->hnd", x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    trace = self_attention(x, layer, allowed=allowed)
    assert_close(trace.context, expected, rtol=0, atol=1e-13)
    assert bool((trace.weights.masked_select(~allowed) == 0).all())


@pytest.mark.parametrize("kind", ["causal", "causal_window"])
def test_a_suffix_changes_nothing_before_it(x, layer, kind):
    allowed = mask(kind, N, 2)
    for length in (1, 5, 11):
        assert float(prefix_change(x, layer, kind, 2, length).max()) < 3e-15  # other sizes, other order of sums
        other = x.clone()
        other[length:] = -3 * x[: N - length].flip(0)
        before, after = (self_attention(words, layer, allowed=allowed).context for words in (x, other))
        assert_close(before[:, :length], after[:, :length], rtol=0, atol=0)


def test_without_a_causal_mask_it_does(x, layer):
    assert float(prefix_change(x, layer, "none", 2, 5).min()) > 0.01
    leaks = prefix_change(x, layer, "window", 2, 7)
    assert float(leaks[:5].max()) < 3e-15 < 0.01 < float(leaks[5:].min())
