"""Period, classical decomposition, bends and continued lines: against NumPy and series whose parts are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.decomposition import bends, classical, continued, strongest_period
from attention_core.experiments.series import NOISE, Series, made_series, pieces
from attention_core.experiments.store import load_records, save_records


def wave(period: float, n: int) -> torch.Tensor:
    return torch.sin(2 * torch.pi * torch.arange(n, dtype=torch.float64) / period)


def noise(n: int) -> torch.Tensor:
    return torch.randn(n, generator=stream(0, "noise"), dtype=torch.float64)


def test_the_period_of_a_sine_under_a_trend_and_noise_is_found_and_of_noise_there_is_none() -> None:
    line = 0.01 * torch.arange(600, dtype=torch.float64)
    assert strongest_period(wave(24, 600) + line, 96) == 24
    assert strongest_period(wave(7, 600) + 0.3 * noise(600) - line, 96) == 7  # and not 14, 21 …
    assert strongest_period(wave(24, 600) + 0.5 * wave(32, 600), 96) == 96  # only there both repeat
    assert strongest_period(noise(500), 96) == 1
    assert strongest_period(torch.ones(500), 96) == 1
    assert strongest_period(line, 96) == 1
    assert strongest_period(wave(3, 9), 96) in (1, 3)


@pytest.mark.parametrize("most", [24, 48])
@pytest.mark.parametrize("n", [400, 2800])
def test_slow_waves_and_noise_with_a_memory_have_no_period_that_fits(most: int, n: int) -> None:
    for seed in range(12):
        draw = torch.randn(n, generator=stream(seed, "noise"), dtype=torch.float64)
        slow = [draw[:1]]
        for shock in draw[1:]:
            slow.append(0.99 * slow[-1] + shock)
        cases = {"white": draw, "AR(1)": torch.cat(slow), "walk": draw.cumsum(0)}
        cases |= {f"sine of {p}": wave(p, n) + 0.1 * draw for p in (120, 168, 365)}
        assert {name: strongest_period(x, most) for name, x in cases.items()} == dict.fromkeys(cases, 1)


def test_the_three_parts_are_numpys_moving_average_and_phase_means_and_add_up() -> None:
    x = wave(12, 200) + 0.02 * torch.arange(200) + 0.1 * noise(200)
    parts = classical(x, 30)
    padded = np.pad(x.numpy(), 15, mode="edge")
    slow = np.convolve(padded, np.ones(31) / 31, mode="valid")
    means = np.array([(x.numpy() - slow)[phase::30].mean() for phase in range(30)])
    assert_close(parts.trend, torch.from_numpy(slow))
    assert_close(parts.season, torch.from_numpy((means - means.mean())[np.arange(200) % 30]))
    assert_close(parts.trend + parts.season + parts.rest, x)
    assert float(classical(x, 1).season.abs().max()) == 0.0


def test_bends_of_a_long_series_are_found_within_two_blocks() -> None:
    x = torch.cat([0.02 * torch.arange(1200.0), 24 - 0.03 * torch.arange(800.0), 0.05 * torch.arange(1000.0)])
    x = x + 0.3 * noise(3000)
    places = bends(x)  # blocks of 8
    assert len(places) == 2 and abs(places[0] - 1200) <= 16 and abs(places[1] - 2000) <= 16
    assert bends(0.02 * torch.arange(3000.0) + 0.3 * noise(3000)) == []


def test_built_in_changes_are_found_about_as_often_as_the_report_says() -> None:
    """Recall 29/37, precision 29/35. A bend of nearly equal slopes cannot be found by anybody."""
    hits, built, marked = 0, 0, 0
    for seed in range(5):
        x = made_series(seed).double()
        changes, places = pieces(seed).changes, bends(x - classical(x, 96).season)
        hits += sum(any(abs(one - other) <= 60 for other in places) for one in changes)
        built, marked = built + len(changes), marked + len(places)
    assert hits / built > 0.6 and hits / marked > 0.6


def test_a_continued_line_is_polyfits_and_the_season_goes_on() -> None:
    t = np.arange(480)
    season = np.tile([1.0, -1.0, 0.0, 0.0], 120)
    x = torch.from_numpy(0.05 * t + season)
    truth = 0.05 * np.arange(480, 500) + np.tile([1.0, -1.0, 0.0, 0.0], 5)
    assert_close(continued(x, 20, 4, 0), torch.from_numpy(truth), rtol=0, atol=0.05)  # 25 points are no whole period
    y = noise(100)
    expected = np.polyval(np.polyfit(np.arange(40, 100), y.numpy()[40:], 1), np.arange(100, 110))
    assert_close(continued(y, 10, 1, 40), torch.from_numpy(expected))


def test_pieces_add_up_and_each_can_be_switched_off() -> None:
    whole = pieces(3)
    assert_close((whole.trend + whole.season + whole.noise).float(), made_series(3), rtol=0, atol=0)
    assert abs(float(whole.noise.std()) - NOISE) < 0.02
    flat = pieces(3, slope=0.0, season=0.0)
    assert float(flat.trend.abs().max()) == 0 and float(flat.season.abs().max()) == 0
    line = pieces(3, segment=0).trend
    assert_close(line.diff(n=2), torch.zeros(3998, dtype=torch.float64), rtol=0, atol=1e-9)
    assert pieces(3, segment=0).changes == ()
    slopes = pieces(3, segment=150).trend.diff()
    changed = (slopes.diff().abs() > 1e-6).nonzero()[:, 0] + 2
    assert tuple(changed.tolist()) == pieces(3, segment=150).changes
    assert all(90 <= later - earlier <= 210 for earlier, later in zip((0, *changed), changed, strict=False))


SMALL = Series(past=24, horizon=12, steps=3, every=3, points=400, batch=8)


def test_runs_of_several_seeds_forecast_one_series() -> None:
    first, second = (replace(SMALL, world=5, seed=seed) for seed in (0, 1))
    assert_close(first.series(), made_series(5, 400), rtol=0, atol=0)
    assert_close(second.series(), made_series(5, 400), rtol=0, atol=0)
    (*_, a), (*_, b) = first.records(), second.records()
    assert float((a.arrays["forecast"] - b.arrays["forecast"]).abs().max()) > 0.01
    assert_close(SMALL.series(), made_series(0, 400), rtol=0, atol=0)


def test_a_series_of_ones_own_is_measured_in_its_own_units() -> None:
    values = tuple(float(value) for value in (10 * wave(12, 200) + 50 + noise(200)).float())
    config = replace(SMALL, values=values, world=0)
    assert config.unit() == 1.0
    *_, last = config.records()
    x = np.array(values, dtype=np.float32)
    x = (x - x[:140].mean()) / x[:140].std(ddof=1)
    windows = np.lib.stride_tricks.sliding_window_view(x[140:], 36)
    model = config.build()
    model.load_state_dict(dict(last.state))
    with torch.no_grad():
        away = model(torch.from_numpy(windows[:, :24].copy()))[0].numpy() - windows[:, 24:]
    assert abs(last.accuracy - (away**2).mean()) < 1e-5
    assert abs(last.measures["mae"] - np.abs(away).mean()) < 1e-5
    shown = windows[[0, 6, 12, 18]]  # 25 windows, four of them
    assert_close(last.arrays["past"], torch.from_numpy(shown[:, :24].copy()), rtol=1e-5, atol=1e-5)
    again, records = load_records(save_records(config, [replace(last, state={})]))
    assert again == config and records[0].accuracy == last.accuracy


def test_the_measures_of_a_made_series_are_in_units_of_its_noise() -> None:
    config = replace(SMALL, model="linear", noise=0.6)
    *_, last = config.records()
    x = made_series(0, 400, noise=0.6).numpy()
    x = (x - x[:280].mean()) / x[:280].std(ddof=1)
    scale = made_series(0, 400, noise=0.6).numpy()[:280].std(ddof=1) / 0.6
    windows = np.lib.stride_tricks.sliding_window_view(x, 36)
    for part, key in ((windows[280:], "mae"), (windows[:245], "learned")):
        away = part[:, :24] @ last.state["out.weight"].numpy().T + last.state["out.bias"].numpy() - part[:, 24:]
        expected = np.abs(away).mean() * scale if key == "mae" else (away**2).mean() * scale**2
        assert abs(last.measures[key] / expected - 1) < 1e-4
