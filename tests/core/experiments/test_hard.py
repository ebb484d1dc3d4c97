"""The bound by enumeration, its gradient by autograd, the estimators by their mean and variance, the recall race."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.hard import Hard, bound, bound_gradient, log_likelihood
from tests.core.experiments.test_base import same

SMALL = Hard(steps=5, every=2, pairs=5, symbols=11, d_k=7, d_model=13, batch=17, evaluated=19)


def case(size: int = 7, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = stream(seed, "case")
    theta = torch.randn(size, generator=draw, dtype=torch.float64)
    return theta, -5 * torch.rand(size, generator=draw, dtype=torch.float64)


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_lies_below_the_log_likelihood(seed) -> None:
    theta, log_p = case(seed=seed)
    alpha = theta.softmax(0).tolist()
    total = sum(a * math.exp(value) for a, value in zip(alpha, log_p.tolist(), strict=True))
    mean = sum(a * value for a, value in zip(alpha, log_p.tolist(), strict=True))
    assert_close(float(log_likelihood(log_p, theta.softmax(0))), math.log(total))
    assert_close(float(bound(log_p, theta.softmax(0))), mean)
    assert mean <= math.log(total)


def test_the_bound_holds_for_two_picks_by_enumeration() -> None:
    """Every pair of annotations, counted one by one."""
    (theta, log_p), (other, log_q) = case(3), case(5, seed=1)
    a, b = theta.softmax(0).tolist(), other.softmax(0).tolist()
    pairs = list(itertools.product(range(3), range(5)))
    mean = sum(a[i] * b[j] * float(log_p[i] + log_q[j]) for i, j in pairs)
    whole = math.log(sum(a[i] * b[j] * math.exp(float(log_p[i] + log_q[j])) for i, j in pairs))
    assert_close(float(bound(log_p, theta.softmax(0)) + bound(log_q, other.softmax(0))), mean)
    assert_close(float(log_likelihood(log_p, theta.softmax(0)) + log_likelihood(log_q, other.softmax(0))), whole)
    assert mean <= whole


def test_the_gradient_of_the_bound_is_autograds() -> None:
    theta, log_p = case()
    theta.requires_grad_()
    (expected,) = torch.autograd.grad(bound(log_p, theta.softmax(0)), theta)
    assert_close(bound_gradient(log_p, theta.softmax(0)), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_hard_attention_learns_slower_and_a_baseline_helps() -> None:
    """Near step 60 about: soft .999, hard .49, hard with baseline .76."""
    at_60 = {
        m: list(Hard(mode=m, steps=60, every=60).records())[-1].accuracy for m in ("soft", "hard", "hard_baseline")
    }
    assert at_60["soft"] > 0.99
    assert at_60["hard"] + 0.1 < at_60["hard_baseline"] < 0.95


@pytest.mark.parametrize("mode", ["soft", "hard", "hard_baseline"])
def test_same_seed_same_records_and_the_bound_holds(mode) -> None:
    for a, b in zip(replace(SMALL, mode=mode).records(), replace(SMALL, mode=mode).records(), strict=True):
        same(a, b)
        assert a.measures["bound"] <= a.measures["log_likelihood"] <= 0


def test_hard_training_follows_the_enumerated_gradient_on_average() -> None:
    """One step's gradient of W_Q, averaged over many draws of the dice, is that of the bound."""
    config = replace(SMALL, mode="hard", batch=4001, steps=0)
    (record,) = config.records()
    model = config.build()
    *lists, right = config.draw(stream(config.seed, "data"), config.batch)
    trace = model.trace(*lists)
    log_p = model.answer(trace.v[:, 0]).log_softmax(-1).gather(-1, right[:, None, None].expand(-1, 5, 1))[..., 0]
    exact = torch.autograd.grad(-bound(log_p, trace.weights[:, 0, 0]).mean(), model.attention.W_V)[0]
    assert float((record.arrays["grad.W_V.0"] - exact).norm() / exact.norm()) < 0.2
    trace = model.trace(*lists)
    log_p = model.answer(trace.v[:, 0]).log_softmax(-1).gather(-1, right[:, None, None].expand(-1, 5, 1))[..., 0]
    exact = torch.autograd.grad(-bound(log_p, trace.weights[:, 0, 0]).mean(), model.attention.W_Q)[0]
    gradient = record.arrays["grad.W_Q.0"]
    assert float(torch.nn.functional.cosine_similarity(gradient.flatten(), exact.flatten(), dim=0)) > 0.2


@pytest.mark.parametrize("mode", ["hard", "hard_baseline"])
def test_every_step_weighs_the_score_by_what_the_moving_baseline_leaves(mode) -> None:
    """b_k = 0.9 b_{k−1} + 0.1 log p (Xu et al. 2015, section 4.1). With a rate of 0 the weights stay as they are."""
    config = replace(SMALL, mode=mode, lr=0.0, steps=3, every=1)
    model, data, dice = config.build(), stream(config.seed, "data"), stream(config.seed, "samples")
    b = 0.0
    for record in config.records():
        *lists, right = config.draw(data, config.batch)
        trace = model.trace(*lists)
        alpha = trace.weights[:, 0, 0]
        picks = torch.multinomial(alpha.detach(), 1, generator=dice)[:, 0]
        rows = torch.arange(config.batch)
        log_p = model.answer(trace.v[:, 0][rows, picks]).log_softmax(-1)[rows, right]
        objective = log_p + (log_p.detach() - b) * alpha[rows, picks].log()
        (expected,) = torch.autograd.grad(-objective.mean(), model.attention.W_Q)
        assert_close(record.arrays["grad.W_Q.0"], expected, rtol=1e-4, atol=1e-7)
        if mode == "hard_baseline":
            b = 0.9 * b + 0.1 * float(log_p.detach().mean())


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(ValueError, match="must be soft, hard, hard_baseline"):
        Hard(mode="medium")
