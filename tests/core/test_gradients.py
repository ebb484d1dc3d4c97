"""The gradient of every stage: finite differences, an independent autograd graph, the formulas of the backward pass."""

import math
from functools import partial

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from attention_core import attend, gradients, hard
from attention_core.masks import causal

H, N_Q, N_K, D_K, D_V = 2, 3, 5, 7, 11


def leaves(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = ((H, N_Q, D_K), (H, N_K, D_K), (H, N_K, D_V))
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]


def empty_row():
    allowed = causal(N_Q, N_K).clone()
    allowed[1] = False
    return allowed


BIAS = torch.randn(H, N_Q, N_K, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CASES = {
    "plain": {},
    "causal": {"allowed": causal(N_Q, N_K)},
    "empty row": {"allowed": empty_row()},
    "bias": {"bias": BIAS},
    "bias that forbids": {"bias": BIAS.masked_fill(~empty_row(), -math.inf)},
    "softcap": {"softcap": 0.8},
    "everything": {"allowed": empty_row(), "bias": BIAS, "softcap": 0.8},
}


@pytest.mark.parametrize("name", CASES)
def test_finite_differences_agree_to_second_order(name):
    def context(q, k, v):
        return attend(q, k, v, **CASES[name]).context

    assert gradcheck(context, leaves())
    assert gradgradcheck(context, leaves())


def test_finite_differences_agree_for_the_bias_and_for_shared_heads():
    q, k, v = leaves()
    bias = BIAS.clone().requires_grad_()
    assert gradcheck(lambda bias: attend(q, k, v, bias=bias, allowed=empty_row()).context, [bias])
    assert gradcheck(lambda k, v: attend(q, k, v).context, [k[:1], v[:1]])


@pytest.mark.parametrize("name", CASES)
def test_every_stage_has_the_gradient_of_an_independent_graph(name):
    case = CASES[name]
    q, k, v = leaves()
    # Written once more, with the empty rows taken out by hand
    rows = [0, 2] if "row" in name or name in ("bias that forbids", "everything") else [0, 1, 2]
    scores = torch.einsum("hia,hja->hij", q, k)
    scaled = scores / math.sqrt(D_K)
    capped = case["softcap"] * torch.tanh(scaled / case["softcap"]) if "softcap" in case else scaled * 1
    biased = capped + case["bias"] if "bias" in case else capped * 1
    masked = torch.where(case["allowed"], biased, -math.inf) if "allowed" in case else biased * 1
    alive = torch.exp(masked[:, rows] - masked[:, rows].logsumexp(dim=-1, keepdim=True))
    context = torch.einsum("hij,hja->hia", alive, v)
    objective = (context * context.detach().cos()).sum()
    expected = torch.autograd.grad(objective, (q, k, v, scores, scaled, capped, masked, alive, context))

    trace = attend(q, k, v, **case)
    alive_rows = trace.context[:, rows]
    slopes = gradients((alive_rows * alive_rows.detach().cos()).sum(), trace)
    assert_close(trace.context[:, rows], context)
    names = ("q", "k", "v", "scores", "scaled_scores", "capped_scores", "masked_scores", "weights", "context")
    for stage, reference in zip(names, expected, strict=True):
        gradient = getattr(slopes, stage)
        assert gradient.shape == getattr(trace, stage).shape
        gradient = gradient[:, rows] if stage in ("weights", "context") else gradient
        assert_close(gradient, reference, msg=lambda text, stage=stage: f"{stage}: {text}")


def test_the_backward_pass_by_its_formulas():
    q, k, v = leaves()
    trace = attend(q, k, v)
    d_context = trace.context.detach().sin()
    slopes = gradients((trace.context * d_context).sum(), trace)
    alpha = trace.weights.detach()
    d_alpha = d_context @ v.detach().mT
    d_scaled = alpha * (d_alpha - (alpha * d_alpha).sum(dim=-1, keepdim=True))
    d_scores = d_scaled / math.sqrt(D_K)
    assert_close(slopes.context, d_context)
    assert_close(slopes.v, alpha.mT @ d_context)
    assert_close(slopes.weights, d_alpha)
    assert_close(slopes.scaled_scores, d_scaled)
    assert_close(slopes.scores, d_scores)
    assert_close(slopes.q, d_scores @ k.detach())
    assert_close(slopes.k, d_scores.mT @ q.detach())


def test_hard_attention_teaches_its_scores_nothing():
    trace = attend(*leaves(), normalize=hard)
    slopes = gradients(trace.context.square().sum(), trace)
    for stage in ("q", "k", "scores", "scaled_scores", "capped_scores", "masked_scores", "weights"):
        assert_close(getattr(slopes, stage), torch.zeros_like(getattr(trace, stage)), msg=stage)
    assert_close(slopes.v, 2 * trace.weights.mT @ trace.context.detach())


def test_stages_that_need_no_gradient_get_zeros():
    q, k, v = leaves()
    trace = attend(q.detach(), k.detach(), v)
    slopes = gradients(trace.context.sum(), trace)
    for stage in ("q", "k", "scores", "weights"):
        assert_close(getattr(slopes, stage), torch.zeros_like(getattr(trace, stage)), msg=stage)
    assert_close(slopes.v, trace.weights.sum(dim=-2)[..., None].expand_as(v))


def test_one_tensor_in_three_roles_has_three_gradients():
    x = leaves()[1]
    roles = [x.detach().clone().requires_grad_() for _ in range(3)]
    together, apart = attend(x, x, x), attend(*roles)
    slopes, expected = (gradients(trace.context.square().sum(), trace) for trace in (together, apart))
    for stage in ("q", "k", "v"):
        assert_close(getattr(slopes, stage), getattr(expected, stage), msg=stage)
    (total,) = torch.autograd.grad(together.context.square().sum(), x)
    assert_close(total, expected.q + expected.k + expected.v)


def test_gradients_can_be_asked_for_twice_and_leave_the_leaves_alone():
    q, k, v = leaves()
    trace = attend(q, k, v)
    ask = partial(gradients, trace.context.square().sum(), trace)
    assert_close(ask().q, ask().q, atol=0, rtol=0)
    assert q.grad is None and k.grad is None and v.grad is None


def test_a_saturated_row_passes_no_gradient_to_its_scores():
    q, k, v = leaves()
    trace = attend(q * 1e7, k, v)
    slopes = gradients(trace.context.sum(), trace)
    assert_close(slopes.masked_scores, torch.zeros_like(slopes.masked_scores))
    assert slopes.v.any()


def test_a_trace_without_a_graph_has_zero_gradients_everywhere():
    draw = torch.Generator().manual_seed(5)
    trace = attend(*(torch.randn(7, size, generator=draw) for size in (3, 3, 5)))
    slopes = gradients(torch.tensor(1.0), trace)
    assert_close(slopes.q, torch.zeros(7, 3), rtol=0, atol=0)
    assert_close(slopes.weights, torch.zeros(7, 7), rtol=0, atol=0)
