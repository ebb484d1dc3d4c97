"""Rows of scores to rows of weights."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core import NORMALIZERS, hard
from attention_core.normalizers import entmax15, exponentials, sigmoid, softmax, softmax1, sparsemax

SPARSE = {sparsemax: 2.0, entmax15: 1.5}  # and their α
SMOOTH = (softmax, softmax1, sigmoid)


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


# Sparsemax and entmax ------------------------------------------------------------------------------------------------


def randn(*shape, seed=0, scale=1.0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(dtype)


def row(*scores):
    return torch.tensor([scores], dtype=torch.float64)


def jacobian_of(normalize, scores):
    """∂weights/∂scores of one row, by autograd."""
    whole = torch.autograd.functional.jacobian(normalize, scores)
    assert isinstance(whole, torch.Tensor)
    return whole[0, :, 0]


def by_bisection(scores, alpha):
    """α-entmax of a list of numbers, its threshold found by halving: [(α−1)s − τ]₊^(1/(α−1))."""
    z = [(alpha - 1) * s for s in scores]
    low, high = max(z) - 1, max(z)
    for _ in range(100):
        middle = (low + high) / 2
        total = sum(max(s - middle, 0.0) ** (1 / (alpha - 1)) for s in z)
        low, high = (middle, high) if total > 1 else (low, middle)
    return [max(s - low, 0.0) ** (1 / (alpha - 1)) for s in z]


@pytest.mark.parametrize(
    ("normalize", "scores", "weights", "tolerance"),
    [
        (sparsemax, (1, 1, 2), (0, 0, 1), 0),
        (sparsemax, (1, 0.9, 0.1), (0.55, 0.45, 0), 1e-15),
        (sparsemax, (0.5, 0.4, 0.1), (0.5, 0.4, 0.1), 1e-15),
        (entmax15, (1, 1, 2), (0.129873, 0.129873, 0.740253), 5e-7),
        (entmax15, (1, 0.9, 0.1), (0.500919, 0.432643, 0.066438), 5e-7),
        (softmax1, (0, 0), (1 / 3, 1 / 3), 1e-15),
        (softmax1, (-10, -10), (4.54e-5, 4.54e-5), 5e-8),
        (softmax1, (2, 1, 0.1), (0.60504, 0.22258, 0.09049), 5e-6),
        (sigmoid, (0, 0, 0, 0, 0), (1 / 6,) * 5, 1e-15),
    ],
)
def test_the_reference_numbers(normalize, scores, weights, tolerance):
    assert_close(normalize(row(*map(float, scores))), row(*map(float, weights)), atol=tolerance, rtol=0)


@pytest.mark.parametrize("normalize", SPARSE)
@given(seed=st.integers(0, 2**31), scale=st.sampled_from([1e-3, 0.3, 1.0, 10.0, 1e3]))
def test_sparse_weights_are_those_found_by_bisection(normalize, seed, scale):
    scores, permitted = masked_rows(seed)
    weights = normalize(scale * scores, permitted)
    for head in range(3):
        for i in (0, 2, 3, 4):
            open_keys = permitted[head, i]
            exact = by_bisection((scale * scores[head, i, open_keys]).tolist(), SPARSE[normalize])
            kept = weights[head, i, open_keys]
            assert_close(kept, torch.tensor(exact, dtype=torch.float64), atol=1e-12, rtol=0)
            assert_close(kept.sum().item(), 1.0, atol=1e-14, rtol=0)
    assert not weights[:, 1].any()


@pytest.mark.parametrize("normalize", SPARSE)
@given(seed=st.integers(0, 2**31), n=st.sampled_from([1, 2, 7, 101]))
def test_the_support_of_a_sparse_row_is_its_largest_scores(normalize, seed, n):
    scores = randn(3, n, seed=seed)
    weights = normalize(scores)
    ordered = weights.gather(-1, scores.argsort(dim=-1, descending=True))
    assert (ordered.diff(dim=-1) <= 0).all()
    assert (sparsemax(scores) > 0).sum() <= (entmax15(scores) > 0).sum()
    reach = scores.amax(dim=-1, keepdim=True) - 1 / (SPARSE[normalize] - 1)
    assert not weights[scores <= reach].any()


@pytest.mark.parametrize(("normalize", "gap"), [(sparsemax, 1.0), (entmax15, 2.0)])
def test_a_sparse_row_is_one_hot_from_a_finite_gap_on(normalize, gap):
    assert_close(normalize(row(gap, 0.0, 0.0)), row(1.0, 0.0, 0.0), atol=0, rtol=0)
    assert normalize(row(gap - 0.01, 0.0, 0.0))[0, 1] > 0


@pytest.mark.parametrize("away", [-3e-9, 3e-9])
def test_a_key_at_the_edge_of_the_support(away):
    scores = [0.0, -0.25, -0.625 + away]  # without the third key, sparsemax's threshold is −0.625
    weights = sparsemax(row(*scores))[0]
    assert_close(weights.tolist(), by_bisection(scores, 2.0), atol=1e-14, rtol=0)
    assert (weights[2] > 0) == (away > 0)


@pytest.mark.parametrize("normalize", SPARSE)
def test_equal_scores_share_equally_and_shifts_are_not_seen(normalize):
    assert_close(normalize(torch.full((2, 7), 3.0, dtype=torch.float64)), torch.full((2, 7), 1 / 7).double())
    assert_close(normalize(torch.full((1, 1), -5.0)), torch.ones(1, 1))
    scores = torch.tensor([[0.25, 0.5, 1.0, 0.0]])
    assert_close(normalize(scores + 4096), normalize(scores), atol=0, rtol=0)


@pytest.mark.parametrize("normalize", SPARSE)
def test_the_jacobian_of_a_sparse_row_is_the_closed_form(normalize):
    for seed in range(7):
        scores = randn(1, 11, seed=seed)
        weights = normalize(scores)[0]
        jacobian = jacobian_of(normalize, scores)
        s = torch.where(weights > 0, weights ** (2 - SPARSE[normalize]), 0.0)
        assert_close(jacobian, torch.diag(s) - torch.outer(s, s) / s.sum(), atol=1e-13, rtol=0)
        assert (weights == 0).any() and not jacobian[weights == 0].any() and not jacobian[:, weights == 0].any()


def test_on_its_support_the_gradient_of_sparsemax_does_not_shrink():
    for lead in (0.1, 0.5, 0.99):  # two keys share the weight, ever less evenly
        jacobian = jacobian_of(sparsemax, row(lead, 0.0, -3.0))
        expected = torch.tensor([[0.5, -0.5, 0.0], [-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
        assert_close(jacobian, expected, atol=1e-15, rtol=0)


# Softmax₁ and sigmoid ------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**31), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_softmax1_is_its_formula_over_the_permitted_keys(seed, scale):
    scores, permitted = masked_rows(seed)
    weights = softmax1(scale * scores, permitted)
    exponential = torch.where(permitted, torch.exp(scale * scores), 0.0)
    assert_close(weights, exponential / (1 + exponential.sum(dim=-1, keepdim=True)), atol=0, rtol=1e-12)
    assert (weights.sum(dim=-1) < 1 + 1e-15).all()


def test_softmax1_neither_overflows_nor_insists():
    assert_close(softmax1(row(1e4, 1e4)), row(0.5, 0.5), atol=0, rtol=0)
    assert_close(softmax1(row(-1e4, -1e4)), row(0.0, 0.0), atol=0, rtol=0)
    assert_close(softmax1(torch.tensor([[3e38, -3e38]])), torch.tensor([[1.0, 0.0]]), atol=0, rtol=0)


@given(seed=st.integers(0, 2**31))
def test_sigmoid_weighs_each_key_alone_and_counts_the_permitted(seed):
    scores, permitted = masked_rows(seed)
    weights = sigmoid(scores, permitted)
    for head in range(3):
        for i in (0, 2, 3, 4):
            n = int(permitted[head, i].sum())
            for j in range(7):
                expected = 1 / (1 + n * math.exp(-scores[head, i, j])) if permitted[head, i, j] else 0.0
                assert_close(weights[head, i, j].item(), expected, atol=1e-15, rtol=1e-12)


def test_without_scores_sigmoid_hands_out_n_of_n_plus_one_and_its_slope_is_at_most_a_quarter():
    for n in (1, 7, 101):
        assert_close(sigmoid(torch.zeros(1, n).double()).sum().item(), n / (n + 1), atol=1e-14, rtol=0)
    scores = torch.linspace(-20, 20, 401, dtype=torch.float64)[None].requires_grad_()
    (slope,) = torch.autograd.grad(sigmoid(scores).sum(), scores)
    assert slope.max() <= 0.25 and slope.max() > 0.2499


@pytest.mark.parametrize("shape", [(1, 7), (5, 1), (3, 1, 1), (3, 5, 7), (1, 1)])
@pytest.mark.parametrize("name", NORMALIZERS)
def test_a_mask_that_broadcasts_is_the_mask_written_out(name, shape):
    permitted = torch.rand(shape, generator=torch.Generator().manual_seed(3)) < 0.6
    scores = randn(3, 5, 7).masked_fill(~permitted, -math.inf)
    apply = NORMALIZERS[name].apply
    assert_close(apply(scores, permitted), apply(scores, permitted.expand(3, 5, 7).clone()), atol=0, rtol=0)


# All of them ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", [*SMOOTH, *SPARSE])
def test_gradients_are_those_of_finite_differences_also_behind_a_mask(normalize):
    scores, permitted = masked_rows(5)
    inputs = (scores[:2].masked_fill(~permitted[:2], 0.0) / 3).requires_grad_()

    def masked(x):
        return normalize(x.masked_fill(~permitted[:2], -math.inf), permitted[:2])

    assert torch.autograd.gradcheck(normalize, inputs)
    assert torch.autograd.gradcheck(masked, inputs)
    assert torch.autograd.gradgradcheck(masked, inputs)


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-15), (torch.float32, 2e-6), (torch.float16, 5e-4), (torch.bfloat16, 4e-3)],
)
@pytest.mark.parametrize("normalize", [*SMOOTH, *SPARSE])
def test_every_precision_and_any_leading_axes(normalize, dtype, tolerance, batch):
    scores = randn(*batch, 5, 101, dtype=dtype)
    weights = normalize(scores)
    assert weights.dtype == dtype and weights.shape == scores.shape
    for place in product(*map(range, batch)):
        assert_close(weights[place].double(), normalize(scores[place].double()), atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("normalize", [*SMOOTH, *SPARSE])
def test_nothing_is_nan_at_the_ends_of_the_range(normalize, dtype):
    most = torch.finfo(dtype).max / 2
    scores = torch.tensor([[most, -most, 0.0], [-most, -most, -most], [most, most, most]], dtype=dtype).requires_grad_()
    weights = normalize(scores)
    (gradient,) = torch.autograd.grad((weights * torch.tensor([1.0, 2.0, 3.0], dtype=dtype)).sum(), scores)
    assert weights.isfinite().all() and gradient.isfinite().all()
    assert (weights >= 0).all() and (weights <= 1).all()


@pytest.mark.parametrize("normalize", [softmax, *SPARSE])
def test_a_long_row_of_float32_still_sums_to_one(normalize):
    for scale in (1e-4, 0.1, 1.0):
        total = normalize(randn(3, 4099, scale=scale, dtype=torch.float32)).double().sum(dim=-1)
        assert_close(total, torch.ones_like(total), atol=2e-5, rtol=0)


def test_every_row_of_the_table_says_what_it_is():
    assert [*NORMALIZERS] == ["softmax", "hard", "sparsemax", "entmax15", "softmax1", "sigmoid"]
    for row_of_table in NORMALIZERS.values():
        assert row_of_table.title and row_of_table.formula and row_of_table.reference
