"""Mean and variance of q·k: draws against numpy, closed forms against quadrature, real vectors against loops."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core import variance
from attention_core.variance import D_K_OCTAVES, EVEN_MOMENTS, SAMPLES, Assumptions, Observed

DISTRIBUTIONS = tuple(EVEN_MOMENTS)
STOPS = (1, 3, 7, 19)
BROKEN = Assumptions(mean=0.7, correlation=-0.4, initialisation="linear")


def normal_below(x: np.ndarray) -> np.ndarray:
    return np.array([0.5 + math.erf(value / math.sqrt(2)) / 2 for value in x])


def uniform_below(x: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + x / math.sqrt(12), 0, 1)


def student_below(x: np.ndarray) -> np.ndarray:
    """The distribution function of Student's t with 5 degrees of freedom, of a variable scaled to variance 1."""
    t = x * math.sqrt(5 / 3)
    share = 1 + t**2 / 5
    return 0.5 + (t / (math.sqrt(5) * share) * (1 + 2 / (3 * share)) + np.arctan(t / math.sqrt(5))) / math.pi


BELOW = {"normal": normal_below, "uniform": uniform_below, "student": student_below}


def kurtosis(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    return (centred**4).mean(axis=-1) / (centred**2).mean(axis=-1) ** 2 - 3


def quadrature(distribution: str) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights with which polynomials of degree 31 are averaged exactly."""
    if distribution == "rademacher":
        return np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    if distribution == "uniform":
        nodes, weights = np.polynomial.legendre.leggauss(16)
        return nodes * math.sqrt(3), weights / 2
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    return nodes, weights / weights.sum()


def averaged(assumptions: Assumptions) -> tuple[float, float, float]:
    """Mean, variance and excess kurtosis of XY by quadrature over U and V."""
    nodes, weights = quadrature(assumptions.distribution)
    u, v = np.meshgrid(nodes, nodes, indexing="ij")
    s = {"unit": 1.0, "linear": math.sqrt(1 / 3)}[assumptions.initialisation]
    rho = assumptions.correlation
    xy = (assumptions.mean + s * u) * (assumptions.mean + s * (rho * u + math.sqrt(1 - rho**2) * v))
    share = np.outer(weights, weights)
    mean = (share * xy).sum()
    second, fourth = ((share * (xy - mean) ** power).sum() for power in (2, 4))
    return mean, second, fourth / second**2 - 3


@pytest.fixture(scope="module")
def sums():
    return {name: variance.draw(name, seed=0) for name in DISTRIBUTIONS}


def close(actual, expected, **tolerance) -> None:
    actual, expected = (torch.as_tensor(np.asarray(side), dtype=torch.float64) for side in (actual, expected))
    assert_close(actual, expected, **tolerance)


def test_the_variance_of_q_k_is_d_k(sums) -> None:  # Vaswani et al. 2017, footnote 4
    variances = np.var(variance.products(sums["normal"], Assumptions()).double().numpy(), axis=-1)
    assert ((variances / np.array(D_K_OCTAVES) > 0.95) & (variances / np.array(D_K_OCTAVES) < 1.05)).all()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("assumed", [Assumptions(), BROKEN])
def test_sums_are_the_products_of_the_components(distribution, assumed) -> None:
    assumed = Assumptions(
        distribution=distribution,
        mean=assumed.mean,
        correlation=assumed.correlation,
        initialisation=assumed.initialisation,
    )
    drawn = variance.draw(distribution, seed=5, samples=301, stops=STOPS)
    q, k = (side.double().numpy() for side in variance.components(assumed, 5, STOPS[-1]))
    summed = variance.products(drawn, assumed)
    for row, d_k in enumerate(STOPS):
        close(summed[row, : len(q)], np.einsum("nd,nd->n", q[:, :d_k], k[:, :d_k]), rtol=1e-5, atol=2e-5)
    x, y = variance.first_components(drawn, assumed)
    close(x[: len(q)], q[:, 0], rtol=1e-6, atol=1e-6)
    close(y[: len(k)], k[:, 0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("distribution", ["normal", "uniform", "student"])
def test_components_follow_their_distribution(distribution, sums) -> None:
    for drawn in (sums[distribution].u[0], sums[distribution].v[0]):
        expected = BELOW[distribution](np.sort(drawn.double().numpy()))
        farthest = np.abs(expected - (np.arange(SAMPLES) + 0.5) / SAMPLES).max()
        assert farthest < 1.95 / math.sqrt(SAMPLES)  # Kolmogorov and Smirnov, one in a thousand


def test_signs_are_fair_and_nothing_else(sums) -> None:
    for drawn in (sums["rademacher"].u[0], sums["rademacher"].v[0]):
        assert set(drawn.tolist()) == {-1.0, 1.0}
        assert abs(float(drawn.mean())) < 4 / math.sqrt(SAMPLES)


def test_u_and_v_are_not_the_same_numbers_and_a_seed_repeats_its_own() -> None:
    first, again, other = (variance.draw("normal", seed, 600, STOPS) for seed in (3, 3, 4))
    close(first.uv, again.uv, rtol=0, atol=0)
    assert np.abs(np.corrcoef(np.stack([first.u[-1], first.v[-1], other.u[-1]]))[0, 1:]).max() < 0.2


@pytest.mark.parametrize(
    ("distribution", "excess"),
    [("normal", 6.0), ("uniform", (9 / 5) ** 2 - 3), ("rademacher", -2.0), ("student", 9.0**2 - 3)],
)
def test_excess_kurtosis_of_a_product(distribution, excess, sums) -> None:
    exact = variance.law(Assumptions(distribution=distribution))
    assert (exact.mean, exact.variance) == (0.0, 1.0)
    assert exact.excess == pytest.approx(excess)
    if distribution != "student":  # its sample kurtosis does not settle with 40 000 samples
        dots = variance.products(sums[distribution], Assumptions(distribution=distribution))[:4]
        close(variance.moments(dots).excess, [excess / d_k for d_k in D_K_OCTAVES[:4]], rtol=0, atol=0.6)


def test_linear_layers_default_leaves_a_ninth() -> None:
    assert variance.law(Assumptions(initialisation="linear")).variance == pytest.approx(1 / 9)


@given(
    distribution=st.sampled_from(["normal", "uniform", "rademacher"]),
    mean=st.floats(-2, 2),
    correlation=st.floats(-0.99, 0.99),
    initialisation=st.sampled_from(["unit", "linear"]),
)
def test_closed_forms_are_what_quadrature_gives(distribution, mean, correlation, initialisation) -> None:
    assumed = Assumptions(distribution=distribution, mean=mean, correlation=correlation, initialisation=initialisation)
    exact = variance.law(assumed)
    mean, spread, excess = averaged(assumed)
    close(exact.mean, mean, rtol=1e-9, atol=1e-12)
    close(exact.variance, spread, rtol=1e-9, atol=1e-12)
    if spread > 1e-6:
        close(exact.excess, excess, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize(("mean", "correlation"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (-1.5, -0.3)])
@pytest.mark.parametrize("initialisation", ["unit", "linear"])
def test_what_is_drawn_agrees_with_the_law_within_its_errors(
    sums, distribution, mean, correlation, initialisation
) -> None:
    assumed = Assumptions(distribution=distribution, mean=mean, correlation=correlation, initialisation=initialisation)
    exact = variance.law(assumed)
    dots = variance.products(sums[distribution], assumed).double().numpy()
    for d_k, row in zip(D_K_OCTAVES, dots, strict=True):
        assert abs(row.mean() - d_k * exact.mean) < 5 * math.sqrt(d_k * exact.variance / SAMPLES)
        error = exact.variance_error(d_k, SAMPLES)
        assert math.isnan(error) == (distribution == "student" and correlation != 0)
        if not math.isnan(error):
            assert abs(row.var(ddof=1) - d_k * exact.variance) < 5 * error


def test_heavy_tails_and_correlation_leave_no_fourth_moment() -> None:
    assert variance.law(Assumptions(distribution="student", correlation=0.5, mean=1.0)).excess == math.inf
    assert math.isfinite(variance.law(Assumptions(distribution="student", mean=1.0)).excess)


def test_signs_that_agree_do_not_vary() -> None:
    exact = variance.law(Assumptions(distribution="rademacher", correlation=1.0))
    assert (exact.mean, exact.variance) == (1.0, 0.0)
    assert math.isnan(exact.excess)
    assert exact.variance_error(64, SAMPLES) == 0.0


@pytest.mark.parametrize("shape", [(31,), (3, 31)])
def test_moments_are_numpys(shape) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1)).exp()
    moments = variance.moments(x)
    y = x.double().numpy()
    close(moments.mean, y.mean(axis=-1))
    close(moments.variance, y.var(axis=-1, ddof=1))
    close(moments.excess, kurtosis(y))
    close(moments.mean_error, y.std(axis=-1, ddof=1) / math.sqrt(31))


@pytest.mark.parametrize("name", ["standard_normal", "random", "laplace"])
def test_the_error_of_a_variance_is_how_much_variances_scatter(name) -> None:
    batches = getattr(np.random.default_rng(0), name)(size=(4000, 200))
    moments = variance.moments(torch.from_numpy(batches))
    close(moments.variance_error.square().mean().sqrt(), batches.var(axis=-1, ddof=1).std(), rtol=0.1, atol=0)


def test_one_sample_has_no_spread_and_equal_ones_no_kurtosis() -> None:
    assert variance.moments(torch.tensor([3.0])).variance.isnan()
    equal = variance.moments(torch.full((5,), 2.0))
    assert float(equal.variance) == float(equal.variance_error) == 0.0
    assert equal.excess.isnan()


ALL = {"product", "zero", "definition", "squares", "ones", "sum_mean", "sum_variance", "d_k", "scaled"}


@pytest.mark.parametrize(
    ("assumed", "wrong"),
    [
        (Assumptions(), set()),
        (Assumptions(distribution="student"), set()),
        (Assumptions(correlation=0.5), {"product", "squares", "sum_mean", "d_k", "scaled"}),
        (Assumptions(distribution="rademacher", correlation=0.5), {"product", "sum_mean", "d_k", "scaled"}),
        (Assumptions(mean=1.0), {"zero", "ones", "sum_mean", "d_k", "scaled"}),
        (Assumptions(initialisation="linear"), {"ones", "d_k", "scaled"}),
        (BROKEN, ALL - {"definition", "sum_variance"}),
    ],
)
def test_a_line_is_wrong_exactly_where_its_assumption_is_broken(sums, assumed, wrong) -> None:
    lines = variance.derivation(sums[assumed.distribution], assumed, 32)
    assert [line.key for line in lines] == [
        "product", "zero", "definition", "squares", "ones", "sum_mean", "sum_variance", "d_k", "scaled",
    ]  # fmt: skip
    assert {line.key for line in lines if not line.holds} == wrong
    for line in lines:
        assert abs(line.left - line.exact_left) < 5 * line.error + 1e-3
        if line.holds and line.key != "definition":
            assert abs(line.left - line.right) < 8 * line.error + 1e-3


def test_the_lines_hold_the_numbers_numpy_finds(sums) -> None:
    lines = {line.key: line for line in variance.derivation(sums["normal"], BROKEN, 256)}
    x, y = (side.double().numpy() for side in variance.first_components(sums["normal"], BROKEN))
    close(lines["product"].left, (x * y).mean())
    close(lines["product"].right, x.mean() * y.mean())
    close(lines["definition"].left, np.var(x * y, ddof=1))
    close(lines["squares"].left, (x**2 * y**2).mean())
    close(lines["squares"].right, (x**2).mean() * (y**2).mean())
    dots = variance.products(sums["normal"], BROKEN)[D_K_OCTAVES.index(256)].double().numpy()
    close(lines["sum_mean"].left, dots.mean())
    close(lines["scaled"].left, np.var(dots / 16, ddof=1))


def by_loops(q: np.ndarray, k: np.ndarray) -> dict[str, float]:
    """The moments of all pairs and the parts of their variance, one number at a time."""
    dots = np.array([[sum(a * b for a, b in zip(row, col, strict=True)) for col in k] for row in q])
    q_cov, k_cov = (np.atleast_2d(np.cov(side.T, bias=True)) for side in (q, k))
    q_mean, k_mean = q.mean(axis=0), k.mean(axis=0)
    pairs = list(product(range(q.shape[1]), repeat=2))
    return {
        "mean": dots.mean(),
        "variance": dots.var(),
        "excess": kurtosis(dots.ravel()),
        "own": sum(q_cov[i, j] * k_cov[i, j] for i, j in pairs if i == j),
        "together": sum(q_cov[i, j] * k_cov[i, j] for i, j in pairs if i != j),
        "offset": sum(
            q_mean[i] * k_cov[i, j] * q_mean[j] + k_mean[i] * q_cov[i, j] * k_mean[j] for i, j in pairs
        ),
    }  # fmt: skip


def test_real_vectors_are_measured_over_all_pairs() -> None:
    generator = torch.Generator().manual_seed(2)
    q = torch.randn(3, 5, 7, generator=generator) + torch.linspace(-1, 1, 7)
    k = torch.randn(3, 11, 7, generator=generator).cumsum(dim=-1)
    observed = variance.observed(q, k)
    for head in range(3):
        for name, expected in by_loops(q[head].double().numpy(), k[head].double().numpy()).items():
            close(getattr(observed, name)[head], expected, rtol=1e-9, atol=1e-9)
    close(observed.own + observed.together + observed.offset, observed.variance, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mask", ["causal", "window", "random"])
def test_under_a_mask_only_the_pairs_that_it_allows_are_counted(mask: str) -> None:
    """numpy and scipy on the list of these pairs; the parts as if the q and k of these pairs met at random, and what
    it changes that they do not.
    """
    generator = torch.Generator().manual_seed(3)
    q = torch.randn(2, 11, 5, generator=generator) + torch.linspace(-1, 2, 5)
    k = torch.randn(2, 11, 5, generator=generator).cumsum(dim=-2)
    masks = {
        "causal": torch.ones(11, 11, dtype=torch.bool).tril(),
        "window": torch.ones(11, 11, dtype=torch.bool).tril(2).triu(-2),
        "random": torch.rand(11, 11, generator=generator) < 0.4,
    }
    observed = variance.observed(q, k, masks[mask])
    of_q, of_k = (axis.numpy() for axis in masks[mask].nonzero(as_tuple=True))
    for head in range(2):
        all_q, all_k = q[head].double().numpy()[of_q], k[head].double().numpy()[of_k]
        dots = (all_q * all_k).sum(axis=1)
        close(observed.mean[head], dots.mean(), rtol=1e-9, atol=1e-9)
        close(observed.variance[head], dots.var(), rtol=1e-9, atol=1e-9)
        close(observed.excess[head], kurtosis(dots), rtol=1e-9, atol=1e-9)
        independent = by_loops(all_q, all_k)
        for name in ("own", "together", "offset"):
            close(getattr(observed, name)[head], independent[name], rtol=1e-9, atol=1e-9)
        close(observed.pairing[head], dots.var() - independent["variance"], rtol=1e-9, atol=1e-9)


def test_a_mask_that_forbids_nothing_changes_nothing() -> None:
    q, k = torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(4))
    every, plain = variance.observed(q, k, torch.ones(7, 7, dtype=torch.bool)), variance.observed(q, k)
    for name in ("mean", "variance", "excess", "own", "together", "offset", "pairing"):
        close(getattr(every, name), getattr(plain, name), rtol=1e-9, atol=1e-9)


def test_a_single_pair_does_not_vary() -> None:
    observed: Observed = variance.observed(torch.ones(1, 4), torch.ones(1, 4))
    assert float(observed.mean) == 4.0
    assert float(observed.variance) == 0.0
    assert observed.excess.isnan()


@pytest.mark.parametrize("d_k", [3, 29])
def test_linear_layers_are_torchs(d_k) -> None:
    d_model, layers, tokens = 31, 300, 13
    torch.manual_seed(0)
    theirs = []
    for _ in range(layers):
        W_Q, W_K = (torch.nn.Linear(d_model, d_k, bias=False) for _ in range(2))
        x, y = torch.randn(2, tokens, d_model)
        theirs.append((W_Q(x) @ W_K(y).mT).detach())
    ours = variance.linear_layer(d_model, d_k, layers=layers, tokens=tokens, seed=0)
    spread = torch.stack(theirs).square().mean(dim=(1, 2))
    error = float(spread.std() / math.sqrt(layers))
    assert ours.shape == (layers, tokens, tokens)
    close(float(ours.square().mean()), float(spread.mean()), rtol=0, atol=6 * error)
    close(float(ours.square().mean()), d_k / 9, rtol=0, atol=5 * error)


@pytest.mark.parametrize(
    "wrong",
    [
        {"distribution": "cauchy"},
        {"initialisation": "xavier"},
        {"mean": math.nan},
        {"mean": math.inf},
        {"correlation": 1.01},
        {"correlation": math.nan},
    ],
)
def test_impossible_assumptions_are_refused(wrong) -> None:
    with pytest.raises((ValueError, TypeError)):  # the type checker of the tests comes first for names
        Assumptions(**wrong)


@pytest.mark.parametrize(("samples", "stops"), [(0, (1,)), (5, ()), (5, (0, 1)), (5, (2, 2)), (5, (4, 1))])
def test_impossible_draws_are_refused(samples, stops) -> None:
    with pytest.raises(ValueError, match="draw needs"):
        variance.draw("normal", 0, samples, stops)
    with pytest.raises(ValueError, match="first stop"):
        variance.first_components(variance.draw("normal", 0, 4, (2,)), Assumptions())


@pytest.mark.parametrize("skewed", [False, True])
def test_the_error_of_the_excess_is_how_far_it_strays_from_draw_to_draw(skewed: bool) -> None:
    draws = torch.randn(2000, 1500, generator=torch.Generator().manual_seed(5), dtype=torch.float64).abs().sqrt()
    moments = variance.moments(draws if skewed else draws * (torch.arange(1500) % 2 * 2 - 1))
    assert float(moments.excess.std()) == pytest.approx(float(moments.excess_error.mean()), rel=0.08)
