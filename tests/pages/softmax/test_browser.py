"""What a person does on the page about softmax: drag a slider, pull a bar, and read what was painted; against torch."""

import re

import pytest
import torch
from playwright.sync_api import Locator, Page
from torch.testing import assert_close

from tests.harness.browser import component, wait_frames, wait_idle, wait_painted, wait_sent
from tests.harness.pixels import sent
from tests.harness.training import number
from ui.text import words

WORDS = words("softmax", "en")
HOST = """(key) => [...document.querySelectorAll(`.st-key-${key} *`)].find((node) => node.__headlight)"""


def painted(page: Page, key: str, film: str) -> torch.Tensor:
    """The numbers of a film as they were last drawn."""
    values = page.evaluate(f"([key, film]) => ({HOST})(key).__headlight.frame(film)", [key, film])
    return torch.tensor(values, dtype=torch.float64)


def read_out(page: Page, key: str, label: str) -> float:
    """A read-out, by its label."""
    shown = component(page, key).locator(".reading").filter(has=page.get_by_text(label, exact=True)).locator("output")
    return number(re.sub(r" \D*$", "", shown.first.inner_text()))


def slider(page: Page, key: str, name: str) -> Locator:
    return component(page, key).locator(f"[data-slider={name}] input")


def reading(page: Page, key: str, name: str) -> float:
    return number(component(page, key).locator(f"[data-slider={name}] output").inner_text())


def drag(page: Page, handle: Locator, start: float, end: float, *, hold: bool = False) -> None:
    """The real slider, with the mouse, from one share of its length to another."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=8)
    wait_frames(page)
    if not hold:
        page.mouse.up()
        wait_painted(page)


def bar(page: Page, index: int, value: float) -> tuple[float, float]:
    """Where a score bar has this height on the screen."""
    canvas = component(page, "softmax_row").locator("[data-name=scores] canvas")
    canvas.scroll_into_view_if_needed()
    box = page.evaluate(f"(key) => ({HOST})(key).__headlight.boxes().scores.box", "softmax_row")
    place = canvas.bounding_box()
    assert place
    count = len(painted(page, "softmax_row", "x"))
    x = place["x"] + box["x"] + box["w"] * (index + 0.5) / count
    return x, place["y"] + box["y"] + box["h"] * (5 - value) / 10


def derivative(page: Page, index: int) -> float:
    """The number at the end of a substituted line of the derivative, from the TeX that KaTeX kept beside it."""
    text = page.locator(".katex annotation").all_text_contents()
    bold = [re.search(r"\\mathbf\{(.*)\}\s*$", line.strip()) for line in text]
    lines = [re.sub(r"\\cdot10\^\{(-?\d+)\}", r"e\1", digits[1]) for digits in bold if digits]
    return float(lines[index])


@pytest.fixture
def page(open_page) -> Page:
    page = open_page("/softmax")
    component(page, "softmax_precision").locator("canvas").first.wait_for(timeout=60_000)
    wait_painted(page)
    return page


def test_a_person_drags_a(page) -> None:
    handle = slider(page, "softmax_article", "a")
    drag(page, handle, 10 / 460, 0.2, hold=True)
    before = page.evaluate(f"(key) => ({HOST})(key).__headlight.frames", "softmax_article")
    assert before > 2
    a = reading(page, "softmax_article", "a")
    assert 5 < a < 12
    scores = torch.tensor([a, a, 2 * a], dtype=torch.float64)
    assert_close(painted(page, "softmax_article", "row"), scores, rtol=1e-6, atol=0)
    assert_close(painted(page, "softmax_article", "y"), torch.softmax(scores, dim=-1), rtol=0, atol=1e-6)
    page.mouse.up()
    wait_idle(page)
    p = torch.distributions.Categorical(logits=scores)
    jacobian = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=-1), scores)
    expected = {
        WORDS["y3"]: float(p.probs[2]),
        WORDS["rest3"]: float(p.probs[0] + p.probs[1]),
        WORDS["measure.entropy"]: float(p.entropy()),
        WORDS["measure.log_trace"]: float(jacobian.trace()),
        WORDS["measure.log_frobenius"]: float(torch.linalg.matrix_norm(jacobian)),
        WORDS["measure.log_spectral"]: float(torch.linalg.matrix_norm(jacobian, ord=2)),
    }
    component(page, "softmax_article").locator("[data-name=more_a] button.fold").click()
    for label, value in expected.items():
        assert_close(read_out(page, "softmax_article", label), value, rtol=1e-3, atol=0)
    assert f"sm_a={a:g}" in page.url

    handle.press("End")  # a = 100, where every format holds a 1
    wait_idle(page)
    assert_close(read_out(page, "softmax_article", WORDS["rest3"]), 7.44e-44, rtol=1e-3, atol=0)


def test_a_person_pulls_a_bar(page) -> None:
    x, y = bar(page, 0, 1.0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(*bar(page, 0, 3.0), steps=6)
    wait_frames(page)
    held = painted(page, "softmax_row", "x")
    assert_close(held[1:], torch.tensor([1.0, 2.0], dtype=torch.float64))
    assert abs(float(held[0]) - 3) < 0.2
    # Under the finger, before Python knows.
    p = torch.softmax(held, dim=-1)
    theirs = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, dim=-1), held)
    assert_close(painted(page, "softmax_row", "p"), p, rtol=0, atol=1e-6)
    assert_close(painted(page, "softmax_row", "jacobian"), theirs.flatten(), rtol=0, atol=1e-6)
    faded = component(page, "softmax_row").locator("[data-name=readouts]")
    assert faded.evaluate("(node) => node.style.opacity") == "0.3"
    page.mouse.up()
    wait_painted(page)
    # On release everything is torch's.
    assert faded.evaluate("(node) => node.style.opacity") == ""
    assert_close(painted(page, "softmax_row", "x"), held)
    eigenvalues = torch.linalg.eigvalsh(theirs).flip(-1)
    assert_close(painted(page, "softmax_row", "eigenvalues"), eigenvalues, rtol=0, atol=1e-6)
    assert_close(read_out(page, "softmax_row", WORDS["measure.log_trace"]), float(theirs.trace()), rtol=1e-3, atol=0)
    assert_close(read_out(page, "softmax_row", WORDS["measure.log_spectral"]), float(eigenvalues[0]), rtol=1e-3, atol=0)
    assert_close(derivative(page, 0), float(theirs[2, 2]), rtol=1e-3, atol=0)
    assert_close(derivative(page, 1), float(theirs[2, 0]), rtol=1e-3, atol=0)
    assert_close(painted(page, "softmax_check", "autograd"), theirs.flatten(), rtol=0, atol=1e-7)
    assert "sm_x=" in page.url


def test_arrow_keys_do_the_same(page) -> None:
    canvas = component(page, "softmax_row").locator("[data-name=scores] canvas")
    canvas.focus()
    before = sent(page)
    for key in ("ArrowRight", *["ArrowUp"] * 6):
        canvas.press(key)
    wait_sent(page, before)
    x = torch.tensor([1.0, 2.5, 2.0], dtype=torch.float64)
    assert_close(painted(page, "softmax_row", "x"), x)
    p = torch.softmax(x, dim=-1)
    assert_close(read_out(page, "softmax_row", WORDS["measure.peak"]), float(p.max()), rtol=1e-3, atol=0)


def test_adding_c_moves_nothing_and_scaling_does(page) -> None:
    before = painted(page, "softmax_row", "p")
    drag(page, slider(page, "softmax_row", "shift"), 0.5, 0.9)
    c = reading(page, "softmax_row", "shift")
    assert c > 50
    x = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)
    assert_close(painted(page, "softmax_row", "received"), x + c, rtol=0, atol=0)
    assert_close(painted(page, "softmax_row", "p"), before, rtol=0, atol=0)
    drag(page, slider(page, "softmax_row", "beta"), 0.38, 0.8)
    beta = reading(page, "softmax_row", "beta")
    assert beta > 4
    assert_close(painted(page, "softmax_row", "p"), torch.softmax(beta * x, dim=-1), rtol=0, atol=1e-6)
    gap = torch.tensor(beta, dtype=torch.float64)
    rest = 2 / (2 + gap.exp())
    assert_close(read_out(page, "softmax_row", WORDS["measure.log_rest"]), float(rest), rtol=1e-3, atol=0)


def test_a_prepared_row_puts_sliders_and_bars_back(page) -> None:
    drag(page, slider(page, "softmax_row", "beta"), 0.38, 0.8)
    page.get_by_role("button", name=WORDS["preset.large"]).click()
    wait_painted(page)
    assert reading(page, "softmax_row", "beta") == 1
    assert reading(page, "softmax_row", "shift") == 100
    expected = torch.softmax(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), dim=-1)
    assert_close(painted(page, "softmax_row", "p"), expected, rtol=0, atol=1e-6)
    page.get_by_role("button", name=WORDS["preset.article"]).click()
    wait_painted(page)
    assert reading(page, "softmax_row", "shift") == 0
    assert_close(painted(page, "softmax_row", "x"), torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64))


@pytest.mark.parametrize("subtract", [True, False])
def test_each_format_is_really_computed(page, subtract) -> None:
    box = component(page, "softmax_precision")
    box.scroll_into_view_if_needed()
    box.get_by_role("radio", name=WORDS["subtract.on" if subtract else "subtract.off"]).click()
    drag(page, slider(page, "softmax_precision", "gap"), 0.3, 0.42)
    gap = reading(page, "softmax_precision", "gap")
    assert 8.4 < gap < 17
    kept = painted(page, "softmax_precision", "precision")
    for index, dtype in enumerate((torch.float16, torch.bfloat16, torch.float32, torch.float64)):
        x = torch.tensor([gap, 0.0], dtype=dtype, requires_grad=True)
        p = torch.softmax(x, dim=-1) if subtract else x.exp() / x.exp().sum()
        p[0].backward()
        assert x.grad is not None
        if bool(p[0].isnan()):
            assert not bool(kept[2 * index].isfinite())
        elif float(x.grad[0]) == 0:
            assert float(kept[2 * index]) == float("-inf")
        else:
            expected = float(x.grad[0].abs().double().log10())
            assert_close(float(kept[2 * index]), expected, rtol=0, atol=2e-3)


def test_the_first_screen_holds_slider_and_pictures(page) -> None:
    names = ("controls_a", "numbers_a", "row", "y", "linear", "logarithm")
    for name in names:
        box = component(page, "softmax_article").locator(f"[data-name={name}]").bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900


def test_a_telephone_does_not_scroll_sideways(open_page) -> None:
    page = open_page("/softmax", width=390, height=844, language="zh", theme="dark", query={"sm_n": "16"})
    component(page, "softmax_precision").locator("canvas").first.wait_for(timeout=60_000)
    wait_painted(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('canvas')].every((c) => c.getBoundingClientRect().right <= 391)"
    )
