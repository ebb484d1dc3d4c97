"""Every remedy against torch's fused attention, its paper's numbers, and finite differences."""

import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.parametrizations import spectral_norm as power_iteration
from torch.testing import assert_close

from attention_core import attend, remedies
from attention_core.normalizers import NORMALIZERS
from attention_core.remedies import (
    REMEDIES,
    Spectra,
    g0,
    layer_norm,
    qk_norm,
    remedied,
    reparametrized,
    softcap,
    spectral_norm,
    ssmax,
    temperature,
    unit,
)

H, N_Q, N_K, D_K, D_V, D_MODEL = 3, 5, 7, 11, 13, 17
ARXIV = {  # of every remedy that has a paper there; read in the papers; temperature: in public copies of the paper
    "none": "1508.04025",
    "inverse_sqrt": "1706.03762",
    "inverse": "2203.03466",
    "temperature": "2112.13492",
    "qk_norm": "2010.04245",
    "qk_layernorm": "2302.05442",
    "softcap": "2408.00118",
    "sigma_reparam": "2303.06296",
    "ssmax": "2501.19399",
    "adaptive": "2410.01104",
    "sparsemax": "1602.02068",
    "entmax15": "1905.05702",
    "sigmoid": "2409.04431",
}
ELSEWHERE = {"inverse_sqrt_d_model", "softmax1"}  # a mistake of code, a page of the web


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def qkv(*batch, d_k=D_K, n_q=N_Q, n_k=N_K, dtype=torch.float64):
    shapes = ((n_q, d_k), (n_k, d_k), (n_k, D_V))
    return tuple(randn(*batch, *shape, seed=seed, dtype=dtype) for seed, shape in enumerate(shapes, 1))


def spectra(*shape, dtype=torch.float64):
    return Spectra(q=1 + randn(*shape, seed=7, dtype=dtype).abs(), k=1 + randn(*shape, seed=8, dtype=dtype).abs())


def under(key, q, k, v):
    """The trace under one remedy of the table, with some spectral norms for the one that needs them."""
    return remedied(REMEDIES[key], q, k, v, d_model=D_MODEL, spectra=spectra(dtype=q.dtype))


def one_row(remedy, scores):
    """The trace of one query with these dot products, at d_k = 1."""
    k = torch.tensor(scores, dtype=torch.float64)[:, None]
    return remedied(remedy, torch.ones(1, 1, dtype=torch.float64), k, torch.eye(len(scores)).double(), d_model=D_MODEL)


# The table -----------------------------------------------------------------------------------------------------------


def test_every_row_says_what_it_is_and_names_the_paper():
    assert {*REMEDIES} == ARXIV.keys() | ELSEWHERE, "a new remedy: its arXiv number, read in the paper, goes into ARXIV"
    for key, remedy in REMEDIES.items():
        assert remedy.title and remedy.formula and remedy.normalizer in NORMALIZERS
        assert f"arXiv:{ARXIV[key]}" in remedy.reference if key in ARXIV else "arXiv" not in remedy.reference
    assert len({remedy.title for remedy in REMEDIES.values()}) == len(REMEDIES)
    assert len({remedy.formula for remedy in REMEDIES.values()}) == len(REMEDIES)
    with pytest.raises(FrozenInstanceError):
        REMEDIES["softcap"].softcap = 30.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("key", REMEDIES)
def test_attend_computes_every_remedy(key, monkeypatch):
    calls = []

    def recorded(*stages, **options):
        calls.append((options, attend(*stages, **options)))
        return calls[-1][1]

    monkeypatch.setattr(remedies, "attend", recorded)
    trace = under(key, *qkv(H))
    ((options, returned),) = calls
    assert trace is returned
    assert options.keys() == {"scaling", "normalize", "softcap"}
    assert options["normalize"] is NORMALIZERS[REMEDIES[key].normalizer].apply


@pytest.mark.parametrize(
    ("remedy", "scale"),
    [
        (REMEDIES["none"], 1.0),
        (REMEDIES["inverse_sqrt"], 1 / math.sqrt(D_K)),
        (REMEDIES["inverse"], 1 / D_K),
        (REMEDIES["inverse_sqrt_d_model"], 1 / math.sqrt(D_MODEL)),
        (REMEDIES["temperature"], 1 / math.sqrt(D_K)),
        (temperature(2.5), 1 / (2.5 * math.sqrt(D_K))),
        (REMEDIES["ssmax"], 0.43 * math.log(N_K) / math.sqrt(D_K)),
        (ssmax(1.0), math.log(N_K) / math.sqrt(D_K)),
    ],
)
def test_a_factor_is_the_scale_of_torchs_attention(remedy, scale):
    q, k, v = qkv(2, H)
    trace = remedied(remedy, q, k, v, d_model=D_MODEL)
    assert_close(trace.context, F.scaled_dot_product_attention(q, k, v, scale=scale))
    assert_close(trace.scaled_scores, scale * q @ k.mT)


def test_the_spread_of_untrained_scores_grows_stays_or_shrinks_with_d_k():
    spread = {
        key: [under(key, *qkv(4, d_k=d_k, n_q=97, n_k=101)).scaled_scores.std().item() for d_k in (16, 1024)]
        for key in ("none", "inverse_sqrt", "inverse")
    }
    for key, ratio in (("none", 8.0), ("inverse_sqrt", 1.0), ("inverse", 1 / 8)):
        assert_close(spread[key][1] / spread[key][0], ratio, atol=0, rtol=0.03)


@pytest.mark.parametrize("key", REMEDIES)
@given(seed=st.integers(0, 2**31), scale=st.sampled_from([0.1, 1.0, 16.0]))
def test_rows_sum_to_one_or_to_what_the_remedy_promises(key, seed, scale):
    q, k = (scale * randn(H, n, D_K, seed=seed + i) for i, n in enumerate((N_Q, N_K)))
    weights = under(key, q, k, randn(H, N_K, D_V)).weights
    total = weights.sum(dim=-1)
    assert (weights >= 0).all()
    if key == "sigmoid":
        assert (weights <= 1).all()
    elif key == "softmax1":
        assert (total < 1 + 1e-12).all()
    else:
        assert_close(total, torch.ones_like(total), atol=1e-12, rtol=0)


# QK-norm and QK-LayerNorm --------------------------------------------------------------------------------------------


def test_qk_norm_is_a_softmax_of_cosines():
    q, k, v = qkv(H)
    for remedy, g in ((qk_norm(3.5), 3.5), (REMEDIES["qk_norm"], math.log2(N_K * N_K - N_K))):
        cosines = F.cosine_similarity(q[:, :, None], k[:, None], dim=-1)
        assert_close(remedied(remedy, q, k, v, d_model=D_MODEL).weights, (g * cosines).softmax(dim=-1))


def test_the_first_g_of_qk_norm():
    assert_close([g0(72), g0(79), g0(2)], [12.3197, 12.5892, 1.0], atol=5e-5, rtol=0)
    assert math.isfinite(g0(1))


@pytest.mark.parametrize(("g", "best"), [(1.0, 0.450853), (5.0, 0.999592)])
def test_the_best_case_of_qk_norm(g, best):
    peak = one_row(qk_norm(g), [2.0, *[-3.0] * 9]).weights.max().item()
    assert_close(peak, best, atol=5e-7, rtol=0)
    assert_close(peak, 1 / (1 + 9 * math.exp(-2 * g)), atol=1e-15, rtol=0)


@pytest.mark.parametrize(("key", "tolerance"), [("qk_norm", 1e-14), ("qk_layernorm", 1e-5)])
@given(seed=st.integers(0, 2**31), scale=st.sampled_from([1.0, 2.0, 3.0, 8.0]))
def test_normalized_queries_and_keys_do_not_see_the_input_scale(key, tolerance, seed, scale):
    q, k, v = (randn(H, n, d, seed=seed + i) for i, (n, d) in enumerate(((N_Q, D_K), (N_K, D_K), (N_K, D_V))))
    assert_close(under(key, scale * q, scale * k, v).weights, under(key, q, k, v).weights, atol=tolerance, rtol=0)
    assert (under("inverse_sqrt", 8 * q, 8 * k, v).weights - under("inverse_sqrt", q, k, v).weights).abs().max() > 0.01


@given(seed=st.integers(0, 2**31), scale=st.sampled_from([1e-3, 1.0, 1e3]), d_k=st.sampled_from([1, 2, 11, 64]))
def test_logits_after_layer_norm_stay_within_the_root_of_d_k(seed, scale, d_k):
    q, k = (scale * randn(n, d_k, seed=seed + n) for n in (N_Q, N_K))
    scaled = under("qk_layernorm", q, k, randn(N_K, D_V)).scaled_scores
    assert (scaled.abs() <= math.sqrt(d_k) * (1 + 1e-12)).all()
    if d_k > 2 and scale > 1e-3:  # attained where query and key agree
        itself = under("qk_layernorm", q, q, randn(N_Q, D_V)).scaled_scores
        assert (itself.diagonal() > math.sqrt(d_k) * (1 - 1e-2)).all()


def test_layer_norm_is_mean_zero_and_variance_one_without_a_gain():
    x = randn(H, N_K, D_K, seed=4) + 3
    centred = x - x.mean(dim=-1, keepdim=True)
    assert_close(layer_norm(x), centred / x.std(dim=-1, keepdim=True, correction=0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_a_vector_of_zeros_stays_zero(dtype):
    x = torch.zeros(1, D_K, dtype=dtype, requires_grad=True)
    for prepare in (unit, layer_norm):
        (gradient,) = torch.autograd.grad(prepare(x).sum(), x)
        assert_close(prepare(x), torch.zeros_like(x))
        assert gradient.isfinite().all()


# Soft-cap ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "capped", "slope"), [(50.0, 38.0797, 0.41997), (100.0, 48.2014, 0.07065), (500.0, 50.0, 8.2e-9)]
)
def test_the_soft_cap_and_its_slope(score, capped, slope):
    q = torch.tensor([[score]], dtype=torch.float64, requires_grad=True)
    one = torch.ones(1, 1, dtype=torch.float64)
    trace = remedied(REMEDIES["softcap"], q, one, one, d_model=D_MODEL)
    assert_close(trace.capped_scores.item(), capped, atol=5e-5, rtol=0)
    (gradient,) = torch.autograd.grad(trace.capped_scores.sum(), q)
    assert_close(gradient.item(), slope, atol=5e-6 if slope > 1e-3 else 5e-11, rtol=0)


def test_the_cap_bounds_scores_already_divided_by_the_root_of_d_k():
    q, k, v = qkv(H)
    trace = remedied(softcap(2.0), 16 * q, 16 * k, v, d_model=D_MODEL)
    assert_close(trace.weights, (2 * torch.tanh(256 * q @ k.mT / math.sqrt(D_K) / 2)).softmax(dim=-1))
    assert REMEDIES["softcap"].softcap == 50.0 and replace(REMEDIES["softcap"], softcap=30.0).softcap == 30.0


# Adaptive temperature ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "H", "beta", "plain", "sharp"),
    [(4, 0.9183, 1.1309, 0.711, 0.762), (16, 2.4485, 2.1902, 0.330, 0.842), (64, 4.0441, 2.3947, 0.105, 0.656)],
)
def test_adaptive_temperature_sharpens_the_rows_of_its_paper(n, H, beta, plain, sharp):
    """One logit of 2, the others 0: entropies and weights by the polynomial of arXiv:2410.01104, figure 6."""
    row = [2.0, *[0.0] * (n - 1)]
    before, after = (one_row(REMEDIES[key], row) for key in ("inverse_sqrt", "adaptive"))
    assert_close(torch.special.entr(before.weights).sum().item(), H, atol=5e-5, rtol=0)
    assert_close((after.scaled_scores / before.scaled_scores)[0, 0].item(), beta, atol=5e-5, rtol=0)
    assert_close([before.weights.max().item(), after.weights.max().item()], [plain, sharp], atol=5e-4, rtol=0)


@given(seed=st.integers(0, 2**31), scale=st.sampled_from([0.01, 1.0, 3.0, 100.0]))
def test_adaptive_temperature_leaves_a_sharp_row_alone_and_blurs_none(seed, scale):
    q, k, v = scale * randn(H, N_Q, D_K, seed=seed), randn(H, N_K, D_K, seed=seed + 1), randn(H, N_K, D_V)
    before, after = (under(key, q, k, v) for key in ("inverse_sqrt", "adaptive"))
    entropy, sharper = (torch.special.entr(trace.weights).sum(dim=-1) for trace in (before, after))
    still = entropy <= 0.5
    assert_close(after.weights[still], before.weights[still], atol=0, rtol=0)
    assert (sharper <= entropy + 1e-12).all()
    polynomial = torch.from_numpy(np.polyval([-0.037, 0.481, -2.3, 4.917, -1.791], entropy.numpy())).clamp(min=1)
    expected = torch.where(still, 1.0, polynomial)[..., None] * before.scaled_scores
    assert_close(after.scaled_scores, expected)


# σReparam ------------------------------------------------------------------------------------------------------------


def test_divided_by_its_norm_a_matrix_has_spectral_norm_one():
    W = randn(H, D_MODEL, D_K, seed=5)
    assert_close(spectral_norm(W), torch.linalg.svdvals(W)[:, 0])
    for head in range(H):
        layer = torch.nn.Linear(D_MODEL, D_K, bias=False, dtype=torch.float64)
        layer.weight.data = W[head].mT.clone()
        converged = power_iteration(layer, n_power_iterations=500).weight.mT
        assert_close(W[head] / spectral_norm(W)[head], converged, atol=1e-6, rtol=0)
        assert_close(torch.linalg.svdvals(converged)[0].item(), 1.0, atol=1e-6, rtol=0)


@pytest.mark.parametrize("per_head", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_sigma_reparam_is_attention_with_the_divided_matrices(per_head, biased):
    x, v = randn(N_K, D_MODEL, seed=1), randn(H, N_K, D_V, seed=3)
    W_Q, W_K = (randn(H, D_MODEL, D_K, seed=seed) for seed in (5, 6))
    b_Q, b_K = (randn(H, D_K, seed=seed) if biased else None for seed in (7, 8))
    norms = [
        torch.linalg.svdvals(W)[:, 0] if per_head else torch.linalg.svdvals(W.mT.flatten(0, 1))[0] for W in (W_Q, W_K)
    ]
    plain = [x @ W + (0 if b is None else b[:, None]) for W, b in ((W_Q, b_Q), (W_K, b_K))]
    divided = [
        x @ (W / (norm[:, None, None] if per_head else norm)) + (0 if b is None else b[:, None])
        for W, norm, b in zip((W_Q, W_K), norms, (b_Q, b_K), strict=True)
    ]
    given_spectra = Spectra(q=norms[0], k=norms[1], b_Q=b_Q, b_K=b_K)
    trace = remedied(REMEDIES["sigma_reparam"], plain[0], plain[1], v, d_model=D_MODEL, spectra=given_spectra)
    assert_close(trace.q, divided[0])
    assert_close(trace.k, divided[1])
    assert_close(trace.context, F.scaled_dot_product_attention(divided[0], divided[1], v))


def test_sigma_reparam_does_not_invent_the_norms_and_the_others_do_not_use_them():
    q, k, v = qkv(H)
    with pytest.raises(ValueError, match="needs the spectral norms of W_Q and W_K"):
        remedied(REMEDIES["sigma_reparam"], q, k, v, d_model=D_MODEL)
    for key in REMEDIES.keys() - {"sigma_reparam"}:
        without = remedied(REMEDIES[key], q, k, v, d_model=D_MODEL)
        assert_close(without.weights, under(key, q, k, v).weights, atol=0, rtol=0)


def test_a_matrix_of_zeros_stays_zero():
    assert_close(reparametrized(torch.zeros(H, N_K, D_K), torch.zeros(H)), torch.zeros(H, N_K, D_K))


# Scalable-Softmax and the other normalizers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "faded", "kept"),
    [(10, 0.9428, 0.9401), (100, 0.5999, 0.99506), (1000, 0.1293, 0.99965), (10_000, 0.01463, 0.999975)],
)
def test_the_first_figure_of_scalable_softmax(n, faded, kept):
    scores = [-2.0] * (n - 1) + [3.0]
    q, k, v = torch.ones(1, 1).double(), torch.tensor(scores).double()[:, None], torch.ones(n, 1).double()
    weights = [remedied(remedy, q, k, v, d_model=1).weights[0, -1].item() for remedy in (REMEDIES["none"], ssmax(0.43))]
    assert_close(weights, [faded, kept], atol=5e-5, rtol=0)
    assert_close(weights[1], kept, atol=5e-7 if n == 10_000 else 5e-5, rtol=0)


@pytest.mark.parametrize(
    ("key", "scores", "weights"),
    [
        ("softmax1", [2.0, 1.0, 0.1], [0.60504, 0.22258, 0.09049]),
        ("sparsemax", [1.0, 0.9, 0.1], [0.55, 0.45, 0.0]),
        ("entmax15", [1.0, 0.9, 0.1], [0.500919, 0.432643, 0.066438]),
        ("sigmoid", [0.0, 0.0, 0.0], [0.25, 0.25, 0.25]),
    ],
)
def test_the_other_normalizers_by_the_numbers(key, scores, weights):
    expected = torch.tensor([weights], dtype=torch.float64)
    trace = one_row(REMEDIES[key], scores)
    assert_close(trace.weights, expected, atol=5e-6, rtol=0)
    assert_close(trace.context, expected, atol=5e-6, rtol=0)


@pytest.mark.parametrize("key", ["softmax1", "sparsemax", "entmax15", "sigmoid"])
def test_the_other_normalizers_see_scores_divided_by_the_root_of_d_k(key):
    q, k, v = qkv(H)
    assert_close(under(key, q, k, v).masked_scores, q @ k.mT / math.sqrt(D_K))


# All of them ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", REMEDIES)
def test_gradients_are_those_of_finite_differences(key):
    leaves = tuple(stage.requires_grad_() for stage in qkv(2, d_k=5, n_q=2, n_k=3))
    assert torch.autograd.gradcheck(lambda q, k, v: under(key, q, k, v).context, leaves)


@pytest.mark.parametrize("key", REMEDIES)
def test_nothing_is_nan_at_the_far_end_of_the_sliders(key):
    for scale in (0.0, 1e-20, 0.1, 16.0):
        q, k, v = qkv(H, d_k=1024, dtype=torch.float32)
        q, k = (scale * q).requires_grad_(), (scale * k).requires_grad_()
        trace = under(key, q, k, v)
        for gradient in torch.autograd.grad(trace.context.square().sum(), (q, k)):
            assert gradient.isfinite().all()
        assert trace.weights.isfinite().all() and trace.context.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("key", REMEDIES)
def test_every_precision_keeps_its_type(key, dtype):
    q, k, v = qkv(2, H, dtype=dtype)
    trace = under(key, q, k, v)
    exact = under(key, q.double(), k.double(), v.double())
    assert trace.weights.dtype == trace.context.dtype == dtype
    tolerance = {torch.float32: 1e-5, torch.float16: 2e-2, torch.bfloat16: 1e-1}[dtype]
    assert_close(trace.weights.double(), exact.weights, atol=tolerance, rtol=0)


@pytest.mark.parametrize("key", REMEDIES)
def test_one_key_and_shared_key_heads_and_no_leading_axes(key):
    q, k, v = qkv()
    assert_close(under(key, q, k, v).weights, under(key, q[None], k[None], v[None]).weights[0])
    alone = under(key, q, k[:1], v[:1]).weights
    if key not in ("softmax1", "sigmoid"):
        assert_close(alone, torch.ones_like(alone))
    q, k, v = randn(6, N_Q, D_K, seed=1), randn(3, N_K, D_K, seed=2), randn(3, N_K, D_V, seed=3)
    shared, repeated = (
        under(key, q, *pair) for pair in ((k, v), (k.repeat_interleave(2, 0), v.repeat_interleave(2, 0)))
    )
    assert_close(shared.context, repeated.context)
