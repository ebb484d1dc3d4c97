"""What a person does on the page Long range: drag the distance, read the gradient; race, and scrub the clock."""

import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.recurrent import layer
from pages.training.long_range.reach.numbers import BATCH, REACHED, SEEDS, WIDTH
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.harness.laboratory import RERUNS
from ui.text import words

SHARED, PAGE = words("training", "en"), words("long_range", "en")


@pytest.fixture
def opened(open_page):
    def opened(**query: str) -> Page:
        page = open_page("/long-range", query=query)
        for key in ("lg_reach", "lg_lab"):
            page.wait_for_function(f"() => ({laboratory.HOST})('{key}')?.__headlight.frames", timeout=60_000)
        wait_idle(page)
        return page

    return opened


def handle(page: Page, key: str, name: str):
    return page.locator(f".st-key-{key} [data-slider={name}] input")


def gradients(n: int) -> torch.Tensor:
    """log₁₀ of an LSTM's reach by torch.nn.LSTM, torch.func and nothing of ours but the weights: the seeds' median."""
    curves = []
    for seed in range(SEEDS):
        module = layer("lstm", WIDTH, WIDTH, stream(seed, "weights")).double()
        x = torch.randn(BATCH, n, WIDTH, generator=stream(seed, "x")).double()
        r = torch.randn(BATCH, WIDTH, generator=stream(seed, "direction"), dtype=torch.float64)
        slope = torch.func.grad(lambda x, module=module, r=r: (module(x)[1][0][0] * r).sum())(x)
        size = slope.norm(dim=-1).mean(dim=0).flip(0)
        curves.append((size / size[0]).log10())
    return torch.stack(curves).median(dim=0).values


def test_under_the_finger_stands_what_torch_finds_and_nothing_is_asked(opened) -> None:
    page = opened(lg_source="noise", lg_n="24")
    expected, column = gradients(24), 3 * REACHED.index("lstm")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(RERUNS)
    for distance in (0, 5, 17, 23):
        laboratory.slide(handle(page, "lg_reach", "distance"), distance)
        shown = laboratory.film(page, "lg_reach", "reach")[column]
        assert_close(shown, expected[distance], rtol=1e-5, atol=1e-6)
    laboratory.slide(handle(page, "lg_reach", "n"), 2)  # 4, 8, 16, 24, …
    assert laboratory.film(page, "lg_reach", "counts").tolist() == [16, 1, 15, 7, 1]
    assert not asked and page.evaluate("() => window.__reruns") == 0
    laboratory.slide(handle(page, "lg_reach", "distance"), 17, release=True)
    assert "lg_distance=17" in page.url


def test_a_race_is_started_and_its_clock_scrubbed(opened) -> None:
    page = opened(lg_length="64", lg_seconds="2", lg_models="attention,lstm")
    page.locator(".st-key-lg_buttons").get_by_role("button", name=SHARED["train_yourself"], exact=True).click()
    page.get_by_text(PAGE["state.ended"]).wait_for(timeout=120_000)
    wait_painted(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(RERUNS)
    accuracy, looks, needle = [], [], laboratory.film(page, "lg_lab", "needle attention").nan_to_num() == 1
    for part in (0, 60):
        laboratory.slide(handle(page, "lg_lab", "step"), part)
        accuracy.append(laboratory.film(page, "lg_lab", "curves")[:2])
        looks.append(laboratory.film(page, "lg_lab", "weights attention"))
    assert not asked and page.evaluate("() => window.__reruns") == 0
    assert_close(torch.stack(looks).sum(dim=-1), torch.ones(2, dtype=torch.float64), rtol=0, atol=2e-3)
    assert int(needle.sum()) == 1
    # Chance is 1/8. At the end the LSTM is where it was, and the line of attention may have ended before.
    assert (accuracy[0] < 0.4).all() and accuracy[1][1] < 0.4
    assert (looks[0] - looks[1]).abs().max() > 0.01
    page.locator("[data-testid=stDataFrame]").first.wait_for()


def test_what_is_typed_stands_as_text_beside_the_distance(opened) -> None:
    page = opened(text="<img src=x onerror='window.__hit=1'> law")
    slider = handle(page, "lg_reach", "distance")
    stops = int(slider.get_attribute("max") or 0)
    seen = []
    for stop in range(stops + 1):
        laboratory.slide(slider, stop)
        seen.append(page.locator(".st-key-lg_reach [data-slider=distance] output").inner_text())
    assert seen[0] == "0 · law" and any("<" in label for label in seen)
    assert page.evaluate("() => window.__hit") is None
