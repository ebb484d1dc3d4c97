"""Positions against the papers' numbers and transformers' own functions."""

import pytest
import torch
from torch.testing import assert_close
from transformers import LlamaConfig
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from attention_core.positions import alibi_bias, alibi_slopes, rope, sinusoidal


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_sinusoidal_is_the_formula_entry_by_entry():
    table = sinusoidal(7, 6)
    expected = torch.empty(7, 6, dtype=torch.float64)
    for p in range(7):
        for i in range(3):
            angle = torch.tensor(p / 10000 ** (2 * i / 6), dtype=torch.float64)
            expected[p, 2 * i], expected[p, 2 * i + 1] = angle.sin(), angle.cos()
    assert_close(table, expected.float())


@pytest.mark.parametrize("p", [0, 13, 400])
def test_sinusoidal_products_depend_on_the_distance_only(p):
    table = sinusoidal(406, 16).double()
    assert_close(table[p] @ table[p + 5], torch.tensor(6.137040).double(), atol=1e-6, rtol=0)


def test_sinusoidal_takes_an_odd_d_model():
    assert sinusoidal(5, 7).shape == (5, 7)
    assert_close(sinusoidal(5, 1)[:, 0], torch.arange(5).float().sin())
    p, i = 3, 3
    assert_close(sinusoidal(5, 7)[p, 2 * i].item(), torch.tensor(p / 10000 ** (6 / 7)).sin().item())


def test_rope_turns_each_pair_by_its_own_angle():
    x = torch.tensor([[1.0, 0.0, 0.0, 1.0]]).double().expand(3, 4)
    position = torch.tensor([0, 1, 50])
    slow = position * 0.01  # 10000^(−2/4)
    expected = torch.stack((position.double().cos(), position.double().sin(), -slow.sin(), slow.cos()), dim=-1)
    assert_close(rope(x, position), expected.double(), atol=1e-7, rtol=0)


@pytest.mark.parametrize("pairing", ["interleaved", "halves"])
def test_rope_keeps_norms_and_sees_only_the_relative_position(pairing):
    q, k = randn(1, 14, seed=1), randn(1, 14, seed=2)

    def product(m, n):
        return rope(q, torch.tensor([m]), pairing=pairing) @ rope(k, torch.tensor([n]), pairing=pairing).mT

    assert_close(product(11, 4), product(1007, 1000))
    assert (product(11, 4) - product(11, 5)).abs() > 1e-3
    x = randn(3, 5, 14)
    assert_close(rope(x, pairing=pairing).norm(dim=-1), x.norm(dim=-1))
    assert_close(rope(x, pairing=pairing)[:, 0], x[:, 0])


def test_rope_in_halves_is_what_llama_computes():
    config = LlamaConfig(hidden_size=42, num_attention_heads=3, head_dim=14, rope_theta=10000.0)
    q, k = randn(2, 3, 11, 14, seed=3, dtype=torch.float32), randn(2, 3, 11, 14, seed=4, dtype=torch.float32)
    positions = torch.stack((torch.arange(11), torch.arange(11) + 17))
    cos, sin = LlamaRotaryEmbedding(config)(q, positions)
    for x, expected in zip((q, k), apply_rotary_pos_emb(q, k, cos, sin), strict=True):
        assert_close(rope(x, positions[:, None], pairing="halves"), expected, atol=1e-5, rtol=1e-5)


def test_rope_pairings_are_one_rotation_in_two_orders():
    x = randn(5, 6)
    order = torch.tensor([0, 2, 4, 1, 3, 5])
    assert_close(rope(x)[:, order], rope(x[:, order], pairing="halves"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rope_rotates_half_precision_in_float32(dtype):
    x = randn(2, 997, 6, dtype=torch.float32).to(dtype)
    assert_close(rope(x), rope(x.float()).to(dtype), atol=0, rtol=0)


def test_rope_refuses_an_odd_d_k():
    with pytest.raises(ValueError, match="even, not 7"):
        rope(randn(3, 7))


def test_alibi_slopes_of_the_paper():
    assert_close(alibi_slopes(8), torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]))
    assert_close(alibi_slopes(1), torch.tensor([2.0**-8]))
    with pytest.raises(ValueError, match="not 0"):
        alibi_slopes(0)


@pytest.mark.parametrize("n_head", [1, 2, 3, 5, 8, 11, 12, 16, 20])
def test_alibi_equals_bloom_up_to_a_constant_per_row(n_head):
    n = 7
    bloom = build_alibi_tensor(torch.ones(1, n), n_head, torch.float32)
    relative_to_the_query = (bloom - bloom.mT).tril()
    assert_close(alibi_bias(n_head, n, n).tril(), relative_to_the_query)


def test_alibi_is_symmetric_in_the_distance_and_offset_for_a_query_block():
    full = alibi_bias(5, 7, 7)
    assert_close(full, full.mT)
    assert_close(alibi_bias(5, 3, 7), full[:, 4:])
    assert_close(alibi_bias(1, 2, 3)[0] * 256, torch.tensor([[-1.0, 0.0, -1.0], [-2.0, -1.0, 0.0]]))
