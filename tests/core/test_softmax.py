"""One row of softmax: the article's numbers, its Jacobian, bounds, and what dtypes keep.

Oracles: Python's decimal with 120 digits, torch.autograd, published theorems, ln 2 times the bits of a format.
"""

import math
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.softmax import (
    ROUNDINGS,
    backward,
    central_differences,
    complement,
    eigenvalues,
    entropy,
    entropy_bound,
    first_favourite,
    first_gap,
    frobenius,
    jacobian,
    row_gain,
    row_of_two,
    spectral,
    trace,
    two_to_one,
)

F64 = torch.float64
PRINTED = {1: 0.5761168847658291, 10: 0.9999092083843412, 100: 1.0}  # the article
# Measured once with torch: a of the row [a, a, 2a], and the least gaps of the core's LOSSES, in its order.
MEASURED = {
    torch.float16: (9.02, 8.32, 8.32, 17.34, 11.09),
    torch.bfloat16: (6.93, 6.24, 6.24, 92.75, 88.72),
    torch.float32: (17.33, 16.64, 16.64, 103.98, 88.72),
    torch.float64: (37.43, 36.74, 36.74, 745.14, 709.78),
}
LN2 = math.log(2)
# ln 2 · (bits of precision + 1); half of the smallest number above 0; the largest number plus half of what it resolves.
THEORY = {
    torch.float16: (12 * LN2, 25 * LN2, math.log(65520)),
    torch.bfloat16: (9 * LN2, 134 * LN2, 128 * LN2),
    torch.float32: (24 * LN2, 150 * LN2, 128 * LN2),
    torch.float64: (53 * LN2, 1075 * LN2, 1024 * LN2),
}
finite = st.floats(-30, 30, allow_nan=False)
rows = st.lists(finite, min_size=2, max_size=16).map(lambda x: torch.tensor(x, dtype=F64))


def exact(x: list[float]) -> list[Decimal]:
    """Softmax with 120 digits."""
    powers = [Decimal(value).exp() for value in x]
    return [power / sum(powers) for power in powers]


def by_decimal(x: list[float]) -> tuple[float, float, float]:
    """tr J, ‖J‖_F and the entropy of a row, with 120 digits."""
    with localcontext(prec=120):
        p = exact(x)
        entries = [p[i] * ((i == j) - p[j]) for i in range(len(p)) for j in range(len(p))]
        trace = sum(p_i * (1 - p_i) for p_i in p)
        frobenius = sum(entry * entry for entry in entries).sqrt()
        nats = -sum(p_i * p_i.ln() for p_i in p)
        return float(trace), float(frobenius), float(nats)


@pytest.mark.parametrize("a", PRINTED)
def test_the_articles_values(a) -> None:
    y, rest = two_to_one(torch.tensor(float(a), dtype=F64))
    with localcontext(prec=120):
        true = 2 / (2 + Decimal(a).exp())
        assert_close(float(y), float(1 - true), rtol=0, atol=1e-15)
        assert_close(float(rest), float(true), rtol=1e-14, atol=0)
    assert abs(float(y) - PRINTED[a]) <= 1e-15
    assert_close(y, torch.softmax(torch.tensor([a, a, 2 * a], dtype=F64), dim=-1)[2], rtol=0, atol=1e-15)


def test_the_articles_table_of_measures() -> None:
    """p₃, entropy, trace, Frobenius and spectral norm of the row [a, a, 2a], computed once outside the core."""
    table = {
        0.0: (0.3333, 1.0986, 0.6667, 0.4714, 0.3333),
        0.5: (0.4519, 1.0684, 0.6456, 0.4617, 0.3715),
        1.0: (0.5761, 0.9753, 0.5783, 0.4232, 0.3663),
        2.0: (0.7870, 0.6656, 0.3580, 0.2731, 0.2515),
        5.0: (0.9867, 0.0799, 0.02633, 0.02077, 0.01968),
        10.0: (0.99991, 9.99e-4, 1.816e-4, 1.435e-4, 1.362e-4),
        20.0: (1.0, 8.66e-8, 8.24e-9, 6.52e-9, 6.18e-9),
    }
    for a, expected in table.items():
        p = torch.softmax(a * torch.tensor([1.0, 1.0, 2.0], dtype=F64), dim=-1)
        values = (p.amax(), entropy(p), trace(p), frobenius(p), spectral(p))
        assert_close([float(value) for value in values], list(expected), rtol=1e-3, atol=5e-5 if a < 5 else 1e-9)


@pytest.mark.parametrize("dtype", MEASURED, ids=str)
def test_from_where_on_a_format_loses_the_row(dtype) -> None:
    thresholds = (first_favourite(dtype), *(first_gap(loss, dtype) for loss in ROUNDINGS))
    assert_close(thresholds, MEASURED[dtype], rtol=2e-3, atol=0)
    one, zero, overflow = THEORY[dtype]
    for gap, theory in zip(thresholds[1:], (one, one, zero, overflow), strict=True):
        spacing = torch.finfo(dtype).eps * 2 ** math.floor(math.log2(theory))  # gaps are rounded on the way in
        assert abs(gap - theory) <= spacing + 1e-5 * theory
    assert abs(thresholds[0] - one - LN2) <= 2 * torch.finfo(dtype).eps * 16 + 1e-5  # two losers instead of one


@pytest.mark.parametrize("dtype", MEASURED, ids=str)
def test_at_a_threshold_it_happens_and_just_before_it_does_not(dtype) -> None:
    for loss, (subtract_max, happened) in ROUNDINGS.items():
        gap = first_gap(loss, dtype)
        step = max(torch.finfo(dtype).eps, 1e-9) * gap  # exp itself rounds, so the very last bits are not ordered
        for at, expected in ((gap, True), (gap + 2 * step, True), (gap - 2 * step, False)):
            occurred = happened(*row_of_two(torch.tensor([at], dtype=F64), dtype, subtract_max=subtract_max))
            assert bool(occurred) is expected, (loss, at)


def test_the_winner_dies_before_the_loser() -> None:
    """From a gap of 17 on float32 rounds the larger weight to 1; the smaller is still there at 20."""
    p, slope = row_of_two(torch.tensor([20.0], dtype=F64), torch.float32)
    assert float(p[0, 0]) == 1.0
    assert float(slope[0, 0]) == 0.0
    assert_close(float(slope[0, 1]), -2.06e-9, rtol=2e-3, atol=0)


@given(rows)
def test_the_jacobian_is_autograds(x) -> None:
    theirs = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=-1), x)
    assert_close(jacobian(torch.softmax(x, dim=-1)), theirs, rtol=0, atol=1e-15)


@given(rows)
def test_central_differences_come_close(x) -> None:
    theirs = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=-1), x)
    assert_close(central_differences(x, 1e-5), theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("gap", [0.0, 1.0, 15.0, 25.0, 35.0, 60.0, 200.0])
@pytest.mark.parametrize("n", [2, 3, 8])
def test_measures_stay_exact_where_subtractions_cancel(gap, n) -> None:
    x = [gap] + [0.1 * i for i in range(n - 1)]
    p = torch.softmax(torch.tensor(x, dtype=F64), dim=-1)
    measured = [float(measure(p)) for measure in (trace, frobenius, entropy)]
    assert_close(measured, list(by_decimal(x)), rtol=1e-12, atol=0)


def test_the_naive_norm_is_lost_at_a_gap_of_25() -> None:
    """S₂ − 2S₃ + S₂² cancels; its root is off by more than half."""
    p = torch.softmax(torch.tensor([25.0, 0.0, 0.0, 0.0], dtype=F64), dim=-1)
    square = p.square().sum() - 2 * p.pow(3).sum() + p.square().sum().square()
    true = by_decimal([25.0, 0.0, 0.0, 0.0])[1]
    assert abs(float(square.clamp(min=0).sqrt()) / true - 1) > 0.5
    assert_close(float(frobenius(p)), true, rtol=1e-12, atol=0)


@given(rows)
def test_bounds(x) -> None:
    p = torch.softmax(x, dim=-1)
    spectrum = torch.linalg.eigvalsh(torch.diag(p) - torch.outer(p, p)).flip(-1)
    assert_close(eigenvalues(p), spectrum, rtol=0, atol=1e-15)
    assert_close(spectral(p), spectrum[0], rtol=0, atol=1e-15)
    slack = 1e-14
    # Gershgorin, and ½ in every norm.
    largest = float((p * (1 - p)).max())
    assert largest - slack <= float(spectral(p)) <= 2 * largest + slack <= 0.5 + 2 * slack
    assert float(frobenius(p)) <= 0.5 + slack
    assert 0 <= float(trace(p)) <= 1 - 1 / len(x) + slack
    assert 0 <= float(entropy(p)) <= math.log(len(x)) + slack
    # Interlacing: p(1) ≥ λ₁ ≥ p(2) ≥ … ≥ p(n) ≥ λ_n = 0.
    ordered = p.sort(descending=True).values
    assert bool((ordered >= eigenvalues(p) - slack).all())
    assert bool((eigenvalues(p)[:-1] >= ordered[1:] - slack).all())
    assert abs(float(eigenvalues(p)[-1])) <= slack


@given(rows, st.floats(-50, 50))
def test_what_softmax_does_not_see(x, shift) -> None:
    p = torch.softmax(x, dim=-1)
    assert_close(jacobian(p) @ torch.ones_like(p), torch.zeros_like(p), rtol=0, atol=1e-15)
    assert_close(jacobian(p), jacobian(p).mT, rtol=0, atol=0)
    assert_close(torch.softmax(x + shift, dim=-1), p, rtol=0, atol=1e-12)


@given(rows, st.integers(0, 2**31 - 1))
def test_the_backward_rule_is_autograds(x, seed) -> None:
    dp = torch.randn(len(x), dtype=F64, generator=torch.Generator().manual_seed(seed))
    leaf = x.clone().requires_grad_()
    (theirs,) = torch.autograd.grad((torch.softmax(leaf, dim=-1) * dp).sum(), leaf)
    p = torch.softmax(x, dim=-1)
    assert_close(backward(p, dp), theirs, rtol=0, atol=1e-14)
    assert float(row_gain(p, dp)) <= 0.5 + 1e-14
    variance = (p * (dp - (p * dp).sum()).square()).sum()
    assert_close(dp @ jacobian(p) @ dp, variance, rtol=0, atol=1e-13)


def test_attained_bounds() -> None:
    tie = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=F64)
    assert_close([float(spectral(tie)), float(frobenius(tie))], [0.5, 0.5], rtol=0, atol=1e-15)
    for n in (2, 5, 16):
        uniform = torch.full((n,), 1 / n, dtype=F64)
        assert_close(float(frobenius(uniform)), math.sqrt(n - 1) / n, rtol=1e-14, atol=0)
        assert_close(float(entropy(uniform)), math.log(n), rtol=1e-14, atol=0)


def test_a_one_hot_row_passes_nothing() -> None:
    p = torch.tensor([0.0, 1.0, 0.0], dtype=F64)
    assert_close(jacobian(p), torch.zeros(3, 3, dtype=F64), rtol=0, atol=0)
    assert [float(measure(p)) for measure in (trace, frobenius, entropy)] == [0.0, 0.0, 0.0]
    assert complement(p).tolist() == [1.0, 0.0, 1.0]


@given(rows)
def test_fading_with_the_scale(x) -> None:
    """Entropy only falls as β grows; a row with one favourite ends at J = 0."""
    entropies = [float(entropy(torch.softmax(beta * x, dim=-1))) for beta in (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)]
    assert all(low <= high + 1e-12 for high, low in pairwise(entropies))


@pytest.mark.parametrize(
    ("sigma", "n", "expected"), [(5.0, 8, 0.205592), (10.0, 8, 0.00186234), (5.0, 64, 1.802616), (10.0, 64, 0.029206)]
)
def test_zhais_bound_is_attained(sigma, n, expected) -> None:
    bound = float(entropy_bound(torch.tensor(sigma, dtype=F64), n))
    assert_close(bound, expected, rtol=0, atol=5e-7)
    x = torch.full((n,), -sigma / math.sqrt(n * (n - 1)), dtype=F64)
    x[0] = sigma * math.sqrt((n - 1) / n)
    assert_close(float(torch.distributions.Categorical(logits=x).entropy()), bound, rtol=0, atol=1e-14)


@given(st.integers(2, 64), st.floats(0.01, 20), st.integers(0, 2**31 - 1))
def test_zhais_bound_is_never_violated(n, sigma, seed) -> None:
    x = torch.randn(50, n, dtype=F64, generator=torch.Generator().manual_seed(seed))
    x = sigma * x / x.norm(dim=-1, keepdim=True)
    entropies = torch.distributions.Categorical(logits=x).entropy()
    assert float(entropies.min()) >= float(entropy_bound(torch.tensor(sigma, dtype=F64), n)) - 1e-13
