"""What a person does on the page about hard and soft attention: drag N, draw and temperature, race; against torch."""

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page
from torch.testing import assert_close

from pages.mechanisms.hard_soft.draws import COUNTS, DRAWS
from pages.mechanisms.hard_soft.numbers import TEMPERATURES
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from ui.text import words

WORDS = words("hard_soft", "en")
DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")
QUERY, TARGET = 9, 1  # it, animal


def painted(page: Page, film: str, key: str = "hard_samples") -> torch.Tensor:
    return laboratory.film(page, key, film)


def slide(page: Page, key: str, name: str, stop: int, *, release: bool) -> None:
    laboratory.slide(page.locator(f".st-key-{key} [data-slider={name}] input"), stop, release=release)


@pytest.fixture
def opened(open_page):
    def opened(**options) -> Page:
        page = open_page("/hard-soft" if "url" not in options else "/", **options)
        page.locator(".st-key-hard_gradient canvas").first.wait_for(timeout=60_000)
        page.wait_for_function(f"() => ({laboratory.HOST})('hard_gradient')?.__headlight.frames")
        wait_idle(page)
        return page

    return opened


def theta(vectors, temperature: float) -> torch.Tensor:
    q, k, _ = vectors
    return (k @ q[QUERY]) / (q.shape[-1] ** 0.5 * temperature)


def test_samples_follow_the_finger_and_settle_on_the_weights(opened, vectors) -> None:
    page = opened()
    alpha, v = torch.softmax(theta(vectors, 1.0), dim=0), vectors[2]
    assert_close(painted(page, "alpha"), alpha, rtol=1e-5, atol=1e-7)
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    for draw in (0, 7):
        slide(page, "hard_samples", "draw", draw, release=False)
        for count in (1, 64, 4096):
            slide(page, "hard_samples", "count", COUNTS.index(count), release=False)
            share = painted(page, "share")
            drawn = (share * count).round()
            assert_close(drawn / count, share, rtol=0, atol=1e-6)  # whole draws
            assert_close(float(drawn.sum()), float(count))
            assert_close(painted(page, "mean"), share @ v, rtol=1e-4, atol=1e-5)
            last = painted(page, "last")
            assert last.sum() == 1 and drawn[last.argmax()] >= 1
            assert ((share - alpha).abs() <= 4.5 * (alpha * (1 - alpha) / count).sqrt() + 1.0 / count).all()
    assert not sent and "hs_N" not in page.url
    chi = float(((drawn - 4096 * alpha) ** 2 / (4096 * alpha)).sum())
    assert_close(laboratory.read_out(page, "hard_samples", WORDS["sampled.chi"]), chi, rtol=2e-3, atol=0)
    chance = float(torch.special.gammaincc(torch.tensor(6.0).double(), torch.tensor(chi / 2).double()))
    assert_close(laboratory.read_out(page, "hard_samples", WORDS["sampled.chance"]), chance, rtol=5e-3, atol=0)
    slide(page, "hard_samples", "count", COUNTS.index(4096), release=True)
    assert "hs_N=4096" in page.url and "hs_draw=8" in page.url
    assert_close(painted(page, "share"), share)


def test_temperature_zero_is_the_arg_max(opened, vectors) -> None:
    page = opened()
    slide(page, "hard_samples", "temperature", 0, release=False)
    one_hot = F.one_hot(theta(vectors, 1.0).argmax(), 13).double()
    for film in ("alpha", "share", "last"):
        assert_close(painted(page, film), one_hot)
    assert_close(painted(page, "mean"), vectors[2][one_hot.argmax()], rtol=1e-5, atol=1e-6)
    slide(page, "hard_samples", "temperature", 0, release=True)
    assert "hs_T=0" in page.url
    assert_close(painted(page, "slope", "hard_gradient"), torch.zeros(13, dtype=torch.float64))


def test_both_sides_of_the_bound_and_the_gradient_are_torchs(opened, vectors) -> None:
    page = opened()
    v = vectors[2]
    ell = torch.log_softmax(v @ v.mT / v.shape[-1] ** 0.5, dim=-1)[:, TARGET]
    for stop in (TEMPERATURES.index(0.25), TEMPERATURES.index(4.0)):
        slide(page, "hard_gradient", "temperature", stop, release=False)
        logits = theta(vectors, TEMPERATURES[stop]).requires_grad_()
        alpha = torch.softmax(logits, dim=0)
        low, high = (alpha * ell).sum(), (alpha * ell.exp()).sum().log()
        assert_close(painted(page, "slope", "hard_gradient"), torch.autograd.grad(low, logits)[0], rtol=1e-4, atol=1e-6)
        shown = [laboratory.read_out(page, "hard_gradient", WORDS[f"exact.{name}"]) for name in ("bound", "likelihood")]
        assert_close(shown, [float(low.detach()), float(high.detach())], rtol=1e-3, atol=0)
        assert shown[0] <= shown[1]


def test_the_estimate_comes_closer_with_samples_and_with_a_baseline(opened, vectors) -> None:
    page = opened()
    exact = painted(page, "slope", "hard_gradient")
    off = {}
    for name in ("none", "moving"):
        page.locator(".st-key-hard_gradient").get_by_role("radio", name=WORDS[f"baselines.{name}"], exact=True).click()
        wait_painted(page)
        for count in (64, 4096):
            squares = []
            for draw in range(0, DRAWS, 3):
                slide(page, "hard_gradient", "draw", draw, release=False)
                slide(page, "hard_gradient", "count", COUNTS.index(count), release=False)
                squares.append(float((painted(page, "estimate", "hard_gradient") - exact).square().sum()))
            off[name, count] = sum(squares) / len(squares)
    assert off["moving", 64] < 0.6 * off["none", 64]
    for name in ("none", "moving"):
        assert off[name, 4096] < off[name, 64] / 16  # 64 expected
    assert laboratory.read_out(page, "hard_gradient", WORDS["ratio"]) < 0.6


def test_the_link_opens_the_same_samples(opened) -> None:
    page = opened()
    slide(page, "hard_samples", "draw", 4, release=True)
    slide(page, "hard_samples", "temperature", TEMPERATURES.index(2.0), release=True)
    again = opened(url=page.url)
    assert_close(painted(again, "share"), painted(page, "share"))
    assert_close(painted(again, "estimate", "hard_gradient"), painted(page, "estimate", "hard_gradient"))
    assert page.evaluate(f"() => ({laboratory.HOST})('hard_gradient').__headlight.at().draw") == 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_screen_holds_sliders_and_pictures(opened, language) -> None:
    page = opened(language=language)
    for name in ("controls", "numbers", "alpha", "last", "share", "mean", "funnel"):
        box = page.locator(f".st-key-hard_samples [data-name={name}]").bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 900, name


def test_a_click_chooses_the_token_to_be_named(opened) -> None:
    page = opened()
    box = page.evaluate(f"() => ({laboratory.HOST})('hard_samples').__headlight.boxes().alpha.box")
    canvas = page.locator(".st-key-hard_samples [data-name=alpha] canvas")
    canvas.click(position={"x": box["x"] + box["w"] * 7.5 / 13, "y": box["y"] + box["h"] - 4})
    wait_painted(page)
    assert "focus=9%2C7" in page.url
    ell = painted(page, "ell", "hard_gradient")
    assert ell.argmax() == 7  # a token names itself best


def test_the_race_runs_beside_the_page_and_stops(opened) -> None:
    page = opened()
    page.wait_for_function(f"() => ({laboratory.HOST})('race_lab')?.__headlight.frames", timeout=120_000)  # recorded
    page.locator(".st-key-race_start button").click()
    page.locator(".st-key-race_stop button").wait_for(timeout=60_000)
    slide(page, "hard_samples", "draw", 9, release=True)  # the rest of the page stays awake
    assert "hs_draw=10" in page.url
    stop = page.locator(".st-key-race_stop button")
    if stop.is_enabled():
        stop.click()
    page.locator(".st-key-race_start button:enabled").wait_for(timeout=120_000)
    shown = painted(page, "race", "race_lab")
    assert 0 <= float(shown[0]) <= 1
    assert float(shown[3]) <= float(shown[6]) + 1e-6  # L_s ≤ log p
