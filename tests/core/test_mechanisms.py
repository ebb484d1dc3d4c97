"""Every row of the table against ten plain lines, and the identities that tie the rows together."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from attention_core import gradients
from attention_core.mechanisms import MECHANISMS, LayerSizes, Options, moved, run
from attention_core.mechanisms.local import bell, predicted
from attention_core.mechanisms.multiplicative import SMOOTH
from attention_core.mechanisms.recurrent import mixture_window

SIZES = LayerSizes(n_head=2, n_q=5, n_k=7, d_k=3, d_v=11)
RADIUS = 2


def vectors(sizes=SIZES, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = (sizes.n_q, sizes.d_k), (sizes.n_k, sizes.d_k), (sizes.n_k, sizes.d_v)
    return tuple(torch.randn(sizes.n_head, *shape, generator=generator, dtype=torch.float64) for shape in shapes)


def drawn(name, sizes=SIZES, seed=0):
    return {key: value.double() for key, value in MECHANISMS[name].parameters(sizes, seed).items()}


def ran(name, q, k, v, parameters=None, **options):
    sizes = LayerSizes(n_head=q.shape[-3], n_q=q.shape[-2], n_k=k.shape[-2], d_k=q.shape[-1], d_v=v.shape[-1])
    parameters = drawn(name, sizes) if parameters is None else parameters
    allowed = options.pop("allowed", None)
    return run(MECHANISMS[name], q, k, v, parameters=parameters, options=Options(**options), allowed=allowed)


# One head each: q (n_q d_k), k (n_k d_k), p its parameters. Loops over pairs, one number at a time.


def by_pair(score):
    """softmax over j of score(q_i, k_j, p)."""

    def weights(q, k, p):
        return torch.stack([torch.stack([score(row, key, p) for key in k]).softmax(0) for row in q])

    return weights


def naive_location(q, k, p):
    return torch.stack([torch.stack([row @ p["W_a"][:, j] for j in range(len(k))]).softmax(0) for row in q])


def windowed(q, k, p):
    weights = torch.zeros(len(q), len(k), dtype=q.dtype)
    for i in range(len(q)):
        inside = [j for j in range(len(k)) if abs(i - j) <= RADIUS]
        weights[i, inside] = torch.stack([q[i] @ k[j] / math.sqrt(3) for j in inside]).softmax(0)
    return weights


def naive_predictive(q, k, p):
    weights = torch.zeros(len(q), len(k), dtype=q.dtype)
    for t in range(len(q)):
        p_t = len(k) / (1 + math.exp(-float(p["v_p"] @ torch.tanh(p["W_p"].T @ q[t]))))
        inside = [s for s in range(len(k)) if p_t - RADIUS <= s <= p_t + RADIUS]
        aligned = torch.stack([q[t] @ k[s] / math.sqrt(3) for s in inside]).softmax(0)
        for s, alpha in zip(inside, aligned, strict=True):
            weights[t, s] = alpha * math.exp(-((s - p_t) ** 2) / (2 * (RADIUS / 2) ** 2))
    return weights


def naive_hard(q, k, p):
    best = [max(range(len(k)), key=lambda j: float(row @ k[j])) for row in q]
    return torch.eye(len(k), dtype=q.dtype)[best]


def naive_graves(q, k, p):
    kappa, weights = [0.0] * 3, torch.zeros(len(q), len(k), dtype=q.dtype)
    for t, row in enumerate(q):
        emitted = [math.exp(float(row @ p["W"][:, c] + p["b"][c])) for c in range(9)]
        kappa = [kappa[m] + emitted[6 + m] for m in range(3)]
        for u in range(len(k)):
            weights[t, u] = sum(emitted[m] * math.exp(-emitted[3 + m] * (kappa[m] - u) ** 2) for m in range(3))
    return weights


def naive_turing(q, k, p):
    w, rows = torch.eye(len(k), dtype=q.dtype)[0], []
    for row in q:
        e = row @ p["W"] + p["b"]
        content = (torch.log1p(e[0].exp()) * torch.stack([F.cosine_similarity(row, key, 0) for key in k])).softmax(0)
        g, shift = 1 / (1 + torch.exp(-e[1])), e[3:].softmax(0)
        mixed = g * content + (1 - g) * w
        turned = [sum(shift[s + 1] * mixed[(j - s) % len(k)] for s in (-1, 0, 1)) for j in range(len(k))]
        sharp = torch.stack(turned) ** (1 + torch.log1p(e[2].exp()))
        w = sharp / sharp.sum()
        rows.append(w)
    return torch.stack(rows)


def naive_location_aware(q, k, p):
    last, rows, half = torch.zeros(len(k), dtype=q.dtype), [], p["filters"].shape[-1] // 2
    for row in q:
        scores = []
        for j in range(len(k)):
            near = [(o, j + o - half) for o in range(2 * half + 1) if 0 <= j + o - half < len(k)]
            f = sum((p["filters"][:, o] * last[i] for o, i in near), torch.zeros(4, dtype=q.dtype))
            scores.append(p["w"] @ torch.tanh(p["W"].T @ row + p["V"].T @ k[j] + p["U"].T @ f))
        last = torch.stack(scores).softmax(0)
        rows.append(last)
    return torch.stack(rows)


def additive(activation):
    return by_pair(lambda q, k, p: p["v_a"] @ activation(p["W_a"].T @ q + p["U_a"].T @ k))


NAIVE = {
    "scaled_dot": by_pair(lambda q, k, p: q @ k / math.sqrt(3)),
    "dot": by_pair(lambda q, k, p: q @ k),
    "general": by_pair(lambda q, k, p: q @ p["W_a"] @ k),
    "cosine": by_pair(lambda q, k, p: q @ k / (q.norm() * k.norm())),
    "distance": by_pair(lambda q, k, p: -((q - k) ** 2).sum() / (2 * math.sqrt(3))),
    "additive": additive(torch.tanh),
    "additive_relu": additive(lambda x: x.clamp(min=0)),
    "concat": by_pair(lambda q, k, p: p["v_a"] @ torch.tanh(p["W_a"].T @ torch.cat((q, k)))),
    "location": naive_location,
    "window": windowed,
    "local_m": windowed,
    "local_p": naive_predictive,
    "hard": naive_hard,
    "graves": naive_graves,
    "turing": naive_turing,
    "location_aware": naive_location_aware,
}


def test_every_mechanism_has_a_naive_reference():
    assert set(NAIVE) | {"hard_sampled"} == set(MECHANISMS)  # sampled rows have a test of their own


@pytest.mark.parametrize("name", NAIVE)
def test_a_mechanism_is_its_formula(name):
    q, k, v = vectors()
    p = drawn(name)
    trace = ran(name, q, k, v, p, radius=RADIUS)
    for h in range(SIZES.n_head):
        expected = NAIVE[name](q[h], k[h], {key: value[h] for key, value in p.items()})
        assert_close(trace.weights[h], expected, atol=1e-12, rtol=1e-10)
        assert_close(trace.context[h], expected @ v[h], atol=1e-11, rtol=1e-10)


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_counted_products_are_those_torch_executes(name):
    sizes = LayerSizes(n_head=2, n_q=5, n_k=7, d_k=11, d_v=13)
    q, k, v = (x.float() for x in vectors(sizes))
    p = MECHANISMS[name].parameters(sizes)
    with FlopCounterMode(display=False) as counter:
        run(MECHANISMS[name], q, k, v, parameters=p)
    ours = MECHANISMS[name].cost(sizes)
    assert counter.get_total_flops() <= ours.products <= 1.001 * counter.get_total_flops()
    assert ours.total > ours.products
    assert ours.held >= sizes.pairs


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_gradient_of_every_mechanism_is_the_one_of_finite_differences(name):
    q, k, v = (x.requires_grad_() for x in vectors(LayerSizes(n_head=1, n_q=3, n_k=5, d_k=2, d_v=2), seed=3))
    p = drawn(name, LayerSizes(n_head=1, n_q=3, n_k=5, d_k=2, d_v=2))
    assert torch.autograd.gradcheck(lambda q, k, v: ran(name, q, k, v, p, radius=5).context, (q, k, v))


@pytest.mark.parametrize("name", MECHANISMS)
@given(seed=st.integers(0, 2**31), n_q=st.integers(1, 7), n_k=st.integers(1, 7), data=st.data())
def test_a_mechanism_stays_behind_the_readers_mask(name, seed, n_q, n_k, data):
    q, k, v = vectors(LayerSizes(n_head=2, n_q=n_q, n_k=n_k, d_k=3, d_v=2), seed)
    allowed = torch.rand(n_q, n_k, generator=torch.Generator().manual_seed(seed)) < 0.7
    q.requires_grad_()
    trace = ran(name, q, k, v, allowed=allowed, radius=data.draw(st.integers(0, 9)), seed=seed)
    assert trace.weights.isfinite().all()
    assert (trace.weights >= 0).all()
    assert not trace.weights[..., ~allowed].any()
    if trace.context.requires_grad:
        assert gradients(trace.context.sum(), trace).q.isfinite().all()
    if MECHANISMS[name].normalizer not in ("none", "softmax × Gaussian"):
        # A sum over a row, so its error grows with the length of the row.
        sums = trace.weights.sum(-1)
        assert_close(sums, sums.round(), atol=1e-12, rtol=0)


def test_what_each_learns_and_draws():
    for mechanism in MECHANISMS.values():
        p = mechanism.parameters(SIZES, 7)
        assert mechanism.learned(SIZES) == sum(parameter.numel() for parameter in p.values())
        assert all(parameter.shape[0] == SIZES.n_head for parameter in p.values())
        again = mechanism.parameters(SIZES, 7)
        assert all(torch.equal(p[key], again[key]) for key in p)


@pytest.mark.parametrize("name", [name for name, row in MECHANISMS.items() if row.gradient.startswith(SMOOTH)])
def test_a_smooth_score_gets_what_its_card_says(name):
    """α_j (g_j − Σ_l α_l g_l), g_j = ∂L/∂α_j, by autograd."""
    q, k, v = (x.requires_grad_() for x in vectors())
    trace = ran(name, q, k, v)
    G = torch.randn(trace.context.shape, generator=torch.Generator().manual_seed(9), dtype=q.dtype)
    (gradient,) = torch.autograd.grad((trace.context * G).sum(), trace.masked_scores, retain_graph=True)
    alpha, g = trace.weights.detach(), (G @ v.mT).detach()
    assert_close(gradient, alpha * (g - (alpha * g).sum(-1, keepdim=True)), atol=1e-12, rtol=0)


# Extremes


@pytest.mark.parametrize("scale", [64, 1000])
@pytest.mark.parametrize("name", ["graves", "turing"])
def test_large_vectors_leave_weights_and_gradients_finite_in_float32(name, scale):
    """And where a row of content and shift may attend at all, it sums to 1."""
    sizes = LayerSizes(n_head=3, n_q=7, n_k=11, d_k=5, d_v=2)
    parameters = MECHANISMS[name].parameters(sizes)
    for seed in range(20):
        q, k, v = (x.float() for x in vectors(sizes, seed))
        q, k = ((scale * x).requires_grad_() for x in (q, k))
        allowed = torch.rand(7, 11, generator=torch.Generator().manual_seed(seed)) < 0.5
        for mask in (None, allowed):
            trace = ran(name, q, k, v, parameters, allowed=mask)
            assert trace.weights.isfinite().all()
            if name == "turing":
                some = torch.ones(7) if mask is None else mask.any(-1).float()
                assert_close(trace.weights.sum(-1), some.expand(3, -1))
            for gradient in torch.autograd.grad(trace.context.square().sum(), (q, k), materialize_grads=True):
                assert gradient.isfinite().all()


# Identities


def test_scaled_dot_is_torchs_own():
    q, k, v = vectors()
    assert_close(ran("scaled_dot", q, k, v).context, F.scaled_dot_product_attention(q, k, v), atol=1e-14, rtol=0)
    assert_close(ran("dot", q, k, v).context, F.scaled_dot_product_attention(q, k, v, scale=1.0), atol=1e-14, rtol=0)


def test_general_with_the_identity_is_dot():
    q, k, v = vectors()
    identity = torch.eye(SIZES.d_k, dtype=q.dtype).expand(SIZES.n_head, -1, -1)
    expected = F.scaled_dot_product_attention(q, k, v, scale=1.0)
    assert_close(ran("general", q, k, v, {"W_a": identity}).context, expected, atol=1e-14, rtol=0)


def test_the_split_and_the_concatenated_form_are_one():
    q, k, v = vectors()
    split, joined = ran("additive", q, k, v), ran("concat", q, k, v)
    assert_close(joined.scores, split.scores, atol=1e-14, rtol=0)


def test_the_squared_distance_is_the_dot_product_where_all_keys_are_equally_long():
    q, k, v = vectors()
    k = F.normalize(k, dim=-1)
    expected = F.scaled_dot_product_attention(q, k, v)
    assert_close(ran("distance", q, k, v).context, expected, atol=1e-14, rtol=0)


def test_location_does_not_look_at_the_source():
    q, k, v = vectors()
    order = torch.tensor([3, 1, 6, 0, 5, 2, 4])
    assert torch.equal(ran("location", q, k[:, order], v).weights, ran("location", q, k, v).weights)
    assert not torch.equal(ran("dot", q, k[:, order], v).weights, ran("dot", q, k, v).weights)


@pytest.mark.parametrize("name", ["window", "local_m"])
def test_a_window_as_wide_as_the_sentence_is_global(name):
    q, k, v = vectors()
    wide = ran(name, q, k, v, radius=SIZES.n_k)
    assert_close(wide.context, F.scaled_dot_product_attention(q, k, v), atol=1e-14, rtol=0)


@pytest.mark.parametrize(("n_q", "n_k"), [(5, 11), (11, 5)])
def test_a_window_stands_around_the_querys_own_number_however_many_keys_there_are(n_q, n_k):
    q, k, v = vectors(LayerSizes(n_head=2, n_q=n_q, n_k=n_k, d_k=3, d_v=2))
    near = torch.tensor([[abs(i - j) <= RADIUS for j in range(n_k)] for i in range(n_q)])
    for name in ("window", "local_m"):
        assert torch.equal(ran(name, q, k, v, radius=RADIUS).weights > 0, near.expand(2, -1, -1))


def test_the_predictive_window_becomes_global_as_its_gaussian_widens():
    q, k, v = vectors()
    wide = ran("local_p", q, k, v, radius=10**8)
    assert_close(wide.context, F.scaled_dot_product_attention(q, k, v), atol=1e-12, rtol=0)


def test_the_gaussian_is_not_renormalized():
    q, k, v = vectors()
    assert (ran("local_p", q, k, v, radius=RADIUS).weights.sum(-1) < 1).all()


def test_a_given_center_moves_the_window():
    q, k, v = vectors()
    weights = ran("local_p", q, k, v, radius=1, center=4.0).weights
    assert not weights[..., [0, 1, 2, 6]].any()
    assert weights[..., 3:6].all()


def test_the_gradient_reaches_p_t():
    q, k, v = vectors()
    p = drawn("local_p")
    p["v_p"].requires_grad_()
    (gradient,) = torch.autograd.grad(ran("local_p", q, k, v, p, radius=9).context.sum(), p["v_p"])
    assert gradient.abs().min() > 0


def test_bell_needs_a_width():
    with pytest.raises(ValueError, match="at least 1"):
        bell(torch.tensor([1.0]), 5, 0)
    with pytest.raises(ValueError, match="0 or more"):
        Options(radius=-1)


def test_p_t_lies_inside_the_sentence():
    q, _, _ = vectors()
    p = drawn("local_p")
    p_t = predicted(100 * q, p["W_p"], p["v_p"], 7)
    assert ((p_t >= 0) & (p_t <= 7)).all()


def test_hard_is_the_limit_of_a_cold_softmax():
    q, k, v = vectors()
    cold = F.scaled_dot_product_attention(1e6 * q, k, v)
    assert_close(ran("hard", q, k, v).context, cold, atol=1e-12, rtol=0)


def test_the_expectation_of_hard_is_soft():
    """Within four standard errors, for every weight."""
    q, k, v = vectors()
    n, alpha = 4000, (q @ k.mT / math.sqrt(3)).softmax(-1)
    one_hot = ran("hard_sampled", *(x.expand(n, *x.shape) for x in (q, k, v)), seed=5).weights
    assert_close(one_hot.sum(-1), torch.ones(n, 2, 5, dtype=q.dtype))
    error = (alpha * (1 - alpha) / n).sqrt()
    assert ((one_hot.mean(0) - alpha).abs() <= 4 * error).all()


def test_a_sample_follows_its_seed():
    q, k, v = (x.repeat(1, 10, 1) for x in vectors())
    first, again, other = (ran("hard_sampled", q, k, v, seed=seed).weights for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_graves_window_only_moves_forward():
    q, _, _ = vectors()
    p = drawn("graves")
    _, kappa = mixture_window(q, p["W"], p["b"], 7)
    assert (kappa.diff(dim=-2) > 0).all()


def test_additive_scores_do_not_grow_with_d_k():
    """Var(e) = E tanh²(√2 z) = 0.52 at any d_k, where that of q·k is d_k."""
    for d_k in (16, 256):
        sizes = LayerSizes(n_head=16, n_q=31, n_k=31, d_k=d_k, d_v=1)
        q, k, v = vectors(sizes)
        assert_close(ran("additive", q, k, v).scores.var().item(), 0.52, atol=0.06, rtol=0)
        assert_close(ran("dot", q, k, v).scores.var().item() / d_k, 1.0, atol=0.1, rtol=0)


def test_what_moved():
    assert moved(MECHANISMS["dot"], MECHANISMS["scaled_dot"]) == ("scaling",)
    assert moved(MECHANISMS["scaled_dot"], MECHANISMS["hard"]) == ("normalizer",)
    assert moved(MECHANISMS["scaled_dot"], MECHANISMS["local_m"]) == ("mask",)
    assert moved(MECHANISMS["additive"], MECHANISMS["concat"]) == ()
