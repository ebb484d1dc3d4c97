"""Rows of scores to rows of weights."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core import NORMALIZERS, hard, softmax
from attention_core.normalizers import exponentials


def masked_rows(seed=0):
    """Scores with −∞ where nothing is permitted; the second row is empty."""
    generator = torch.Generator().manual_seed(seed)
    permitted = torch.rand(3, 5, 7, generator=generator) < 0.6
    permitted[:, :, 0] = True
    permitted[:, 1] = False
    scores = 3 * torch.randn(3, 5, 7, generator=generator, dtype=torch.float64)
    return scores.masked_fill(~permitted, -math.inf), permitted


@pytest.mark.parametrize("name", NORMALIZERS)
@given(seed=st.integers(0, 2**31))
def test_every_normalizer_stays_behind_the_mask(name, seed):
    scores, permitted = masked_rows(seed)
    scores.requires_grad_()
    weights = NORMALIZERS[name].apply(scores, permitted)
    assert (weights >= 0).all()
    assert not weights[~permitted].any()
    if weights.requires_grad:
        (gradient,) = torch.autograd.grad(weights.square().sum(), scores)
        assert gradient.isfinite().all()
        assert not gradient[:, 1].any()


@pytest.mark.parametrize("name", NORMALIZERS)
def test_every_normalizer_reads_no_mask_as_everything_permitted(name):
    scores = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    apply = NORMALIZERS[name].apply
    assert_close(apply(scores), apply(scores, torch.ones_like(scores, dtype=torch.bool)))


def test_softmax_of_the_worked_example():
    for a, y3 in ((1.0, 0.5761168847658291), (10.0, 0.999909208384341), (100.0, 1.0)):
        weights = softmax(torch.tensor([[a, a, 2 * a]], dtype=torch.float64))
        assert_close(weights[0, 2].item(), y3, atol=1e-15, rtol=0)
        assert_close(weights[0, 0].item(), 1 / (2 + math.exp(a)), atol=1e-15, rtol=1e-12)


def test_softmax_sees_differences_only():
    far, near = torch.tensor([[1e4, 1e4, 1e4 + 1]]), torch.tensor([[0.0, 0.0, 1.0]])
    assert_close(softmax(far), softmax(near), atol=0, rtol=0)
    assert_close(softmax(torch.tensor([[100.0, 100.0, 100.0]])), torch.full((1, 3), 1 / 3))


def test_softmax_is_torchs_on_the_permitted_keys_and_zero_on_an_empty_row():
    scores, permitted = masked_rows()
    weights = softmax(scores, permitted)
    for head in range(3):
        for row in range(5):
            open_keys = permitted[head, row]
            assert_close(weights[head, row, open_keys], torch.softmax(scores[head, row, open_keys], dim=-1))
    assert not weights[:, 1].any()


def test_hard_picks_the_best_key_and_the_first_on_ties():
    scores = torch.tensor([[1.0, 3.0, 2.0], [2.0, 1.0, 2.0], [-math.inf, -5.0, -math.inf], [-math.inf] * 3])
    expected = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert_close(hard(scores, ~scores.isneginf()), expected)


def test_exponentials_are_the_two_halves_of_a_softmax():
    scores, permitted = masked_rows()
    stretched, total, largest = exponentials(scores)
    rows = [0, 2, 3, 4]
    assert_close((stretched / total)[:, rows], softmax(scores, permitted)[:, rows])
    assert_close(largest[:, rows, 0], scores[:, rows].max(dim=-1).values)
    for half in (stretched[:, 1], total[:, 1], largest[:, 1]):
        assert_close(half, torch.zeros_like(half))
    stretched, total, largest = exponentials(torch.tensor([[0.0, 5000.0]]))
    assert_close(
        (stretched, total, largest), (torch.tensor([[0.0, 1.0]]), torch.ones(1, 1), torch.full((1, 1), 5000.0))
    )
