"""Draws from a row of weights and what is estimated from them, against enumeration, autograd and naive loops."""

import math

import pytest
import torch
from torch.testing import assert_close

from attention_core.sampling import (
    BASELINES,
    best,
    chi_square,
    drawn,
    estimates,
    tallies,
    variances,
)

N = 7
SAMPLES = 20011


@pytest.fixture(scope="module")
def setting():
    generator = torch.Generator().manual_seed(5)
    theta = torch.randn(N, generator=generator, dtype=torch.float64)
    ell = -3 + 1.5 * torch.randn(N, generator=generator, dtype=torch.float64)
    u = torch.rand(3, SAMPLES, generator=generator, dtype=torch.float64)
    return theta, ell, u


def by_autograd(theta, ell):
    """∂ Σ softmax(θ) ℓ / ∂θ."""
    theta = theta.clone().requires_grad_()
    return torch.autograd.grad((torch.softmax(theta, dim=0) * ell).sum(), theta)[0]


def one_by_one(theta, ell, choices, name):
    """The estimate of every sample: torch's gradient of log α_s, times ℓ_s less the baseline, in a loop."""
    theta = theta.clone().requires_grad_()
    logs = torch.log_softmax(theta, dim=0)
    scores = [torch.autograd.grad(logs[s], theta, retain_graph=True)[0] for s in range(N)]
    alpha = logs.detach().exp()
    mean = float((alpha * ell).sum())
    lengths = torch.stack([(score**2).sum() for score in scores])
    constant = {"none": 0.0, "mean": mean, "optimal": float((alpha * lengths * ell).sum() / (alpha * lengths).sum())}
    b, terms = mean, []
    for s in choices.tolist():
        terms.append((float(ell[s]) - (b if name == "moving" else constant[name])) * scores[s])
        b = 0.9 * b + 0.1 * float(ell[s])
    return torch.stack(terms)


def test_draws_have_the_law_of_the_weights_exactly(setting) -> None:
    """With u on a grid nothing is left to chance: each key is drawn as often as its weight says, to one in the grid."""
    alpha = torch.softmax(setting[0], dim=0)
    points = 100003
    u = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    shares = torch.bincount(drawn(alpha, u), minlength=N) / points
    assert_close(shares.double(), alpha, rtol=0, atol=1.5 / points)


def test_a_key_without_weight_is_never_drawn() -> None:
    alpha = torch.tensor([0.0, 0.25, 0.0, 0.75, 0.0], dtype=torch.float64)
    u = torch.tensor([0.0, 0.1, 0.2499999, 0.25, 0.9, math.nextafter(1, 0)], dtype=torch.float64)
    assert drawn(alpha, u).tolist() == [1, 1, 1, 3, 3, 3]


def test_tallies_count_the_first_samples(setting) -> None:
    theta, _, u = setting
    choices = drawn(torch.softmax(theta, dim=0).expand(3, -1), u)
    counts = (1, 13, 4001)
    counted = tallies(choices, N, counts)
    for i, count in enumerate(counts):
        for draw in range(3):
            assert_close(counted[draw, i], torch.bincount(choices[draw, :count], minlength=N).double())


@pytest.mark.parametrize("name", BASELINES)
def test_an_estimate_is_the_mean_of_what_each_sample_says(setting, name) -> None:
    theta, ell, u = setting
    alpha = torch.softmax(theta, dim=0)
    choices = drawn(alpha, u[0, :1009])
    counts = (1, 2, 31, 1009)
    estimated = estimates(alpha, ell, choices, counts)[BASELINES.index(name)]
    naive = one_by_one(theta, ell, choices, name)
    for i, count in enumerate(counts):
        assert_close(estimated[i], naive[:count].mean(dim=0))


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_is_unbiased(setting, name) -> None:
    theta, ell, u = setting
    alpha = torch.softmax(theta, dim=0)
    naive = one_by_one(theta, ell, drawn(alpha, u[1]), name)
    error = naive.std(dim=0) / SAMPLES**0.5
    assert ((naive.mean(dim=0) - by_autograd(theta, ell)).abs() <= 4 * error).all()
    estimated = estimates(alpha, ell, drawn(alpha, u[1]), (SAMPLES,))[BASELINES.index(name), 0]
    assert ((estimated - by_autograd(theta, ell)).abs() <= 4 * error).all()


def test_variances_are_those_of_many_samples_and_the_moving_baseline_saves_more_than_a_third(setting) -> None:
    theta, ell, u = setting
    alpha = torch.softmax(theta, dim=0)
    by_baseline = dict(zip(BASELINES, variances(alpha, ell).tolist(), strict=True))
    for name in BASELINES:
        measured = float(one_by_one(theta, ell, drawn(alpha, u[2]), name).var(dim=0).sum())
        assert_close(by_baseline[name], measured, rtol=0.05, atol=0)
    assert by_baseline["moving"] / by_baseline["none"] < 0.6
    assert by_baseline["optimal"] <= by_baseline["mean"] < by_baseline["moving"] < by_baseline["none"]


def test_variances_of_constants_by_enumeration(setting) -> None:
    theta, ell, _ = setting
    alpha = torch.softmax(theta, dim=0)
    exact = by_autograd(theta, ell)

    def spread(b):
        directions = torch.eye(N, dtype=torch.float64) - alpha
        return sum(float(alpha[s]) * float((((ell[s] - b) * directions[s] - exact) ** 2).sum()) for s in range(N))

    by_baseline = dict(zip(BASELINES, variances(alpha, ell).tolist(), strict=True))
    assert_close(by_baseline["none"], spread(0.0))
    assert_close(by_baseline["mean"], spread(float((alpha * ell).sum())))
    assert_close(by_baseline["optimal"], min(spread(float(best(alpha, ell)) + step) for step in (-1e-3, 0.0, 1e-3)))


def test_nothing_varies_when_one_key_has_all_the_weight() -> None:
    alpha, ell = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([-5.0, -2.0, -1.0])
    assert_close(variances(alpha, ell), torch.zeros(4))
    assert_close(best(alpha, ell), torch.tensor(-2.0))


def test_chi_square_is_pearsons() -> None:
    alpha = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    tally = torch.tensor([15.0, 35.0, 50.0], dtype=torch.float64)
    chi, free, chance = chi_square(tally, alpha)
    assert_close(float(chi), 25 / 20 + 25 / 30 + 0.0)
    assert float(free) == 2
    assert_close(float(chance), math.exp(-float(chi) / 2))  # the tail with 2 degrees of freedom
    tally = torch.tensor([59.7998, 40.2002], dtype=torch.float64)
    _, _, five_percent = chi_square(tally, torch.full((2,), 0.5, dtype=torch.float64))
    assert_close(float(five_percent), 0.05, rtol=1e-3, atol=0)  # χ² = 3.8415 with 1


def test_rare_keys_are_counted_together() -> None:
    alpha = torch.tensor([0.5, 0.44, 0.03, 0.03], dtype=torch.float64)
    tally = torch.tensor([50.0, 41.0, 4.0, 5.0], dtype=torch.float64)
    chi, free, _ = chi_square(tally, alpha)  # the last two, 6 expected together, are one group
    assert float(free) == 2
    assert_close(float(chi), 0.0 + 9 / 44 + 9 / 6)
    chi, free, _ = chi_square(tally[:3], torch.tensor([0.5, 0.48, 0.02], dtype=torch.float64) * 1.0)
    assert float(free) == 1  # 1.9 expected: it joins the most expected one
    assert chi_square(tally[:1], torch.ones(1).double())[0].isnan()


@pytest.mark.parametrize("count", [64, 1024])
def test_a_true_sampler_is_seldom_surprising(setting, count) -> None:
    """Of 300 sets of samples, those with a chance below 5 % are about 5 %."""
    alpha = torch.softmax(setting[0], dim=0)
    u = torch.rand(300, count, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    tally = tallies(drawn(alpha.expand(300, -1), u), N, (count,))[:, 0]
    _, _, chance = chi_square(tally, alpha.expand(300, -1))
    share = float((chance < 0.05).double().mean())
    assert abs(share - 0.05) < 4 * (0.05 * 0.95 / 300) ** 0.5
    _, _, wrong = chi_square(tally, alpha.roll(1).expand(300, -1))
    assert float((wrong < 0.05).double().mean()) > 0.99
