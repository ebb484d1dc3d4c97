"""The bench's numbers against torch: fused attention, finite differences, scipy-free entropies, the FLOP counter."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Categorical
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from attention_core.masks import causal
from attention_core.mechanisms import MECHANISMS, Options, run
from attention_core.mechanisms.bench import (
    SPREADING,
    WIDTHS,
    compute,
    direction,
    entropy,
    head_gradient,
    shares,
    sizes_of,
    spread,
)

N_HEAD, N_Q, N_K, D_K, D_V = 3, 5, 7, 11, 13
HEAD = 2
OPTIONS = Options(radius=2, seed=17)


def vectors(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    shapes = ((N_Q, D_K), (N_K, D_K), (N_K, D_V))
    return [torch.randn(N_HEAD, *shape, generator=generator).to(dtype) for shape in shapes]


def objective(key, q, k, v, allowed=None):
    """L of one head in double precision: all heads computed, one looked at."""
    parameters = {name: p.double() for name, p in MECHANISMS[key].parameters(sizes_of(q, k, v), OPTIONS.seed).items()}
    trace = run(MECHANISMS[key], q, k, v, parameters=parameters, options=OPTIONS, allowed=allowed)
    return (trace.context * direction(N_HEAD, N_Q, D_V).double())[HEAD].sum()


@pytest.mark.parametrize("masked", [False, True])
def test_scaled_dot_is_torchs_attention_and_its_gradients_are_torchs(masked):
    q, k, v = vectors()
    allowed = causal(N_Q, N_K) if masked else None
    result = compute(MECHANISMS["scaled_dot"], q, k, v, options=OPTIONS, allowed=allowed)
    q_, k_ = (side.clone().requires_grad_() for side in (q, k))
    theirs = F.scaled_dot_product_attention(q_, k_, v, attn_mask=allowed)
    assert_close(result.trace.context, theirs.detach())
    assert result.seconds >= 0 and result.learned == 0
    slopes = torch.autograd.grad((theirs * direction(N_HEAD, N_Q, D_V))[HEAD].sum(), (q_, k_))
    reach = head_gradient(MECHANISMS["scaled_dot"], q, k, v, head=HEAD, options=OPTIONS, allowed=allowed)
    assert_close(reach.q, slopes[0][HEAD])
    assert_close(reach.k, slopes[1][HEAD])


@pytest.mark.parametrize("key", [key for key in MECHANISMS if not key.startswith("hard")])
def test_the_gradient_that_reaches_q_and_k_is_that_of_finite_differences(key):
    q, k, v = vectors(torch.float64)
    reach = head_gradient(MECHANISMS[key], *vectors(), head=HEAD, options=OPTIONS)
    step = 1e-6
    for side, index, gradient in ((0, (HEAD, 3, 4), reach.q), (0, (HEAD, 0, 0), reach.q), (1, (HEAD, 5, 1), reach.k)):
        ends = []
        for sign in (1, -1):
            moved = [q.clone(), k.clone(), v]
            moved[side][index] += sign * step
            ends.append(float(objective(key, *moved)))
        assert_close(float(gradient[index[1:]]), (ends[0] - ends[1]) / (2 * step), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("key", ["hard", "hard_sampled"])
def test_nothing_reaches_q_and_k_through_a_hard_choice(key):
    reach = head_gradient(MECHANISMS[key], *vectors(), head=HEAD, options=OPTIONS)
    assert_close(reach.q, torch.zeros(N_Q, D_K))
    assert_close(reach.k, torch.zeros(N_K, D_K))


def test_location_reaches_no_key():
    assert_close(head_gradient(MECHANISMS["location"], *vectors(), head=0, options=OPTIONS).k, torch.zeros(N_K, D_K))


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    one, again, other = (
        compute(MECHANISMS["general"], *vectors(), options=Options(seed=seed)).trace.weights for seed in (3, 3, 4)
    )
    assert_close(one, again, rtol=0, atol=0)
    assert (one - other).abs().max() > 0.01


def test_entropy_is_that_of_torchs_distribution_whatever_the_row_sums_to():
    weights = torch.rand(N_Q, N_K, generator=torch.Generator().manual_seed(2)) * 3
    weights[1] = 0
    nats = entropy(weights)
    rest = [0, 2, 3, 4]
    assert_close(nats[rest], Categorical(weights[rest]).entropy())
    assert nats[1].isnan() and shares(weights)[1].isnan().all()
    assert_close(entropy(torch.ones(1, N_K)), torch.tensor([math.log(N_K)]))
    assert_close(entropy(torch.eye(N_K)), torch.zeros(N_K))


@pytest.mark.parametrize("key", ["dot", "scaled_dot", "general", "additive", "concat", "location"])
def test_products_are_what_torchs_flop_counter_counts(key):
    q, k, v = vectors()
    parameters = MECHANISMS[key].parameters(sizes_of(q, k, v), OPTIONS.seed)
    with FlopCounterMode(display=False) as counter:
        run(MECHANISMS[key], q, k, v, parameters=parameters, options=OPTIONS)
    assert compute(MECHANISMS[key], q, k, v, options=OPTIONS).cost.products == counter.get_total_flops()


@pytest.fixture(scope="module")
def spreads():
    return spread(0)


def test_dot_products_spread_as_the_root_of_d_k_and_additive_scores_do_not(spreads):
    """The variance of additive scores is 0.52 at any d_k. E tanh²(√2 z) by quadrature, not by us."""
    z = torch.linspace(-9, 9, 20001, dtype=torch.float64)
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
    expected = float(torch.trapezoid(torch.tanh(math.sqrt(2) * z).square() * density, z))
    assert_close(expected, 0.52, rtol=0, atol=0.005)
    kinds = list(SPREADING)
    widths = torch.tensor(WIDTHS, dtype=torch.float64)
    assert_close(spreads.std[:, kinds.index("dot")], widths.sqrt(), rtol=0.06, atol=0)
    assert_close(spreads.std[:, kinds.index("scaled_dot")], torch.ones_like(widths), rtol=0.06, atol=0)
    additive = spreads.std[:, kinds.index("additive")]
    assert_close(additive, torch.full_like(widths, math.sqrt(expected)), rtol=0.12, atol=0)
    slope = torch.linalg.lstsq(torch.stack((widths.log(), torch.ones_like(widths)), -1), additive.log()[:, None])
    assert_close(slope.solution[0, 0], torch.zeros((), dtype=torch.float64), rtol=0, atol=0.02)


def test_as_d_k_grows_dot_chooses_one_key_and_the_others_do_not(spreads):
    dot, *others = (list(SPREADING).index(kind) for kind in ("dot", "scaled_dot", "additive"))
    assert spreads.peak[-1, dot] > 0.9 > 0.5 > spreads.peak[:, others].max()
    assert spreads.trace[-1, dot] < 0.1 < 0.7 < spreads.trace[:, others].min()
