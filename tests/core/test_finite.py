"""What is not finite reaches what depends on it, nothing else: against torch, and the same call without it."""

import math
from dataclasses import fields
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core import NONE, NORMALIZERS, MultiHeadAttention, attend, by, gradients
from attention_core.attention import AttentionTrace
from attention_core.mechanisms import MECHANISMS, LayerSizes, Options, run
from attention_core.remedies import sharpness

POISONS = (math.nan, math.inf, -math.inf)
H, N_Q, N_K, D_K, D_V = 2, 3, 5, 7, 11
ROLES = ("q", "k", "v")


def vectors(*batch: int, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    shapes = (N_Q, D_K), (N_K, D_K), (N_K, D_V)
    return [torch.randn(*batch, *shape, generator=draw, dtype=torch.float64).to(dtype) for shape in shapes]


def hiding(key: int, query: int | None = None) -> torch.Tensor:
    """A mask behind which one key stands for every query, or for all but one."""
    allowed = torch.rand(N_Q, N_K, generator=torch.Generator().manual_seed(1)) < 0.6
    allowed[:, 0] = True
    allowed[:, key] = False
    if query is not None:
        allowed[query, key] = True
    return allowed


def slopes_of(parts: list[torch.Tensor], rows: list[int] | None = None, **options: Any) -> list[torch.Tensor]:
    """∂/∂q, ∂/∂k, ∂/∂v of a weighing of these rows of the context."""
    leaves = [part.clone().requires_grad_() for part in parts]
    context = attend(*leaves, **options).context
    seen = context if rows is None else context[..., rows, :]
    weighing = torch.randn(seen.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(seen.dtype)
    return list(torch.autograd.grad((seen * weighing).sum(), leaves, materialize_grads=True))


@pytest.mark.parametrize("poison", POISONS)
def test_the_gradient_of_a_query_whose_only_key_is_the_first_is_zero_whatever_the_second_is(poison: float) -> None:
    x = torch.arange(8.0).reshape(1, 2, 4)
    allowed = torch.tensor([[True, False], [True, False]])
    k = x.clone()
    k[0, 1, 0] = poison
    q, k, v = (part.clone().requires_grad_() for part in (x, k, x))
    slopes = torch.autograd.grad(attend(q, k, v, allowed=allowed).context.sum(), (q, k, v))
    assert_close(slopes[0], torch.zeros_like(x), rtol=0, atol=0)
    assert_close(slopes[1], torch.zeros_like(x), rtol=0, atol=0)
    assert_close(slopes[2], torch.tensor([[[2.0] * 4, [0.0] * 4]]), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("batch", [(), (H,), (3, H)])
@pytest.mark.parametrize("through", ["allowed", "bias"])
@pytest.mark.parametrize("role", ["k", "v", "kv"])
@pytest.mark.parametrize("poison", POISONS)
def test_what_no_query_may_see_leaves_every_stage_and_gradient_as_it_was(
    poison: float, role: str, through: str, batch: tuple[int, ...], dtype: torch.dtype
) -> None:
    parts, allowed = vectors(*batch, dtype=dtype), hiding(key=3)
    bias = torch.zeros(N_Q, N_K).masked_fill(~allowed, -math.inf)
    masks: dict[str, Any] = {"allowed": {"allowed": allowed}, "bias": {"bias": bias}}[through]
    clean = slopes_of(parts, **masks)
    for name in role:
        parts[ROLES.index(name)][..., 3, :2] = poison
    for slope, expected in zip(slopes_of(parts, **masks), clean, strict=True):
        assert_close(slope, expected, rtol=0, atol=0)
    assert not clean[1][..., 3, :].any() and not clean[2][..., 3, :].any()


@pytest.mark.parametrize("role", ["k", "v"])
@pytest.mark.parametrize("poison", POISONS)
def test_a_key_that_one_query_sees_reaches_nothing_that_another_depends_on(poison: float, role: str) -> None:
    parts, allowed = vectors(H), hiding(key=3, query=1)
    clean = slopes_of(parts, [0, 2], allowed=allowed)
    parts[ROLES.index(role)][..., 3, 1] = poison
    for slope, expected in zip(slopes_of(parts, [0, 2], allowed=allowed), clean, strict=True):
        assert_close(slope, expected)
    context = attend(*parts, allowed=allowed).context
    assert context[..., [0, 2], :].isfinite().all()
    if role == "v" or math.isnan(poison):
        assert not context[..., 1, :].isfinite().all()
    for slope in slopes_of(parts, allowed=allowed):  # what is not finite is a constant, also where it counts
        assert slope.isfinite().all()


@pytest.mark.parametrize("poison", POISONS)
def test_a_query_that_asks_nobody_and_one_that_is_not_looked_at(poison: float) -> None:
    for hidden in (True, False):
        parts, allowed = vectors(H), hiding(key=3)
        allowed[1] = allowed[1] & ~torch.tensor(hidden)
        rows = None if hidden else [0, 2]
        clean = slopes_of(parts, rows, allowed=allowed)
        parts[0][..., 1, :] = poison
        for slope, expected in zip(slopes_of(parts, rows, allowed=allowed), clean, strict=True):
            assert_close(slope, expected)
        context = attend(*parts, allowed=allowed).context
        assert_close(
            context[..., 1, :], torch.full_like(context[..., 1, :], 0.0 if hidden else math.nan), equal_nan=True
        )


@pytest.mark.parametrize("softcap", [None, 0.9])
@pytest.mark.parametrize("scaling", [NONE, by(0.3), by(0.3, sharpness)])
@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("poison", POISONS)
def test_every_normalizer_scaling_and_cap_stays_behind_the_mask(poison, normalizer, scaling, softcap) -> None:
    allowed = hiding(key=3)
    options = {"allowed": allowed, "scaling": scaling, "softcap": softcap, "normalize": NORMALIZERS[normalizer].apply}
    parts = vectors(H)
    traces, slopes = [], []
    for spoil in (False, True):
        if spoil:
            parts[1][..., 3, 0], parts[2][..., 3, 0] = poison, poison
        leaves = [part.clone().requires_grad_() for part in parts]
        traces.append(attend(*leaves, **options))
        slopes.append(gradients(traces[-1].context.square().sum(), traces[-1]))
    for name in ("weights", "context"):
        assert_close(getattr(traces[1], name), getattr(traces[0], name))
    for field in fields(AttentionTrace):
        ours, expected = getattr(slopes[1], field.name), getattr(slopes[0], field.name)
        if field.name == "weights":  # what a value of another size would do to its weight
            ours, expected = ours.masked_fill(~allowed, 0.0), expected.masked_fill(~allowed, 0.0)
            assert slopes[1].weights.isfinite().all()
        assert_close(ours, expected, msg=lambda text, field=field: f"{field.name}: {text}")


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("poison", POISONS)
def test_every_mechanism_stays_behind_the_readers_mask(poison: float, name: str) -> None:
    """A key that nobody sees and a query that sees nobody: the gradients of q, k, v and of what is learned."""
    sizes = LayerSizes(n_head=H, n_q=N_Q, n_k=N_K, d_k=D_K, d_v=D_V)
    allowed = hiding(key=3)
    allowed[1] = False
    results = []
    for spoil in (False, True):
        parts = vectors(H)
        if spoil:
            for role, place in ((0, 1), (1, 3), (2, 3)):
                parts[role][..., place, :] = poison
        leaves = [part.requires_grad_() for part in parts]
        learned = {key: p.double().requires_grad_() for key, p in MECHANISMS[name].parameters(sizes).items()}
        trace = run(MECHANISMS[name], *leaves, parameters=learned, options=Options(radius=9), allowed=allowed)
        wanted = [*leaves, *learned.values()]
        results.append(
            (trace.context, *torch.autograd.grad(trace.context.square().sum(), wanted, materialize_grads=True))
        )
    if name != "graves":  # its window moves on with every query, also one that may see nothing
        for ours, expected in zip(results[1], results[0], strict=True):
            if name in ("turing", "location_aware"):  # the next query starts from the position of this one
                assert ours.isfinite().all()
            else:
                assert_close(ours, expected)


@pytest.mark.parametrize("poison", POISONS)
def test_a_token_behind_the_mask_teaches_a_layer_of_several_heads_nothing(poison: float) -> None:
    """A padded token: hidden as a key, its own row in no loss."""
    layer = MultiHeadAttention(d_model=13, n_head=3, d_k=D_K, d_v=D_V, seed=5).double()
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(2, N_K, 13, generator=draw, dtype=torch.float64)
    allowed = torch.ones(N_K, N_K, dtype=torch.bool)
    allowed[:, 4] = False
    slopes = []
    for spoil in (False, True):
        seen = x.clone()
        if spoil:
            seen[:, 4, 2] = poison
        seen.requires_grad_()
        loss = layer(seen, allowed=allowed)[:, :4].square().sum()
        slopes.append(torch.autograd.grad(loss, [seen, *layer.parameters()]))
    for ours, expected in zip(slopes[1], slopes[0], strict=True):
        assert_close(ours, expected)
    assert not slopes[1][0][:, 4].any()


# Values with a weight of 0 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["softmax", "hard", "sparsemax", "entmax15"])
@pytest.mark.parametrize("poison", POISONS)
def test_a_value_whose_weight_is_exactly_zero_counts_the_same_with_a_mask_and_without_one(name, poison) -> None:
    q, k, v = torch.ones(1, 1).double(), torch.tensor([[1e4], [0.0], [-3.0]]).double(), torch.eye(3).double()
    v[1, 0] = poison
    options = {"scaling": NONE, "normalize": NORMALIZERS[name].apply}
    alone = attend(q, k, v, **options)
    assert float(alone.weights[0, 1]) == 0.0
    everywhere = torch.ones(1, 3, dtype=torch.bool)
    bias = torch.zeros(1, 3)
    choices: tuple[dict[str, Any], ...] = {"allowed": everywhere}, {"bias": bias}, {"allowed": everywhere, "bias": bias}
    for masks in choices:
        masked = attend(q, k, v, **options, **masks)
        assert_close(masked.context, alone.context, rtol=0, atol=0, equal_nan=True)
    assert_close(alone.context, alone.weights @ v, rtol=0, atol=0, equal_nan=True)
    if name == "softmax":
        expected = F.scaled_dot_product_attention(q[None], k[None], v[None], scale=1.0)[0]
        assert_close(alone.context, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("poison", POISONS)
def test_the_gradients_of_values_are_the_same_with_a_mask_and_without_one(poison: float) -> None:
    parts = vectors(H)
    parts[2][..., 2, 4] = poison
    everywhere = torch.ones(N_Q, N_K, dtype=torch.bool)
    rest = slopes_of(parts), slopes_of(parts, allowed=everywhere)
    for ours, expected in zip(*rest, strict=True):
        assert_close(ours, expected, equal_nan=True)
        assert ours.isfinite().all()


@pytest.mark.parametrize("poison", POISONS)
def test_every_context_is_the_sum_over_the_permitted_keys_alone(poison: float) -> None:
    """Row by row, with torch's own product: weights below 0 and of exactly 0 too."""
    _, k, v = vectors()
    v[1, 2], v[3, 2:5], v[4, 4] = poison, -poison, math.inf
    weights = torch.tensor(
        [[0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 1.0, 0.0, -2.0], [0.25, 0.0, 0.75, 0.0, 0.0]]
    ).double()
    permitted = torch.tensor([[1, 1, 1, 1, 0], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1]]).bool()
    trace = attend(torch.zeros(3, D_K).double(), k, v, normalize=lambda *_: weights, allowed=permitted)
    for row in range(3):
        inside = permitted[row]
        assert_close(trace.context[row], weights[row, inside] @ v[inside], equal_nan=True)
