"""What a person does in Time series: train, scrub, choose a time step, bring a file; against torch and the core."""

import math
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page, expect
from torch.testing import assert_close

from attention_core.experiments.series import NOISE, Series
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.harness.laboratory import RERUNS
from ui.text import words

SHARED, PAGE = words("training", "en"), words("time_series", "en")
DONE = re.compile(SHARED["ended"].partition("{")[0])
LAB = "ts_lab"
QUERY = {"ts_steps": "10", "ts_past": "24", "ts_models": "attention", "ts_seeds": "2"}
CONFIG = Series(model="attention", past=24, horizon=12, steps=10, every=1, world=1)


def film(page: Page, name: str) -> torch.Tensor:
    return laboratory.film(page, LAB, name)


def slide(page: Page, name: str, stop: int, *, release: bool = False) -> None:
    laboratory.slide(page.locator(f".st-key-{LAB} [data-slider={name}] input"), stop, release=release)


@pytest.fixture
def opened(open_page):
    def opened(**query: str) -> Page:
        page = open_page("/time-series", query=query)
        page.wait_for_function(
            f"() => [...document.querySelectorAll('.st-key-{LAB} *')].find((n) => n.__headlight)?.__headlight.frames",
            timeout=60_000,
        )
        wait_idle(page)
        return page

    return opened


def test_train_scrub_and_choose_a_time_step(opened) -> None:
    page = opened(**QUERY)
    untouched = CONFIG.shown(CONFIG.build())
    assert_close(film(page, "weights"), untouched["weights"][0, 0, 0].double(), rtol=0, atol=4e-3)
    page.locator(".st-key-ts_buttons").get_by_role("button", name=SHARED["start"], exact=True).click()
    page.get_by_text(DONE).wait_for(timeout=120_000)
    wait_painted(page)
    runs = [{r.step: r for r in replace(CONFIG, seed=seed, every=5).records()} for seed in (0, 1)]
    std = float(CONFIG.series()[:2800].std())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(RERUNS)
    for step in (10, 5, 0):
        slide(page, "step", step)
        for ahead in (0, 7):
            slide(page, "ahead", ahead)
            weights = film(page, "weights")
            assert_close(weights, runs[0][step].arrays["weights"][0, 0, ahead].double(), rtol=0, atol=4e-3)
            assert abs(float(weights.sum()) - 1) < 0.02
            arrays = [records[step].arrays for records in runs]
            both = torch.stack([stored["forecast"][0] - stored["past"][0].mean() for stored in arrays]).double() * std
            truth = float(arrays[0]["future"][0, ahead] - arrays[0]["past"][0].mean()) * std
            drawn = film(page, "own")
            expected = [truth, float(both[:, ahead].mean()), float(both[:, ahead].min()), float(both[:, ahead].max())]
            assert_close(drawn[[0, 2, 3, 4]], torch.tensor(expected, dtype=torch.float64), rtol=1e-4, atol=1e-4)
    assert not asked and page.evaluate("() => window.__reruns") == 0
    # The error drawn at the last step is torch's own mean squared error on the final forecasts, over both seeds.
    slide(page, "step", 10)
    _, (past, future), _ = CONFIG.windows()
    errors = []
    for records in runs:
        model = CONFIG.build()
        model.load_state_dict(dict(records[10].state))
        with torch.no_grad():
            errors.append(float(F.mse_loss(model(past)[0], future)) * (std / NOISE) ** 2)
    drawn = 10 ** film(page, "errors")[6:9]  # after linear and DLinear
    expected = [sum(errors) / 2, min(errors), max(errors)]
    assert_close(drawn, torch.tensor(expected, dtype=torch.float64), rtol=1e-4, atol=0)
    slide(page, "step", 4, release=True)
    assert "ts_step=4" in page.url and "ts_ahead=8" in page.url


def test_a_file_of_ones_own_and_a_bad_one(opened, tmp_path) -> None:
    values = [10 + 3 * math.sin(n * math.pi / 6) + 0.02 * n + 0.3 * math.sin(n * n) for n in range(300)]
    (tmp_path / "good.csv").write_text("t,<b>x</b>\n" + "\n".join(f"d{n},{v:.5f}" for n, v in enumerate(values)))
    (tmp_path / "bad.csv").write_bytes(b"\0\1\2\3")
    page = opened(ts_source="own", ts_past="24", ts_steps="16", ts_models="frequency")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "good.csv")
    expect(page.get_by_text("300 numbers of")).to_be_visible(timeout=30_000)
    wait_painted(page)
    x = torch.tensor([float(f"{v:.5f}") for v in values])
    start = 210 + 24
    expected = (x[start] - x[start - 24 : start].mean()).double()
    assert_close(film(page, "forecast")[0], expected, rtol=1e-4, atol=1e-3)
    assert page.locator("b", has_text=re.compile("^x$")).count() == 0
    page.locator("input[type=file]").first.set_input_files(tmp_path / "bad.csv")
    expect(page.get_by_text(PAGE["refused.binary"])).to_be_visible(timeout=30_000)
    wait_idle(page)
    assert_close(film(page, "forecast")[0], expected, rtol=1e-4, atol=1e-3)
