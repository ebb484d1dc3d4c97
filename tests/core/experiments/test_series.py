"""Series: decomposition, Wiener–Khinchin and segmentation against sums and enumeration; who beats whom."""

import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.decomposition import autocorrelation, change_points, trend
from attention_core.experiments.series import MODELS, NAIVE_PERIOD, NOISE, Series, made_series, seasonal_naive
from tests.core.experiments.test_base import same


@pytest.mark.slow
def test_a_frequency_block_and_a_linear_layer_with_a_trend_beat_seasonal_naive() -> None:
    """About 4.0 (naive), 1.6 (DLinear) and 1.4 (frequency block) times the noise; here seed 1."""
    _, (past, future), spread = Series(seed=1).windows()
    naive = float((seasonal_naive(past, 48) - future).square().mean()) * (spread / NOISE) ** 2
    for model in ("frequency", "linear+trend"):
        *_, last = Series(model=model, seed=1, every=400).records()
        assert 1.0 < last.accuracy < 0.75 * naive


@pytest.mark.parametrize("model", MODELS)
def test_same_seed_same_records(model) -> None:
    config = Series(model=model, steps=2, every=1, past=29, horizon=7, d=12, batch=5, points=211)
    for a, b in zip(config.records(), config.records(), strict=True):
        same(a, b)


def test_trend_is_the_moving_average_and_a_sine_of_its_width_has_none() -> None:
    x = torch.randn(3, 31, generator=stream(0, "x"), dtype=torch.float64)
    padded = np.pad(x.numpy(), ((0, 0), (2, 2)), mode="edge")
    expected = np.stack([np.convolve(row, np.ones(5) / 5, mode="valid") for row in padded])
    assert_close(trend(x, 5), torch.from_numpy(expected))
    wave = torch.sin(2 * torch.pi * torch.arange(200, dtype=torch.float64) / 25)
    assert float(trend(wave, 25)[12:-12].abs().max()) < 1e-12
    with pytest.raises(ValueError, match="odd width"):
        trend(x, 4)


def test_wiener_khinchin() -> None:
    q, k = torch.randn(2, 31, generator=stream(0, "x"), dtype=torch.float64)
    direct = [sum(float(q[t] * k[(t - lag) % 31]) for t in range(31)) / 31 for lag in range(31)]
    assert_close(autocorrelation(q, k), torch.tensor(direct, dtype=torch.float64), rtol=0, atol=1e-10)
    wave = torch.sin(2 * torch.pi * torch.arange(96, dtype=torch.float64) / 24)
    assert int(autocorrelation(wave, wave)[1:49].argmax()) + 1 in (24, 48)


@pytest.mark.parametrize("penalty", [float(value) for value in np.geomspace(0.01, 10, 19)])
def test_change_points_are_the_best_of_all_segmentations(penalty) -> None:
    x = torch.cat([torch.arange(5.0), 4 - 2 * torch.arange(4.0)]) + 0.3 * torch.randn(9, generator=stream(0, "x"))

    def cost(cuts: tuple[int, ...]) -> float:
        total = 0.0
        for start, end in itertools.pairwise((0, *cuts, 9)):
            if end - start < 2:
                return float("inf")
            t = np.arange(start, end)
            line = np.polyval(np.polyfit(t, x[start:end].numpy(), 1), t)
            total += float(((x[start:end].numpy() - line) ** 2).sum())
        return total + penalty * len(cuts)

    every = [cuts for count in range(5) for cuts in itertools.combinations(range(1, 9), count)]
    assert tuple(change_points(x, penalty)) == min(every, key=cost)


def test_a_long_series_shows_its_bends() -> None:
    x = torch.cat([0.02 * torch.arange(300.0), 6 - 0.03 * torch.arange(200.0), 0.05 * torch.arange(100.0)])
    x = x + 0.1 * torch.randn(600, generator=stream(0, "x"))
    places = change_points(x, penalty=0.3, least=11)
    assert len(places) == 2
    assert abs(places[0] - 300) < 25
    assert abs(places[1] - 500) < 3


def test_the_series_and_the_naive_forecast() -> None:
    values = made_series(3)
    assert values.shape == (4000,)
    assert_close(made_series(3), values, rtol=0, atol=0)
    clean = torch.sin(2 * torch.pi * torch.arange(300.0) / NAIVE_PERIOD)
    assert_close(seasonal_naive(clean[:200], 100), clean[200:], rtol=0, atol=1e-4)


def test_windows_never_look_ahead() -> None:
    (past, _), (test_past, _), _ = Series(points=1000).windows()
    assert (past.shape, test_past.shape) == ((557, 96), (157, 96))
    assert_close(past[1:, :-1], past[:-1, 1:])
    with pytest.raises(ValueError, match="model must be"):
        Series(model="lstm")
