"""The laws drawn over the measurements: their curves against published constants, their points against brute force."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from attention_core.saturation import (
    D_K_STOPS,
    INPUT_SCALES,
    MEASURE_NAMES,
    Probe,
    Table,
    collect,
    factors,
    tabulate,
    untrained,
)
from pages.saturation.vanishing.laws import NORMS, STDS, TRACES, Law, law_figure, running_median, theory
from pages.saturation.vanishing.numbers import Place
from pages.saturation.vanishing.pictures import films
from ui.text import words

PAGE = words("vanishing", "en")
# The expected largest of n normals, and Zhai's bound at norms 5 and 10.
LARGEST = {8: 1.42360, 64: 2.34373}
CRITICAL_SQUARED = {8: 4.15888, 64: 8.31777}
LEAST = {8: {5.0: 0.205592, 10.0: 0.00186234}, 64: {5.0: 1.802616, 10.0: 0.029206}}


def place(rule: int = 0, d_k: int = 64, alpha: float = 1.0) -> Place:
    return Place(rule=rule, d_k=D_K_STOPS.index(d_k), alpha=INPUT_SCALES.index(alpha), head=0, query=0)


def layer(n: int) -> Probe:
    return untrained(torch.randn(n, 16, generator=torch.Generator().manual_seed(n)), seed=2)


def empty(n: int) -> Table:
    """A table of n tokens in which every number is its own place among all."""
    shape = (2, len(D_K_STOPS), len(INPUT_SCALES), len(MEASURE_NAMES), 12)
    numbers = torch.arange(1, 1 + math.prod(shape), dtype=torch.float32).reshape(shape) / math.prod(shape)
    return Table(numbers, torch.zeros(*shape[:3], 12, n))


@pytest.fixture(scope="module")
def small() -> tuple[Probe, Table]:
    probe = layer(8)
    return probe, collect(list(tabulate(probe)))


def laws(n: int) -> tuple[Law, ...]:
    return theory(layer(n), empty(n), place(), PAGE)


@pytest.mark.parametrize("n", [8, 64])
def test_the_curve_of_the_trace_is_the_expected_largest_over_the_spread(n: int) -> None:
    sigma, curve = laws(n)[0].curve
    assert_close(sigma * curve, np.full(len(sigma), LARGEST[n]), rtol=1e-5, atol=0)
    assert_close(sigma[0] ** 2, CRITICAL_SQUARED[n], rtol=1e-5, atol=0)


@pytest.mark.parametrize("n", [8, 64])
def test_the_norm_of_the_jacobian_is_marked_where_one_score_begins_to_win(n: int) -> None:
    line = laws(n)[1].line
    assert line is not None
    assert_close(line**2, CRITICAL_SQUARED[n], rtol=1e-5, atol=0)


@pytest.mark.parametrize("n", [8, 64])
def test_the_least_entropy_is_that_of_zhai(n: int) -> None:
    norms, least = laws(n)[2].curve
    for norm, expected in LEAST[n].items():
        entropy = np.exp(np.interp(math.log(norm), np.log(norms), np.log(np.maximum(least, 1e-300))))
        assert_close(float(entropy), expected, rtol=0.02, atol=0)
    assert_close(float(least[0]), math.log(n), rtol=1e-6, atol=1e-6)


def test_the_points_are_the_unscaled_stops_of_their_own_measures() -> None:
    own = empty(8)
    measured = {
        name: own.measures[0, :, :, MEASURE_NAMES.index(name)].flatten() for name in ("score_std", "trace", "frobenius")
    }
    of_trace, of_norm, _ = theory(layer(8), own, place(), PAGE)
    for law, name in ((of_trace, "trace"), (of_norm, "frobenius")):
        x, y = map(torch.from_numpy, law.points)
        assert len(x) == 2000
        stops = torch.searchsorted(measured["score_std"], x)
        assert_close(measured["score_std"][stops], x, rtol=0, atol=0)
        assert_close(measured[name][stops], y, rtol=0, atol=0)


@pytest.mark.parametrize(("rule", "d_k", "alpha"), [(0, 64, 1.0), (1, 256, 4.0), (0, 1024, 16.0)])
def test_the_rows_at_the_sliders_keep_to_the_least_entropy(small, rule: int, d_k: int, alpha: float) -> None:
    probe, own = small
    law = theory(probe, own, place(rule, d_k, alpha), PAGE)[2]
    factor = alpha**2 * (d_k**-0.5 if rule else 1.0)
    logits = factor * (probe.q[..., :d_k] @ probe.k[..., :d_k].mT).flatten(0, 1).double()
    expected = (logits - logits.mean(-1, keepdim=True)).square().sum(-1).sqrt()
    entropies = torch.distributions.Categorical(logits=logits).entropy()
    assert_close(torch.from_numpy(law.points[0]).double(), expected, rtol=1e-4, atol=1e-5)
    assert_close(torch.from_numpy(law.points[1]).double(), entropies, rtol=1e-3, atol=1e-5)
    least = np.interp(np.log(law.points[0]), np.log(law.curve[0]), law.curve[1])
    assert (law.points[1] >= least - 0.02).all()


def test_every_stop_of_both_sliders_is_on_the_axes(small) -> None:
    probe, own = small
    spread = own.measures[..., MEASURE_NAMES.index("score_std"), :]
    assert STDS[0] < float(spread.min()) and float(spread.max()) < STDS[1]
    norms = []
    for d_k in (D_K_STOPS[0], 64, D_K_STOPS[-1]):
        scores = probe.scores(d_k)
        sizes = torch.linalg.vector_norm(scores - scores.mean(dim=-1, keepdim=True), dim=-1)
        norms += [float(sizes.min()) * min(factors(d_k)), float(sizes.max()) * max(factors(d_k))]
    assert NORMS[0] < min(norms) and max(norms) < NORMS[1]
    for law in theory(probe, own, place(0, 1024, 16.0), PAGE):
        assert (law.points[0] >= law.x[0]).all() and (law.points[0] <= law.x[1]).all()
        assert law.curve[0].min() >= law.x[0] and law.curve[0].max() <= law.x[1] * (1 + 1e-9)


def test_a_point_beyond_an_axis_is_drawn_at_its_edge_and_told_where_it_is() -> None:
    law = Law(
        title="t",
        x_title="x",
        y_title="y",
        points=(np.array([0.0, 0.5, 1e9]), np.array([1e-40, 0.25, 0.0])),
        curve=(np.array([0.1, 10.0]), np.array([1.0, 0.1])),
        x=(1e-3, 1e5),
        y=TRACES,
        log_y=True,
        line=2.5,
    )
    figure = law_figure(law, "light")
    cloud, curve = figure.data
    assert_close(np.asarray(cloud.x, dtype=float), np.array([1e-3, 0.5, 1e5]))
    assert_close(np.asarray(cloud.y, dtype=float), np.array([1e-12, 0.25, 1e-12]))
    assert_close(np.asarray(cloud.customdata, dtype=float), np.stack(law.points, axis=-1))
    assert "customdata[0]" in cloud.hovertemplate and "customdata[1]" in cloud.hovertemplate
    assert_close(np.asarray(curve.y, dtype=float), law.curve[1])
    assert [shape.x0 for shape in figure.layout.shapes] == [2.5]
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "log")
    assert_close(np.array(figure.layout.xaxis.range, dtype=float), np.array([-3.0, 5.0]))


def test_the_running_median_is_that_of_each_tenth_of_a_decade() -> None:
    draw = np.random.default_rng(0)
    x, y = 10 ** draw.uniform(-2, 3, 500), draw.normal(size=500)
    median_x, median_y = running_median(np.append(x, 0.0), np.append(y, 1e9))
    tenths = [round(10 * math.log10(value)) for value in x]
    expected = {
        tenth: np.median([b for a, b in zip(tenths, y, strict=True) if a == tenth]) for tenth in sorted(set(tenths))
    }
    assert_close(np.log10(median_x) * 10, np.array([*expected], dtype=float))
    assert_close(median_y, np.array([*expected.values()]))


def test_the_ratio_of_a_single_row_is_drawn_beside_the_measured_ones(small) -> None:
    probe, own = small
    numbers = np.zeros((2, len(D_K_STOPS), len(INPUT_SCALES), 3 * len(MEASURE_NAMES)), np.float32)
    film = next(film for film in films(probe, own, numbers, place()) if film.name == "curves")
    assert_close(torch.from_numpy(film.values[..., -1]), torch.full(film.values.shape[:3], 7**-0.5))
