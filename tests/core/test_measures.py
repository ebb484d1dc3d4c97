"""Every measure against numbers worked out by hand, closed forms, and loops that cannot be wrong."""

import math
from decimal import Decimal, localcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core import measures as m
from attention_core.masks import causal
from attention_core.mechanisms.bench import entropy, shares

SIZES = [1, 2, 3, 7, 13]
LN2 = math.log(2)


def uniform(n):
    return torch.full((n, n), 1 / n, dtype=torch.float64)


def uniform_causal(n):
    lower = torch.ones(n, n, dtype=torch.float64).tril()
    return lower / lower.sum(dim=-1, keepdim=True)


def random_weights(*shape, seed=0, sharpness=3.0):
    scores = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (sharpness * scores).softmax(dim=-1)


def rows(*values):
    return torch.tensor(values, dtype=torch.float64)


def check(ours, expected, **tolerance):
    assert_close(ours, torch.as_tensor(expected, dtype=ours.dtype).expand(ours.shape), equal_nan=True, **tolerance)


HALVES = rows([0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0])  # the last row attends to nothing


@st.composite
def heads(draw):
    """Weights of a few heads: any sharpness, some zeros, some empty rows, float32 or float64."""
    h, n_q, n_k = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 7))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    scores = torch.randn(h, n_q, n_k, generator=generator, dtype=draw(st.sampled_from([torch.float32, torch.float64])))
    weights = (scores * draw(st.sampled_from([0.0, 1e-3, 1.0, 30.0]))).softmax(dim=-1)
    kept = weights * (torch.rand(h, n_q, n_k, generator=generator) < draw(st.sampled_from([0.2, 0.7, 1.0])))
    return (kept / kept.sum(dim=-1, keepdim=True)).nan_to_num(0.0)


# Rows ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
def test_rows_of_uniform_and_identity(n):
    flat, sharp = uniform(n), torch.eye(n, dtype=torch.float64)
    check(m.entropy(flat), math.log(n))
    check(m.entropy(sharp), 0.0)
    check(m.effective_support(flat), float(n))
    check(m.effective_support(sharp), 1.0)
    check(m.peak(flat), 1 / n)
    check(m.peak(sharp), 1.0)


def test_rows_worked_out_by_hand():
    check(m.entropy(HALVES), [LN2, 0.0, 0.0])
    check(m.effective_support(HALVES), [2.0, 1.0, 0.0])
    check(m.peak(HALVES), [0.5, 1.0, 0.0])
    check(m.entropy(rows([0.5, 0.25, 0.125, 0.125])), [1.75 * LN2])


def test_entropy_is_torchs_own_for_categorical_distributions():
    weights = random_weights(2, 3, 5, 7)
    check(m.entropy(weights), torch.distributions.Categorical(probs=weights).entropy())


def test_entropy_survives_weights_that_underflow():
    weights = torch.tensor([[0.0, 1000.0]]).softmax(dim=-1)
    check(m.entropy(weights), [0.0], atol=0, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gap", [5.0, 17.0, 36.0, 75.75, 80.0])
@pytest.mark.parametrize("n", [2, 3, 7])
def test_entropy_of_a_saturated_row_counts_what_its_largest_weight_has_lost(n, gap, dtype):
    """In the digits of `decimal`: where the weight rounds to 1, −ln of it is 1 / (1 + gap) of the whole."""
    weights = torch.tensor([gap, *([0.0] * (n - 1))], dtype=dtype).softmax(dim=-1)
    with localcontext(prec=80):
        others = (n - 1) * (-Decimal(gap)).exp()
        nats = (1 + others).ln() + others / (1 + others) * Decimal(gap)
    for ours in (m.entropy(weights[None])[0], entropy(shares(weights[None] / 3))[0]):
        assert_close(float(ours) / float(nats), 1.0, rtol={torch.float32: 2e-6, torch.float64: 1e-13}[dtype], atol=0)


def test_entropy_of_a_row_that_does_not_sum_to_one_is_its_formula():
    """Local attention is not renormalised, and sigmoid weights are not shares."""
    for row in (
        [0.6, 0.1, 0.0],
        [0.97, 1e-9, 0.0],
        [1.0, 0.4, 0.2],
        [0.9, 0.9, 0.9],
        [1e-3, 0.0, 0.0],
        [0.5, 0.6, 0.1],
    ):
        expected = -sum(p * math.log(p) for p in row if p)
        check(m.entropy(rows(row)), [expected], rtol=1e-12, atol=0)


@given(heads())
def test_entropy_and_support_stay_within_their_bounds(weights):
    n_k = weights.shape[-1]
    assert (m.entropy(weights) >= 0).all()
    assert (m.entropy(weights) <= math.log(n_k) + 1e-5).all()
    empty = ~weights.any(dim=-1)
    support = m.effective_support(weights)
    assert (support[~empty] >= 1).all() and (support <= n_k * (1 + 1e-5)).all()
    check(support[empty], 0.0)
    assert (support[~empty] * m.peak(weights)[~empty] >= 1 - 1e-5).all()


# Heads ---------------------------------------------------------------------------------------------------------------


def test_averages_leave_empty_rows_out():
    check(m.mean_entropy(HALVES), LN2 / 2)
    check(m.mean_effective_support(HALVES), 1.5)
    check(m.mean_peak(HALVES), 0.75)
    check(m.share_peaked(HALVES), 0.5)
    check(m.sink_share(HALVES, [0]), 0.25)
    check(m.mean_distance(HALVES), 0.25)


def test_averages_over_no_row_at_all_are_undefined():
    empty = torch.zeros(3, 2, 5)
    for name, measure in m.MEASURES.items():
        assert measure.apply(empty, None).isnan().all(), name


def test_share_peaked_counts_above_the_threshold():
    weights = rows([0.9, 0.1], [0.89, 0.11], [0.995, 0.005], [0.5, 0.5])
    check(m.share_peaked(weights), 0.25)  # exactly 0.9 does not count
    check(m.share_peaked(weights, 0.99), 0.25)
    check(m.share_peaked(weights.float()), 0.25)


def test_relative_entropy_compares_each_row_with_what_it_may_see():
    for n in SIZES[1:]:
        check(m.relative_entropy(uniform_causal(n), causal(n, n)), 1.0)
        check(m.relative_entropy(uniform(n)), 1.0)
    weights = rows([1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0])
    check(m.relative_entropy(weights, causal(3, 3)), 0.5)
    check(m.relative_entropy(weights), LN2 / math.log(3) / 3)
    check(m.relative_entropy(weights, torch.tensor([[True, True, False]])), 1 / 3)


@pytest.mark.parametrize("n", SIZES)
def test_distance_and_diagonality_in_closed_form(n):
    identity = torch.eye(n, dtype=torch.float64)
    check(m.mean_distance(uniform(n)), (n * n - 1) / (3 * n))
    check(m.mean_distance(identity), 0.0)
    check(m.mean_distance(uniform_causal(n)), (n - 1) / 4)
    one_token = math.nan if n == 1 else None
    check(m.diagonality(identity), one_token or 1.0)
    check(m.diagonality(uniform(n)), one_token or 0.0)
    check(m.diagonality(uniform_causal(n), causal(n, n)), one_token or 0.0)
    check(m.diagonality(uniform_causal(n)), one_token or 1 - (n - 1) / 4 * 3 * n / (n * n - 1))


def test_distance_and_diagonality_by_hand_with_a_query_block_at_the_end():
    weights = rows([0.5, 0.0, 0.5, 0.0], [1.0, 0.0, 0.0, 0.0])  # queries at positions 2 and 3
    check(m.mean_distance(weights, start=2), 2.0)
    check(m.mean_distance(weights), 1.0)
    # uniform over the allowed: (2 + 1 + 0)/3 = 1 and (3 + 2 + 1 + 0)/4 = 1.5
    check(m.diagonality(weights, causal(2, 4), start=2), 1 - 2.0 / 1.25)


def test_distance_against_two_loops():
    weights = random_weights(3, 5, 7)
    expected = [sum(float(a[i, j]) * abs(i - j) for i in range(5) for j in range(7)) / 5 for a in weights]
    check(m.mean_distance(weights), expected)


def test_offset_score_of_shifts_and_by_hand():
    n = 7
    previous = torch.eye(n, dtype=torch.float64).roll(-1, dims=1)
    check(m.offset_score(previous, -1), 1.0)
    check(m.offset_score(previous, 1), 0.0)
    check(m.offset_score(previous, 0), 0.0)
    check(m.offset_score(previous, n - 1), 1.0)  # the first row went round
    check(m.offset_score(previous, n), math.nan)
    check(m.offset_score(previous, -n - 5), math.nan)
    weights = rows([0.2, 0.5, 0.3], [0.1, 0.7, 0.2])
    check(m.offset_score(weights, -1), 0.1)
    check(m.offset_score(weights, 1), 0.35)
    check(m.offset_score(weights, 0), 0.45)
    check(m.offset_score(weights, -1, start=1), 0.45)
    check(m.offset_score(weights, -1, start=2), 0.35)
    check(m.offset_score(weights, -1, start=3), 0.3)


def test_offset_score_counts_only_queries_that_may_use_that_key():
    weights = rows([1.0, 0.0, 0.0], [0.4, 0.6, 0.0], [0.0, 0.8, 0.2])
    allowed = torch.tensor([[True, False, False], [True, True, False], [False, True, True]])
    check(m.offset_score(weights, 1, allowed), math.nan)
    check(m.offset_score(weights, -1, allowed), 0.6)
    check(m.offset_score(weights, -1, allowed & torch.tensor([[True], [False], [True]])), 0.8)
    check(m.offset_score(HALVES, -1), 0.0)


def test_induction_score_on_a_repeated_text():
    period, n = 3, 8
    weights = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        weights[i, max(i - period + 1, 0)] = 1.0
    check(m.offset_score(weights, 1 - period), 1.0)


def test_sink_share_adds_the_columns():
    weights = rows([0.2, 0.5, 0.3], [0.1, 0.6, 0.3])
    check(m.sink_share(weights, [0]), 0.15)
    check(m.sink_share(weights, [0, -1]), 0.45)
    check(m.sink_share(weights, []), 0.0)
    check(m.sink_share(uniform(7), [2, 3]), 2 / 7)


@given(heads())
def test_every_measure_is_one_number_per_head_and_heads_do_not_mix(weights):
    allowed = weights != 0
    for name, measure in m.MEASURES.items():
        for mask in (None, allowed):
            values = measure.apply(weights, mask)
            assert values.shape == weights.shape[:1] and values.dtype == weights.dtype, name
            alone = [measure.apply(weights[h], None if mask is None else mask[h]) for h in range(len(weights))]
            check(values, torch.stack(alone))


def test_the_table_calls_the_right_functions():
    weights = random_weights(3, 7, 7)
    expected = {
        "entropy": m.mean_entropy(weights),
        "relative_entropy": m.mean_entropy(weights) / math.log(7),
        "effective_support": m.effective_support(weights).mean(dim=-1),
        "peak": weights.amax(dim=-1).mean(dim=-1),
        "peaked_90": (weights.amax(dim=-1) > 0.9).double().mean(dim=-1),
        "peaked_99": (weights.amax(dim=-1) > 0.99).double().mean(dim=-1),
        "distance": m.mean_distance(weights),
        "diagonality": 1 - m.mean_distance(weights) * 21 / 48,
        "previous": weights.diagonal(-1, 1, 2).mean(dim=-1),
        "same": weights.diagonal(0, 1, 2).mean(dim=-1),
        "next": weights.diagonal(1, 1, 2).mean(dim=-1),
        "first": weights[..., 0].mean(dim=-1),
        "last": weights[..., -1].mean(dim=-1),
    }
    assert m.MEASURES.keys() == expected.keys()
    for name, measure in m.MEASURES.items():
        check(measure.apply(weights, None), expected[name])
        assert measure.words == f"measure.{name}"
        assert measure.unit in ("nats", "tokens", "")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    weights = random_weights(2, 5, 5).to(dtype)
    for name, measure in m.MEASURES.items():
        values = measure.apply(weights, None)
        assert values.dtype == torch.float32, name
        check(values, measure.apply(weights.float(), None), atol=0, rtol=0)
    check(m.rollout([weights]), m.rollout([weights.float()]), atol=0, rtol=0)
    check(m.pairwise_jensen_shannon(weights), m.pairwise_jensen_shannon(weights.float()), atol=0, rtol=0)


# Values --------------------------------------------------------------------------------------------------------------


def test_value_weighted_norm_is_the_norm_of_every_single_contribution():
    weights, v, W_O = (
        random_weights(2, 3, 5),
        random_weights(2, 5, 7, seed=1) - 0.1,
        random_weights(2, 7, 11, seed=2) - 0.1,
    )
    expected = torch.empty(2, 3, 5, dtype=torch.float64)
    for h in range(2):
        for i in range(3):
            for j in range(5):
                expected[h, i, j] = torch.linalg.vector_norm((weights[h, i, j] * v[h, j]) @ W_O[h])
    check(m.value_weighted_norm(weights, v, W_O), expected)
    check(m.value_weighted_norm(weights, v), torch.linalg.vector_norm(weights[..., None] * v[:, None], dim=-1))


def test_value_weighted_norm_is_zero_for_zero_values_and_for_hidden_ones():
    v = rows([0.0, 0.0], [3.0, 4.0], [math.nan, math.inf])
    check(m.value_weighted_norm(rows([0.9, 0.1, 0.0]), v), [[0.0, 0.5, 0.0]])


# Divergence ----------------------------------------------------------------------------------------------------------


def test_jensen_shannon_by_hand():
    left, right = rows([1.0, 0.0]), rows([0.0, 1.0])
    check(m.jensen_shannon(left, right), LN2)
    check(m.jensen_shannon(left, left), 0.0, atol=0, rtol=0)
    # a = (1, 0), b = (½, ½), m = (¾, ¼): ½ ln(4/3) + ½ (½ ln(2/3) + ½ ln 2)
    check(m.jensen_shannon(left, rows([0.5, 0.5])), 0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * LN2)
    check(m.jensen_shannon(torch.cat((left, right)), torch.cat((right, right))), LN2 / 2)
    check(m.jensen_shannon(rows([1.0, 0.0], [0.0, 0.0]), rows([0.0, 1.0], [0.0, 1.0])), LN2)


def test_jensen_shannon_is_torchs_kl_divergence_to_the_middle():
    a, b = random_weights(3, 5, 7), random_weights(3, 5, 7, seed=1)
    middle = torch.distributions.Categorical(probs=(a + b) / 2)
    kl = [torch.distributions.kl_divergence(torch.distributions.Categorical(probs=p), middle) for p in (a, b)]
    check(m.jensen_shannon(a, b), (sum(kl) / 2).mean(dim=-1))


@given(heads())
def test_jensen_shannon_of_all_pairs_is_bounded_and_symmetric(weights):
    divergences = m.pairwise_jensen_shannon(weights)
    defined = divergences[~divergences.isnan()]
    assert (defined >= 0).all() and (defined <= LN2 + 1e-6).all()
    check(divergences, divergences.mT, atol=0, rtol=0)
    for a in range(len(weights)):
        for b in range(len(weights)):
            check(divergences[a, b], m.jensen_shannon(weights[a], weights[b]))


def test_jensen_shannon_of_all_pairs_does_not_depend_on_its_blocks(monkeypatch):
    weights = random_weights(2, 3, 5, 7)
    whole = m.pairwise_jensen_shannon(weights)
    monkeypatch.setattr(m, "PAIRWISE_ELEMENTS", 1)
    check(m.pairwise_jensen_shannon(weights), whole)


# Layers --------------------------------------------------------------------------------------------------------------


def test_mean_over_heads_leaves_out_heads_in_which_the_row_is_empty():
    first, second = rows([0.2, 0.8], [1.0, 0.0], [0.0, 0.0]), rows([0.6, 0.4], [0.0, 0.0], [0.0, 0.0])
    check(m.mean_over_heads(torch.stack((first, second))), [[0.4, 0.6], [1.0, 0.0], [0.0, 0.0]])


def test_rollout_by_hand():
    first, second = rows([[0.0, 1.0], [1.0, 0.0]]), rows([[1.0, 0.0], [0.5, 0.5]])
    # Ã₁ = [[.5, .5], [.5, .5]], Ã₂ = [[1, 0], [.25, .75]]
    check(m.rollout([first, second]), [[[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [0.5, 0.5]]])
    check(m.rollout([second, first]), [[[1.0, 0.0], [0.25, 0.75]], [[0.625, 0.375], [0.625, 0.375]]])
    check(m.rollout([second, first], residual=0.0)[1], [[0.5, 0.5], [1.0, 0.0]])
    check(m.rollout([second, first], residual=1.0)[1], [[1.0, 0.0], [0.0, 1.0]])


def test_rollout_renormalises_weights_that_do_not_sum_to_one():
    # Ã = [[.6, .1], [.05, .7]] before its rows are divided by .7 and .75
    rolled = m.rollout([rows([[0.2, 0.2], [0.1, 0.4]])])
    check(rolled, [[[0.6 / 0.7, 0.1 / 0.7], [0.05 / 0.75, 0.7 / 0.75]]])


def test_rollout_keeps_a_token_that_attends_to_nothing():
    for residual in (0.0, 0.5):
        check(m.rollout([rows([[0.0, 0.0], [1.0, 0.0]])], residual)[0, 0], [1.0, 0.0])


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=4), st.floats(0, 1))
def test_rollout_rows_sum_to_one(seeds, residual):
    rolled = m.rollout([random_weights(3, 5, 5, seed=seed) for seed in seeds], residual)
    check(rolled.sum(dim=-1), 1.0)
    assert (rolled >= 0).all()


def test_rollout_refuses_what_it_cannot_mean():
    with pytest.raises(ValueError, match="at least one layer"):
        m.rollout([])
    with pytest.raises(ValueError, match=r"not 1\.5"):
        m.rollout([uniform(3)[None]], residual=1.5)
