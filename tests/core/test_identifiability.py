"""Other weights, same context: against numpy's rank and plain products."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.identifiability import effective_weights, null_space, other_weights, unseen


def drawn(n: int, d_v: int, seed: int, sharpness: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    scores = sharpness * torch.randn(n, generator=generator, dtype=torch.float64)
    return scores.softmax(dim=-1), torch.randn(n, d_v, generator=generator, dtype=torch.float64)


def test_the_reports_demonstration_has_eleven_dimensions_and_moves_nothing() -> None:
    weights, v = drawn(20, 8, seed=0)
    assert len(unseen(v)) == 20 - 8 - 1
    other = other_weights(weights, v)
    assert float((other - weights).abs().sum() / 2) > 0.1  # another row indeed
    assert float((other @ v - weights @ v).abs().max()) < 1e-12


@pytest.mark.parametrize(("n", "d_v"), [(1, 3), (2, 1), (7, 5), (13, 5), (11, 17), (23, 2)])
def test_the_dimension_is_what_the_rank_leaves(n: int, d_v: int) -> None:
    v = drawn(n, d_v, seed=n)[1]
    seen = np.concatenate([v.numpy(), np.ones((n, 1))], axis=1)
    basis = unseen(v)
    assert basis.shape == (n - np.linalg.matrix_rank(seen), n)
    assert_close(basis @ basis.mT, torch.eye(len(basis), dtype=torch.float64), rtol=0, atol=1e-13)
    assert_close(basis @ torch.from_numpy(seen), torch.zeros(len(basis), d_v + 1).double(), rtol=0, atol=1e-13)


def test_equal_values_leave_more_room() -> None:
    v = drawn(7, 3, seed=1)[1]
    assert len(unseen(v.repeat(2, 1))) == 14 - 4
    assert len(null_space(torch.zeros(5, 2))) == 5


@given(n=st.integers(1, 29), d_v=st.integers(1, 7), seed=st.integers(0, 2**16), sharpness=st.floats(0.0, 30.0))
def test_other_weights_are_weights_on_few_keys_and_give_the_same_context(
    n: int, d_v: int, seed: int, sharpness: float
) -> None:
    weights, v = drawn(n, d_v, seed, sharpness)
    other = other_weights(weights, v)
    assert bool((other >= 0).all())
    assert int((other > 0).sum()) <= max(d_v + 1, 1)
    assert_close(other.sum(), weights.sum(), rtol=0, atol=1e-12)
    assert_close(other @ v, weights @ v, rtol=0, atol=1e-12)


def test_where_the_output_leaves_no_choice_the_weights_stay() -> None:
    weights, v = drawn(6, 5, seed=2)
    assert_close(other_weights(weights, v), weights, rtol=0, atol=0)


def test_effective_weights_reach_the_same_context_and_are_the_shortest_that_do() -> None:
    weights, v = drawn(17, 5, seed=3)
    effective = effective_weights(weights[None], v)[0]
    assert_close(effective @ v, weights @ v, rtol=0, atol=1e-13)
    assert_close(effective, torch.linalg.pinv(v).mT @ (weights @ v), rtol=0, atol=1e-12)
