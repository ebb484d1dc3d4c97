"""Half precision: numbers as large as it holds, against torch's fused attention and against float64."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core import NONE, NORMALIZERS, MultiHeadAttention, attend, gradients
from attention_core.masks import causal
from attention_core.measures import value_weighted_norm
from attention_core.mechanisms import MECHANISMS, LayerSizes, Options, run
from attention_core.remedies import REMEDIES, Spectra, remedied

HALVES = (torch.float16, torch.bfloat16)
TOLERANCE = {torch.float16: 2e-3, torch.bfloat16: 2e-2}
H, N_Q, N_K, D_K, D_V = 2, 3, 5, 64, 11


def large(dtype: torch.dtype, size: float = 300.0, seed: int = 0) -> list[torch.Tensor]:
    """q and k with one large component in common: q·k is beyond float16, the differences of scores are ordinary."""
    draw = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(H, n, d, generator=draw) for n, d in ((N_Q, D_K), (N_K, D_K), (N_K, D_V)))
    q[..., 0] = k[..., 0] = size
    return [part.to(dtype) for part in (q, k, v)]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("size", [40.0, 300.0])
def test_scores_beyond_half_precision_are_weights_all_the_same(size, dtype, masked) -> None:
    q = torch.full((1, 2, 64), size, dtype=dtype)
    allowed = torch.ones(2, 2, dtype=torch.bool) if masked else None
    trace = attend(q, q, q, allowed=allowed)
    assert_close(trace.weights, torch.full((1, 2, 2), 0.5, dtype=dtype), rtol=0, atol=0)
    assert_close(trace.context, F.scaled_dot_product_attention(q, q, q, attn_mask=allowed), rtol=0, atol=0)
    assert_close(trace.context, q, rtol=0, atol=0)


@pytest.mark.parametrize("mask", ["none", "causal", "bias"])
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("size", [1.0, 300.0])
def test_context_and_gradients_are_torchs(size, dtype, mask) -> None:
    parts, allowed = large(dtype, size), causal(N_Q, N_K)
    bias = torch.zeros(N_Q, N_K, dtype=dtype).masked_fill(~allowed, -torch.inf)
    choices: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "none": ({}, {}),
        "causal": ({"allowed": allowed}, {"attn_mask": allowed}),
        "bias": ({"bias": bias}, {"attn_mask": allowed}),
    }
    ours, theirs = choices[mask]
    leaves = [part.clone().requires_grad_() for part in parts]
    exact = [part.double().requires_grad_() for part in parts]
    context = attend(*leaves, **ours).context
    expected = F.scaled_dot_product_attention(*exact, **theirs)
    assert_close(context.double(), expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    slopes = torch.autograd.grad(context.float().square().sum(), leaves)
    wanted = torch.autograd.grad(expected.square().sum(), exact)
    for slope, want in zip(slopes, wanted, strict=True):
        assert slope.dtype == dtype
        assert_close(slope.double(), want, rtol=0, atol=4 * TOLERANCE[dtype] * float(want.abs().max()))
    # All keys have their first component in common, so q gets none there: what rounding leaves is 300 times as much.
    assert_close(slopes[0][..., 0], torch.zeros_like(slopes[0][..., 0]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", HALVES)
def test_every_stage_is_the_exact_one_rounded_once_and_has_its_gradient(dtype) -> None:
    parts = large(dtype, 100.0)
    leaves, exact = ([part.to(kind).requires_grad_() for part in parts] for kind in (dtype, torch.float64))
    ours, theirs = (attend(*side, softcap=9e3) for side in (leaves, exact))
    for name in ("scores", "scaled_scores", "capped_scores", "masked_scores", "weights", "context"):
        stage, expected = getattr(ours, name), getattr(theirs, name).to(dtype)
        assert stage.dtype == dtype
        assert_close(stage, expected, rtol=4 * torch.finfo(dtype).eps, atol=1e-6)
    slopes, wanted = (gradients(side.context.double().square().sum(), side) for side in (ours, theirs))
    for name in ("scores", "scaled_scores", "capped_scores", "masked_scores", "weights", "context"):
        slope, want = getattr(slopes, name).double(), getattr(wanted, name)
        assert_close(slope, want, rtol=0, atol=4 * TOLERANCE[dtype] * float(want.abs().max()))


@pytest.mark.parametrize("name", NORMALIZERS)
@pytest.mark.parametrize("dtype", HALVES)
def test_every_normalizer_sees_the_scores_before_they_are_rounded(dtype, name) -> None:
    q, k, v = large(dtype)
    normalize = NORMALIZERS[name].apply
    trace = attend(q, k, v, normalize=normalize)
    expected = attend(q.double(), k.double(), v.double(), normalize=normalize)
    assert trace.weights.isfinite().all()
    assert_close(trace.weights.double(), expected.weights, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", [name for name in MECHANISMS if name != "hard_sampled"])
@pytest.mark.parametrize("dtype", HALVES)
def test_every_mechanism_is_what_it_is_in_float64(dtype, name) -> None:
    """Parameters in half precision or in float32."""
    q, k, v = large(dtype, 40.0 if name in ("dot", "scaled_dot", "window", "local_m", "cosine") else 1.0)
    sizes = LayerSizes(n_head=H, n_q=N_Q, n_k=N_K, d_k=D_K, d_v=D_V)
    learned = {key: p.to(dtype) for key, p in MECHANISMS[name].parameters(sizes).items()}
    wide = {key: p.double() for key, p in learned.items()}
    options = Options(radius=2)
    expected = run(MECHANISMS[name], q.double(), k.double(), v.double(), parameters=wide, options=options).weights
    for parameters in (learned, {key: p.float() for key, p in learned.items()}):
        weights = run(MECHANISMS[name], q, k, v, parameters=parameters, options=options).weights
        assert weights.dtype == dtype
        assert_close(weights.double(), expected, rtol=4 * TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", REMEDIES)
@pytest.mark.parametrize("dtype", HALVES)
def test_every_remedy_leaves_large_vectors_finite(dtype, name) -> None:
    q, k, v = large(dtype, 100.0)
    spectra = Spectra(q=torch.tensor(2.0, dtype=dtype), k=torch.tensor(3.0, dtype=dtype))
    exact = Spectra(q=torch.tensor(2.0).double(), k=torch.tensor(3.0).double())
    trace = remedied(REMEDIES[name], q, k, v, d_model=D_K, spectra=spectra)
    expected = remedied(REMEDIES[name], q.double(), k.double(), v.double(), d_model=D_K, spectra=exact)
    assert trace.weights.isfinite().all()
    if name not in ("qk_norm", "qk_layernorm", "sigma_reparam"):  # those round q and k as they prepare them
        assert_close(trace.weights.double(), expected.weights, rtol=0, atol=2 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", HALVES)
def test_several_heads_and_what_reaches_the_output(dtype) -> None:
    layer = MultiHeadAttention(d_model=13, n_head=3, d_k=D_K, d_v=D_V, seed=2, scaling=NONE)
    x = 9 * torch.randn(7, 13, generator=torch.Generator().manual_seed(1))
    alpha = layer.to(dtype).trace(x.to(dtype)).weights
    assert alpha.isfinite().all()
    assert_close(alpha.sum(dim=-1).float(), torch.ones(3, 7), rtol=0, atol=4 * TOLERANCE[dtype])
    weights, v = torch.ones(1, 1, dtype=dtype), torch.full((1, 2), 6e4, dtype=dtype)
    W_O = torch.ones(2, 1, dtype=dtype)
    assert_close(value_weighted_norm(weights, v, W_O), v.float().sum(dim=-1, keepdim=True))
