"""Attention and order, held to torch's fused attention, to complex rotations and to plain loops."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.shuffling import (
    SCHEMES,
    added_scores,
    output,
    placed,
    rope_scores,
    self_attention,
    shuffled,
    sinusoidal_similarity,
    swaps,
)
from tests.harness.layers import projections

N, D_MODEL, HEADS, D_K, D_V = 13, 29, 3, 10, 7  # RoPE needs an even d_k


@pytest.fixture
def x():
    return torch.randn(N, D_MODEL, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.fixture
def layer():
    return projections(HEADS, D_MODEL, D_K, D_V)


def turned(vectors):
    """RoPE as the paper writes it: pairs are complex numbers, place m multiplies by e^(i m θ)."""
    theta = 10000.0 ** (-torch.arange(0, D_K, 2, dtype=torch.float64) / D_K)
    angle = torch.outer(torch.arange(vectors.shape[-2], dtype=torch.float64), theta)
    pairs = torch.view_as_complex(vectors.reshape(*vectors.shape[:-1], D_K // 2, 2).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angle), angle)).flatten(-2)


def by_torch(x, layer, scheme):
    """The same layer with torch's fused attention, positions written out here."""
    if scheme == "sinusoidal":
        p, i = torch.arange(N, dtype=torch.float64)[:, None], torch.arange(D_MODEL, dtype=torch.float64)
        angle = p / 10000.0 ** ((i - i % 2) / D_MODEL)
        x = F.layer_norm(x + torch.where(i % 2 == 0, angle.sin(), angle.cos()), (D_MODEL,), eps=1e-12)
    q, k, v = (torch.stack([x @ W for W in matrices]) for matrices in (layer.W_Q, layer.W_K, layer.W_V))
    if scheme == "rope":
        q, k = turned(q), turned(k)
    bias = None
    if scheme == "alibi":
        slopes = torch.tensor([2**-4.0, 2**-8.0, 2**-2.0])  # P = 2 heads, then every other slope of 4
        bias = torch.tensor([[-abs(i - j) for j in range(N)] for i in range(N)]) * slopes[:, None, None].double()
    heads = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    return torch.cat(list(heads), dim=-1) @ torch.cat(list(layer.W_O))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_layer_is_torchs_attention_with_positions(x, layer, scheme):
    answer = output(self_attention(x, layer, scheme), layer)
    assert_close(answer, by_torch(x, layer, scheme), rtol=0, atol=1e-6 if scheme == "sinusoidal" else 1e-12)


def test_without_positions_a_shuffled_sentence_gets_shuffled_answers(x, layer):
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    comparison = shuffled(x, layer, "none", order[None])
    assert_close(by_torch(x[order], layer, "none"), by_torch(x, layer, "none")[order], rtol=0, atol=1e-14)
    assert float(comparison.residual.max()) < 3e-15
    assert_close(comparison.back[0], comparison.weights, rtol=0, atol=1e-15)


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "none"])
def test_with_positions_the_order_is_seen(x, layer, scheme):
    order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    comparison = shuffled(x, layer, scheme, order[None])
    expected = (by_torch(x[order], layer, scheme) - by_torch(x, layer, scheme)[order]).abs().max()
    assert_close(comparison.residual[0], expected, rtol=1e-4, atol=0)
    assert float(expected) > 0.1
    assert float((comparison.back[0] - comparison.weights).abs().max()) > 0.05


def test_symmetric_alibi_takes_a_reversed_sentence_for_the_same(x, layer):
    backwards = torch.arange(N).flip(0)[None]
    assert float(shuffled(x, layer, "alibi", backwards).residual) < 3e-15
    assert float(shuffled(x, layer, "rope", backwards).residual) > 0.1


def test_putting_back_is_looking_up_where_each_token_went(x, layer):
    order = torch.randperm(N, generator=torch.Generator().manual_seed(2))
    comparison = shuffled(x, layer, "rope", order[None])
    went = {int(token): place for place, token in enumerate(order)}
    for i in range(N):
        for j in range(N):
            assert_close(comparison.back[0, :, i, j], comparison.moved[0, :, went[i], went[j]], rtol=0, atol=0)


def test_every_swap_exchanges_two_places_and_undoes_none():
    orders = swaps(N, 6, seed=3)
    assert orders[0].tolist() == list(range(N))
    touched = set()
    for before, after in pairwise(orders):
        changed = (before != after).nonzero().flatten().tolist()
        assert len(changed) == 2 and not touched & set(changed)
        touched |= set(changed)
        assert sorted(after.tolist()) == list(range(N))
    assert_close(swaps(N, 6, seed=3), orders)
    assert not torch.equal(swaps(N, 6, seed=4), orders)
    assert swaps(2, 3, seed=0).tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]
    assert swaps(1, 3, seed=0).tolist() == [[0]]


def test_similarity_of_sinusoidal_places_is_that_of_their_distance():
    """PE(p)·PE(p+5) = 6.137040 for p = 0, 13, 400 at d = 16."""
    places = torch.tensor([0, 13, 400])
    assert_close(
        sinusoidal_similarity(16, places, torch.tensor([5])), torch.full((3, 1), 6.137040).double(), rtol=0, atol=1e-6
    )
    offsets = torch.arange(0, 11)
    omega = 10000.0 ** (-torch.arange(0, 34, 2, dtype=torch.float64) / 34)
    expected = torch.outer(offsets.double(), omega).cos().sum(dim=1).expand(3, -1)
    assert_close(sinusoidal_similarity(34, places, offsets), expected, rtol=0, atol=1e-5)


def test_rope_scores_know_the_distance_only():
    generator = torch.Generator().manual_seed(11)
    q, k = torch.randn(2, D_K, generator=generator, dtype=torch.float64)
    scores = rope_scores(q, k, torch.tensor([0, 7, 401]), torch.tensor([0, 1, 5, 17]))
    assert_close(scores, scores[:1].expand(3, -1), rtol=0, atol=1e-12)
    theta = 10000.0 ** (-torch.arange(0, D_K, 2, dtype=torch.float64) / D_K)
    a, b = (torch.view_as_complex(vector.reshape(-1, 2)) for vector in (q, k))
    expected = [float((a * b.conj() * torch.exp(-1j * o * theta)).real.sum()) for o in (0, 1, 5, 17)]
    assert_close(scores[0], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-12)


def test_added_positions_know_the_place_too(x, layer):
    W_Q, W_K = layer.W_Q[0], layer.W_K[0]
    scores = added_scores(x[2], x[5], W_Q, W_K, torch.tensor([0, 3]), torch.tensor([1, 4]))
    for row, p in enumerate((0, 3)):
        for col, k in enumerate((1, 4)):
            words = torch.zeros(p + k + 1, D_MODEL, dtype=torch.float64)
            words[p], words[p + k] = x[2], x[5]
            there = placed(words, "sinusoidal")
            assert_close(scores[row, col], (there[p] @ W_Q) @ (there[p + k] @ W_K))
    assert float((scores[0] - scores[1]).abs().max()) > 0.1
