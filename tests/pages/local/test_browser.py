"""What a person does on the Local page: drag D and p_t, click a token, train; against torch."""

import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from ui.text import words

WORDS = words("local", "en")


def painted(page: Page, film: str, key: str = "local") -> torch.Tensor:
    return laboratory.film(page, key, film)


def slide(page: Page, name: str, stop: int, *, release: bool) -> None:
    laboratory.slide(page.locator(f".st-key-local [data-slider={name}] input"), stop, release=release)


@pytest.fixture
def opened(open_page):
    def opened(**options) -> Page:
        page = open_page("/local" if "url" not in options else "/", **options)
        page.locator(".st-key-local canvas").first.wait_for(timeout=60_000)
        page.wait_for_function(f"() => ({laboratory.HOST})('local')?.__headlight.frames")
        wait_idle(page)
        return page

    return opened


def expected(vectors, query: int, target: int, radius: int, center: float):
    """Softmax inside the window, times the Gaussian, and dL/dp_t by torch's autograd."""
    q, k, v = vectors
    s = torch.arange(len(k), dtype=torch.float64)
    outside = (s - center).abs() > radius
    alpha = ((k @ q[query]) / q.shape[-1] ** 0.5).masked_fill(outside, -torch.inf).softmax(dim=0)
    p = torch.tensor(center, dtype=torch.float64, requires_grad=True)
    weights = alpha * torch.exp(-((s - p) ** 2) / (2 * (radius / 2) ** 2))
    loss = 0.5 * ((weights @ v - v[target]) ** 2).sum()
    slope = float(torch.autograd.grad(loss, p)[0])
    return alpha.masked_fill(outside, torch.nan), weights.detach().masked_fill(outside, torch.nan), slope


def seen(page: Page, vectors, radius: int, center: float) -> None:
    alpha, weights, slope = expected(vectors, 9, 1, radius, center)
    assert_close(painted(page, "inside"), alpha, rtol=1e-5, atol=1e-7, equal_nan=True)
    assert_close(painted(page, "weights"), weights, rtol=1e-5, atol=1e-7, equal_nan=True)
    row_sum = laboratory.read_out(page, "local", WORDS["number.row_sum"])
    assert_close(row_sum, float(weights.nansum()), rtol=1e-3, atol=0)
    for name in ("autograd", "closed", "difference"):
        assert_close(laboratory.read_out(page, "local", WORDS[f"number.{name}"]), slope, rtol=1e-3, atol=1e-6)


def test_under_the_finger_everything_is_torchs_and_nothing_is_asked(opened, vectors) -> None:
    page = opened()
    seen(page, vectors, 3, 9.0)
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    before = page.evaluate(f"() => ({laboratory.HOST})('local').__headlight.frames")
    for stop in (2, 17, 30):
        slide(page, "center", stop, release=False)
        seen(page, vectors, 3, stop / 4)
    assert page.evaluate(f"() => ({laboratory.HOST})('local').__headlight.frames") >= before + 3
    assert "lo_p" not in page.url and not sent
    slide(page, "center", 30, release=True)
    assert "lo_p=7.5" in page.url
    for stop in (0, 12):
        slide(page, "radius", stop, release=False)
        seen(page, vectors, stop + 1, 7.5)
    slide(page, "radius", 12, release=True)
    assert "lo_D=13" in page.url
    assert laboratory.read_out(page, "local", WORDS["number.apart"]) == 0  # D = n: the softmax of global attention
    seen(page, vectors, 13, 7.5)


def test_the_link_opens_the_same_picture(opened, vectors) -> None:
    page = opened()
    slide(page, "radius", 4, release=True)
    slide(page, "center", 21, release=True)
    again = opened(url=page.url)
    seen(again, vectors, 5, 5.25)


def test_the_map_follows_its_switch_and_a_click_chooses_the_query(opened, vectors) -> None:
    page = opened()
    window = painted(page, "maps").view(13, 13)
    places = torch.arange(13)
    assert (window.isnan() == ((places[:, None] - places).abs() > 3)).all()
    page.locator(".st-key-local").get_by_role("radio", name=WORDS["kinds.local_p"]).click()
    wait_painted(page)
    predicted = painted(page, "maps").view(13, 13)
    centers = painted(page, "predicted") - 1  # the page counts positions from 1
    assert (predicted.isnan() == ((places - centers[:, None]).abs() > 3)).all()
    assert "lo_kind=local_p" in page.url
    canvas = page.locator(".st-key-local [data-name=map] canvas")
    box = page.evaluate(f"() => ({laboratory.HOST})('local').__headlight.boxes().map.box")
    side = box["w"] / 13
    canvas.click(position={"x": box["x"] + 6.5 * side, "y": box["y"] + 4.5 * side})
    wait_painted(page)
    assert "focus=4%2C6" in page.url
    alpha, _, _ = expected(vectors, 4, 6, 3, 4.0)
    assert_close(painted(page, "inside"), alpha, rtol=1e-5, atol=1e-7, equal_nan=True)  # p_t = t follows the query


def test_arrow_keys_move_the_sliders(opened, vectors) -> None:
    page = opened()
    slider = page.locator(".st-key-local [data-slider=radius] input")
    slider.focus()
    slider.press("ArrowRight")
    wait_painted(page)
    seen(page, vectors, 4, 9.0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_screen_holds_sliders_and_pictures(opened, language) -> None:
    page = opened(language=language)
    for name in ("controls", "readouts", "row", "slope", "map"):
        box = page.locator(f".st-key-local [data-name={name}]").bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 900, name


def test_a_training_begins_shows_its_steps_and_stops(opened) -> None:
    page = opened()
    page.wait_for_function(f"() => ({laboratory.HOST})('align_lab')?.__headlight.frames", timeout=120_000)  # recorded
    page.locator(".st-key-align_start button").click()
    page.locator(".st-key-align_stop button").wait_for(timeout=60_000)
    slide(page, "center", 8, release=True)  # the rest of the page stays awake
    assert "lo_p=2" in page.url
    page.locator(".st-key-align_stop button").click()
    page.locator(".st-key-align_start button:enabled").wait_for(timeout=120_000)
    length = 16
    maps = painted(page, "maps", "align_lab").view(4, length, length)
    t = torch.arange(length)
    assert maps[0][(t[:, None] - t).abs() > 2].isnan().all()
    assert_close(painted(page, "centers", "align_lab").view(4, length)[0], t.double())


@pytest.mark.parametrize(("width", "name"), [(390, "row"), (390, "map"), (1440, "map")])
def test_a_note_below_its_title_keeps_clear_of_the_picture(opened, width, name) -> None:
    page = opened(width=width, height=3000)
    page.evaluate(
        """() => {
            window.written = [];
            const { fillText } = CanvasRenderingContext2D.prototype;
            CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
                const { e, f, b, a } = this.getTransform();
                const right = (b ? 0 : x) + this.measureText(text).width;
                const { clientWidth: wide, parentElement: figure } = this.canvas;
                window.written.push([figure?.dataset.name, text, b ? null : x, b ? f / a : y, right, wide]);
                fillText.call(this, text, x, y);
            };
        }"""
    )
    page.set_viewport_size({"width": width + 2, "height": 3000})  # what stays still under a finger is written anew
    wait_painted(page)
    places = [place for place in page.evaluate("() => window.written") if place[0] == name]
    note = [place for place in places if place[2] == 0 and place[1] in WORDS[f"{name}_note"]]
    assert "".join(text for _, text, *_ in note).replace(" ", "") == WORDS[f"{name}_note"].replace(" ", "")
    assert min(y for _, _, _, y, *_ in note) > 26  # below the title
    assert all(right <= wide for *_, right, wide in note)
    box = page.evaluate(f"() => ({laboratory.HOST})('local').__headlight.boxes()['{name}'].box")
    longest = 0.7 * 45 if name == "map" else 0  # the names of its columns lean
    assert max(y for _, _, _, y, *_ in note) + 3 < box["y"] - longest
