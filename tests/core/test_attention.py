"""`attend` and `MultiHeadAttention` against plain loops, torch's fused attention, torch's module and Gemma 2."""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.attention.bias import causal_lower_right
from torch.testing import assert_close
from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

from attention_core import NONE, MultiHeadAttention, attend, by, gradients, hard
from attention_core.masks import causal, padding, window
from tests.harness import references

B, H, G, N_Q, N_K, D_K, D_V = 2, 6, 3, 5, 7, 11, 13
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
STAGES = ("scores", "scaled_scores", "capped_scores", "masked_scores", "weights", "context")


def randn(*shape, seed=0, dtype=torch.float64, device="cpu"):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(device, dtype)


def qkv(*batch, n_q=N_Q, n_k=N_K, heads=None, dtype=torch.float64, device="cpu"):
    shared = batch if heads is None else (*batch[:-1], heads)
    options = {"dtype": dtype, "device": device}
    return (
        randn(*batch, n_q, D_K, seed=1, **options),
        randn(*shared, n_k, D_K, seed=2, **options),
        randn(*shared, n_k, D_V, seed=3, **options),
    )


def random_mask(*shape, seed=0, density=0.6):
    """Every row allows its first key, so that no row is empty."""
    allowed = torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < density
    allowed[..., 0] = True
    return allowed


@st.composite
def cases(draw):
    """Sizes, a boolean mask, an additive bias with −∞ in it, a scale and a soft cap, any of them absent."""
    n_q, n_k, d_k, d_v = (draw(st.integers(1, 5)) for _ in range(4))
    seed, density = draw(st.integers(0, 2**31)), draw(st.sampled_from([0.0, 0.3, 0.8]))
    random = torch.rand(2, n_q, n_k, generator=torch.Generator().manual_seed(seed))
    bias = randn(n_q, n_k, seed=seed + 3).masked_fill(random[1] < 0.2, -math.inf)
    return {
        "q": 3 * randn(n_q, d_k, seed=seed),
        "k": randn(n_k, d_k, seed=seed + 1),
        "v": randn(n_k, d_v, seed=seed + 2),
        "scale": draw(st.sampled_from([1.0, d_k**-0.5, 1 / d_k, 7.0])),
        "allowed": draw(st.sampled_from([None, random[0] < density])),
        "bias": draw(st.sampled_from([None, bias])),
        "softcap": draw(st.sampled_from([None, 0.5, 50.0])),
    }


# Against loops -------------------------------------------------------------------------------------------------------


@given(cases())
def test_every_stage_is_what_the_loops_compute(case):
    q, k, v, scale = (case.pop(name) for name in ("q", "k", "v", "scale"))
    trace = attend(q, k, v, scaling=by(scale), **case)
    for name, expected in references.attention(q, k, v, scale=scale, **case).items():
        assert_close(getattr(trace, name), expected, msg=lambda text, name=name: f"{name}: {text}")


def test_every_head_of_every_sequence_is_computed_on_its_own():
    q, k, v = qkv(B, H)
    allowed, bias = random_mask(B, 1, N_Q, N_K), randn(H, N_Q, N_K, seed=4)
    trace = attend(q, k, v, allowed=allowed, bias=bias)
    for b in range(B):
        for h in range(H):
            alone = references.attention(
                q[b, h], k[b, h], v[b, h], scale=D_K**-0.5, allowed=allowed[b, 0], bias=bias[h]
            )
            for name in STAGES:
                assert_close(getattr(trace, name)[b, h], alone[name])
    for stage, given_one in zip((trace.q, trace.k, trace.v), (q, k, v), strict=True):
        assert_close(stage, given_one, atol=0, rtol=0)
        assert stage.data_ptr() == given_one.data_ptr()


def test_thinking_machines_by_hand():
    """The numbers of Alammar's worked example: scores 112 and 96, d_k = 64."""
    q, k = torch.zeros(1, 64), torch.zeros(2, 64)
    q[0, 0], k[0, 0], k[1, 0] = 1.0, 112.0, 96.0
    trace = attend(q, k, torch.eye(2))
    assert_close(trace.scaled_scores, torch.tensor([[14.0, 12.0]]))
    assert_close(trace.weights, torch.tensor([[0.880797, 0.119203]]), atol=1e-6, rtol=0)
    unscaled = attend(q.double(), k.double(), torch.eye(2).double(), scaling=NONE)
    assert_close(unscaled.weights[0, 1].item(), 1 / (1 + math.exp(16)))


# Against torch's fused attention -------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.float16, 5e-3), (torch.bfloat16, 4e-2)],
)
def test_context_is_torchs_own_in_every_precision(device, dtype, tolerance):
    q, k, v = qkv(B, H, dtype=dtype, device=device)
    allowed = random_mask(B, 1, N_Q, N_K).to(device)
    for masked in (None, allowed):
        trace = attend(q, k, v, allowed=masked)
        exact = F.scaled_dot_product_attention(q.double(), k.double(), v.double(), attn_mask=masked)
        assert_close(trace.context.double(), exact, atol=tolerance, rtol=tolerance)
        for name in STAGES:
            stage = getattr(trace, name)
            assert stage.dtype == dtype and stage.device.type == device, name


def test_boolean_float_and_combined_masks_are_torchs():
    q, k, v = qkv(B, H)
    allowed, bias = random_mask(B, 1, N_Q, N_K), randn(1, H, N_Q, N_K, seed=4)
    combined = bias.masked_fill(~allowed, -math.inf)
    assert_close(attend(q, k, v, allowed=allowed).context, F.scaled_dot_product_attention(q, k, v, attn_mask=allowed))
    assert_close(attend(q, k, v, bias=bias).context, F.scaled_dot_product_attention(q, k, v, attn_mask=bias))
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=combined)
    assert_close(attend(q, k, v, allowed=allowed, bias=bias).context, expected)
    assert_close(attend(q, k, v, bias=combined).context, expected)


@pytest.mark.parametrize("scale", [1.0, 0.125, 3.0])
def test_scale_is_torchs(scale):
    q, k, v = qkv(B, H)
    assert_close(attend(q, k, v, scaling=by(scale)).context, F.scaled_dot_product_attention(q, k, v, scale=scale))


def test_causal_is_torchs_also_for_a_query_block_at_the_end():
    q, k, v = qkv(B, H, n_q=N_K)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert_close(attend(q, k, v, allowed=causal(N_K, N_K)).context, expected)
    q, k, v = qkv(B, H)
    block = attend(q, k, v, allowed=causal(N_Q, N_K)).context
    assert_close(block, F.scaled_dot_product_attention(q, k, v, attn_mask=causal_lower_right(N_Q, N_K)))


def test_a_query_block_computes_what_the_whole_sequence_computes():
    q, k, v = qkv(H, n_q=N_K)
    whole, block = attend(q, k, v, allowed=causal(N_K, N_K)), attend(q[:, -2:], k, v, allowed=causal(2, N_K))
    assert_close(block.weights, whole.weights[:, -2:])
    assert_close(block.context, whole.context[:, -2:])
    prefix = attend(q[:, :3], k[:, :3], v[:, :3], allowed=causal(3, 3))
    assert_close(prefix.context, whole.context[:, :3])


@pytest.mark.parametrize("heads", [1, 2, G, H])
def test_shared_key_heads_are_torchs(heads):
    q, k, v = qkv(B, H, heads=heads)
    allowed = random_mask(N_Q, N_K)
    trace = attend(q, k, v, allowed=allowed)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, enable_gqa=True)
    assert_close(trace.context, expected)
    assert trace.k.shape == (B, H, N_K, D_K) and trace.v.shape == (B, H, N_K, D_V)


def test_shared_key_heads_must_divide():
    q, k, v = qkv(B, H, heads=4)
    with pytest.raises(ValueError, match=r"6 query heads cannot share 4 key/value heads"):
        attend(q, k, v)


@pytest.mark.parametrize("softcap", [None, 0.7, 50.0])
def test_softcap_comes_before_the_mask_as_in_gemma_2(softcap):
    q, k, _ = qkv(B, H, heads=G)
    v = randn(B, G, N_K, D_K, seed=3)
    allowed = random_mask(B, 1, N_Q, N_K)
    mask = torch.zeros(allowed.shape, dtype=torch.float64).masked_fill(~allowed, -math.inf)
    module = SimpleNamespace(num_key_value_groups=H // G, training=False, head_dim=D_K)
    context, weights = eager_attention_forward(module, q, k, v, mask, dropout=0.0, scaling=0.3, softcap=softcap)
    trace = attend(q, k, v, scaling=by(0.3), allowed=allowed, softcap=softcap)
    assert_close(trace.weights, weights.double(), atol=1e-6, rtol=1e-6)  # Gemma's softmax is in float32
    assert_close(trace.context, context.transpose(1, 2).double(), atol=1e-6, rtol=1e-6)
    assert (trace.masked_scores.isneginf() == ~allowed).all()


# Nothing allowed, and what hides behind the mask ---------------------------------------------------------------------


def traced_with_gradients(q, k, v, **options):
    """The trace, and the gradients of Σ context · direction for a fixed direction."""
    leaves = [stage.clone().requires_grad_() for stage in (q, k, v)]
    trace = attend(*leaves, **options)
    direction = randn(*trace.context.shape, seed=9, dtype=trace.context.dtype, device=trace.context.device)
    return trace, gradients(trace.context.nan_to_num(0.0, 0.0, 0.0).mul(direction).sum(), trace)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("through", ["allowed", "bias", "both"])
@pytest.mark.parametrize("normalize", [None, hard])
def test_a_query_with_nothing_allowed_gets_zero_everywhere(device, dtype, through, normalize):
    q, k, v = qkv(B, H, dtype=dtype, device=device)
    allowed = random_mask(N_Q, N_K).to(device)
    allowed[1] = False
    half = torch.arange(N_K, device=device) < 3
    bias = torch.zeros(N_Q, N_K, dtype=dtype, device=device).masked_fill(~allowed, -math.inf)
    options = {"allowed": {"allowed": allowed}, "bias": {"bias": bias}}.get(through)
    if options is None:  # each closes one part of the row
        either = allowed.clone()
        either[1] = half
        options = {"allowed": either, "bias": bias.clone()}
        options["bias"][1] = torch.where(half, -math.inf, 0.0).to(dtype)
    if normalize is not None:
        options["normalize"] = normalize
    trace, gradient = traced_with_gradients(q, k, v, **options)
    for name in ("weights", "context"):
        assert_close(getattr(trace, name)[..., 1, :], torch.zeros_like(getattr(trace, name)[..., 1, :]))
    rest = [0, 2, 3, 4]
    assert_close(trace.weights[..., rest, :].sum(dim=-1), torch.ones_like(q[..., rest, 0]))
    for name in ("q", "k", "v", *STAGES):
        assert getattr(gradient, name).isfinite().all(), name
    for name in ("q", "scores", "scaled_scores", "capped_scores", "masked_scores"):
        assert not getattr(gradient, name)[..., 1, :].any(), name
    without = {name: mask[rest] for name, mask in options.items() if name != "normalize"}
    without |= {"normalize": normalize} if normalize else {}
    _, kept = traced_with_gradients(q[..., rest, :], k, v, **without)
    assert kept.q.isfinite().all()


def test_nothing_allowed_at_all():
    trace, gradient = traced_with_gradients(*qkv(H), allowed=torch.zeros(N_Q, N_K, dtype=torch.bool))
    assert not trace.weights.any() and not trace.context.any()
    for name in ("q", "k", "v", *STAGES[:4]):
        assert_close(getattr(gradient, name), torch.zeros_like(getattr(gradient, name)))


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_values_hidden_from_every_query_never_leak(poison):
    q, k, v = qkv(B, H)
    allowed = random_mask(N_Q, N_K)
    allowed[:, 4] = False
    clean, clean_gradient = traced_with_gradients(q, k, v, allowed=allowed)
    v[..., 4, :3] = poison
    trace, gradient = traced_with_gradients(q, k, v, allowed=allowed)
    assert_close(trace.weights, clean.weights)
    assert_close(trace.context, clean.context)
    for name in ("q", "k", "v", *STAGES[:4], "context"):
        assert_close(getattr(gradient, name), getattr(clean_gradient, name))
    assert gradient.weights.isfinite().all()


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_values_hidden_from_some_queries_reach_only_the_others(poison):
    q, k, v = qkv(B, H)
    allowed = random_mask(N_Q, N_K)
    allowed[:, 4] = torch.tensor([True, False, True, False, False])
    clean, _ = traced_with_gradients(q, k, v, allowed=allowed)
    v[..., 4, :3] = poison
    trace, gradient = traced_with_gradients(q, k, v, allowed=allowed)
    hidden = [1, 3, 4]
    assert_close(trace.context[..., hidden, :], clean.context[..., hidden, :])
    assert_close(trace.context[..., 3:], clean.context[..., 3:])
    seen = trace.context[..., [0, 2], :3]
    assert_close(seen, torch.full_like(seen, poison), equal_nan=True)
    for name in ("q", "k", "v", *STAGES):
        assert getattr(gradient, name).isfinite().all(), name


def test_opposite_infinities_in_one_sum_are_undefined():
    _, k, v = qkv()
    v[0, 0], v[1, 0], v[2, 1] = math.inf, -math.inf, math.inf
    context = attend(randn(3, D_K), k, v, allowed=torch.ones(3, N_K, dtype=torch.bool)).context
    assert context[:, 0].isnan().all()
    assert context[:, 1].isposinf().all()
    assert context[:, 2:].isfinite().all()


# What a trace keeps --------------------------------------------------------------------------------------------------


def test_stages_without_effect_are_the_same_tensor_and_are_counted_once():
    q, k, v = qkv(H)
    trace = attend(q, k, v, scaling=NONE)
    assert trace.scaled_scores is trace.scores and trace.masked_scores is trace.scores
    assert trace.bytes() == sum(stage.nbytes for stage in (q, k, v, trace.scores, trace.weights, trace.context))
    trace = attend(k, k, k)
    assert trace.bytes() == sum(
        stage.nbytes for stage in (k, trace.scores, trace.scaled_scores, trace.weights, trace.context)
    )
    trace = attend(q, k, v, allowed=causal(N_Q, N_K), softcap=2.0)
    assert trace.bytes() == sum(getattr(trace, name).nbytes for name in ("q", "k", "v", *STAGES))


def test_attend_changes_none_of_its_arguments():
    q, k, v = qkv(H)
    allowed, bias = random_mask(N_Q, N_K), randn(N_Q, N_K)
    before = [tensor.clone() for tensor in (q, k, v, allowed, bias)]
    attend(q, k, v, allowed=allowed, bias=bias, softcap=1.0)
    for now, then in zip((q, k, v, allowed, bias), before, strict=True):
        assert_close(now, then, atol=0, rtol=0)


# Several heads -------------------------------------------------------------------------------------------------------

D_MODEL, N_HEAD, D_HEAD = 15, 3, 5  # torch's module needs d_model = n_head · d_k


def torchs_module(ours):
    """The same weights in nn.MultiheadAttention."""
    theirs = torch.nn.MultiheadAttention(D_MODEL, N_HEAD, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        columns = [W.permute(0, 2, 1).flatten(0, 1) for W in (ours.W_Q, ours.W_K, ours.W_V)]
        theirs.in_proj_weight.copy_(torch.cat(columns))
        theirs.out_proj.weight.copy_(ours.W_O.flatten(0, 1).T)
    return theirs


@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_is_torchs_module(cross, masked):
    ours = MultiHeadAttention(d_model=D_MODEL, n_head=N_HEAD, d_k=D_HEAD, d_v=D_HEAD, seed=7).double()
    theirs = torchs_module(ours)
    x = randn(B, N_K, D_MODEL, seed=1).requires_grad_()
    memory = randn(B, 11, D_MODEL, seed=2) if cross else x
    allowed = random_mask(N_K, memory.shape[1]) if masked else None
    expected, weights = theirs(
        x, memory, memory, attn_mask=None if allowed is None else ~allowed, average_attn_weights=False
    )
    output = ours(x, memory if cross else None, allowed)
    assert_close(output, expected)
    assert_close(ours.trace(x, memory if cross else None, allowed).weights, weights)
    direction = randn(*output.shape, seed=3)
    (ours_x,) = torch.autograd.grad((output * direction).sum(), x, retain_graph=True)
    (theirs_x,) = torch.autograd.grad((expected * direction).sum(), x)
    assert_close(ours_x, theirs_x)
    (output * direction).sum().backward()
    (theirs(x, memory, memory, attn_mask=None if allowed is None else ~allowed)[0] * direction).sum().backward()
    thirds = theirs.in_proj_weight.grad.unflatten(0, (3, N_HEAD, D_HEAD)).mT
    for W, expected_gradient in zip((ours.W_Q, ours.W_K, ours.W_V), thirds, strict=True):
        assert_close(W.grad, expected_gradient)


def test_multi_head_attention_is_the_sum_of_its_heads():
    layer = MultiHeadAttention(d_model=7, n_head=3, d_k=2, d_v=5, seed=1).double()
    x = randn(B, N_Q, 7)
    total = torch.zeros_like(x)
    for h in range(3):
        q, k, v = (x @ W[h] for W in (layer.W_Q, layer.W_K, layer.W_V))
        total += references.plain(q, k, v) @ layer.W_O[h]
    assert_close(layer(x), total)


def test_multi_head_attention_sees_no_order():
    layer = MultiHeadAttention(d_model=7, n_head=3, d_k=2, d_v=5).double()
    x, order = randn(N_K, 7), torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert_close(layer(x[order]), layer(x)[order])


def test_multi_head_attention_gives_unit_variance_and_nested_draws():
    wide = MultiHeadAttention(d_model=512, n_head=3, d_k=64, d_v=32, seed=5)
    for W, fan_in in ((wide.W_Q, 512), (wide.W_K, 512), (wide.W_V, 512), (wide.W_O, 3 * 32)):
        assert_close(W.var() * fan_in, torch.tensor(1.0), atol=0.03, rtol=0)
    for d_k in (1, 2, 17, 63):
        narrow = MultiHeadAttention(d_model=512, n_head=3, d_k=d_k, d_v=32, seed=5)
        assert_close(narrow.W_Q, wide.W_Q[..., :d_k], atol=0, rtol=0)
        assert_close(narrow.W_K, wide.W_K[..., :d_k], atol=0, rtol=0)
        assert_close(narrow.W_V, wide.W_V, atol=0, rtol=0)
    for d_k in (1, 2, 4, 7):  # torch draws in blocks of 16: sizes that do not fill one
        narrow, wide_too = (MultiHeadAttention(d_model=7, n_head=3, d_k=d, d_v=5, seed=5) for d in (d_k, 11))
        assert_close(narrow.W_Q, wide_too.W_Q[..., :d_k], atol=0, rtol=0)
    assert (MultiHeadAttention(d_model=512, n_head=3, d_k=64, d_v=32, seed=6).W_Q != wide.W_Q).any()
    assert (wide.W_Q != wide.W_K).any()


def test_multi_head_attention_refuses_empty_sizes():
    with pytest.raises(ValueError, match="n_head must be at least 1, not 0"):
        MultiHeadAttention(d_model=7, n_head=0, d_k=2, d_v=5)


def test_padded_sequences_are_computed_as_if_they_were_alone():
    q, k, v = qkv(B, H)
    trace = attend(q, k, v, allowed=padding(torch.tensor([4, 7]), N_K))
    assert_close(trace.context[0], references.plain(q[0], k[0, :, :4], v[0, :, :4]))
    assert_close(trace.context[1], references.plain(q[1], k[1], v[1]))


def test_a_window_of_radius_zero_hands_on_each_value():
    q, k, v = qkv(H, n_q=N_K)
    assert_close(attend(q, k, v, allowed=window(N_K, N_K, 0)).context, v)
