"""A person drags d_k and the input scale: what is painted and what is read must be torch's own numbers."""

import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, MEASURE_NAMES
from tests.harness import laboratory
from tests.harness.browser import wait_frames, wait_idle, wait_painted
from tests.harness.pixels import colours, painted, sent
from tests.harness.pixels import drag as drag_with_mouse
from ui.numbers import significant
from ui.session import Question, probe

TEXT = "The law saw the king, but its city should be just"
LAB = ".st-key-vanishing"
HOST = """([key, name]) => {
    const host = [...document.querySelectorAll(`${key} *`)].find((node) => node.__headlight?.frame);
    return name ? host?.__headlight.frame(name) : (host?.__headlight.at() ?? null);
}"""


@pytest.fixture
def page(open_page) -> Page:
    opened = open_page("/vanishing", query={"text": TEXT, "seed": "3"})
    settled(opened)
    return opened


def settled(page: Page) -> None:
    """The bands are computed after the first picture; then the page is drawn once more."""
    page.wait_for_function(f"document.querySelectorAll('{LAB} *').length > 0")
    wait_painted(page)
    page.locator("[class*=st-key-working_]").first.wait_for(state="detached", timeout=120_000)
    wait_painted(page)


def frame(page: Page, name: str) -> torch.Tensor:
    return torch.tensor(page.evaluate(HOST, [LAB, name]))


def drag(page: Page, slider: str, stop: int, *, release: bool) -> None:
    laboratory.slide(page.locator(f"{LAB} [data-slider={slider}] input"), stop, release=release)


def reading(page: Page, label: str) -> str:
    return page.locator(f"{LAB} .reading", has_text=label).locator("output").inner_text()


def by_hand(d_k: int, alpha: float, scaled: bool) -> dict[str, torch.Tensor]:
    """The same layer with torch's softmax and autograd in float64."""
    layer = probe(Question(text=TEXT, seed=3))
    q, k, v, W_O = (part.double() for part in (layer.q[..., :d_k], layer.k[..., :d_k], layer.v, layer.W_O))
    scores = alpha**2 * (d_k**-0.5 if scaled else 1.0) * q @ k.mT
    weights = scores.softmax(-1).requires_grad_()
    (torch.einsum("hnk,hkv,hvd->nd", weights, v, W_O) * layer.direction.double()).sum().backward()
    assert weights.grad is not None
    p, reach = weights.detach(), weights.grad - weights.grad.mean(-1, keepdim=True)
    back = p * (weights.grad - (p * weights.grad).sum(-1, keepdim=True))
    gains = back.norm(dim=-1) / reach.norm(dim=-1)
    return {"weights": p, "log_gain": gains.log10().quantile(0.5, dim=-1), "peak": p.amax(-1).mean(-1)}


@pytest.mark.parametrize(("d_k", "alpha", "scaled"), [(16, 1.0, True), (256, 0.5, False), (1024, 2.0, False)])
def test_what_is_painted_under_the_finger_is_torchs_softmax(page, d_k: int, alpha: float, scaled: bool) -> None:
    if scaled:
        page.locator(f"{LAB} [data-slider=rule] button").nth(1).click()
        wait_idle(page)
    before = sent(page)
    drag(page, "d_k", D_K_STOPS.index(d_k), release=False)
    drag(page, "alpha", INPUT_SCALES.index(alpha), release=False)
    expected = by_hand(d_k, alpha, scaled)
    weights = frame(page, "weights").view_as(expected["weights"])
    assert_close(weights.double(), expected["weights"], rtol=1e-3, atol=1e-5)
    jacobian = frame(page, "jacobian")
    row = expected["weights"][0, 10 % expected["weights"].shape[1]]
    assert_close(jacobian.view(len(row), -1).double(), row.diag() - row.outer(row), rtol=1e-3, atol=1e-5)
    assert_close(
        float(frame(page, "head")[MEASURE_NAMES.index("peak")]), float(expected["peak"][0]), rtol=1e-3, atol=1e-5
    )
    assert sent(page) == before  # no server while the finger is down
    drag(page, "alpha", INPUT_SCALES.index(alpha), release=True)
    assert sent(page) > before


def test_the_real_slider_under_the_mouse_paints_torchs_weights(page) -> None:
    before = sent(page)
    drag_with_mouse(page, "vanishing", "d_k", D_K_STOPS.index(64), D_K_STOPS.index(203))
    at = page.evaluate(HOST, [LAB, ""])
    assert abs(at["d_k"] - D_K_STOPS.index(203)) <= 1
    weights = by_hand(D_K_STOPS[at["d_k"]], 1.0, scaled=False)["weights"][0]
    assert_close(painted(page, "vanishing", "weights", len(weights)), colours(weights), rtol=0, atol=1.5)
    assert sent(page) == before
    page.mouse.up()
    page.wait_for_url(f"**dk={D_K_STOPS[at['d_k']]}**")
    assert sent(page) > before


def test_a_tip_at_rest_follows_the_slider(page) -> None:
    box = page.evaluate(
        f"""() => [...document.querySelectorAll('{LAB} *')].find((n) => n.__headlight?.boxes)
            .__headlight.boxes().weights.box"""
    )
    place = page.locator(f"{LAB} [data-name=weights] canvas").bounding_box()
    weights = by_hand(64, 1.0, scaled=False)["weights"][0]
    n = len(weights)
    page.mouse.move(place["x"] + box["x"] + 2.5 / n * box["w"], place["y"] + box["y"] + 1.5 / n * box["h"])
    wait_frames(page)
    tip = page.locator(f"{LAB} .tip")
    assert tip.inner_text() == f"query 2 law → key 3 saw: {significant(float(weights[1, 2]))}"
    drag(page, "alpha", INPUT_SCALES.index(0.5), release=False)
    weights = by_hand(64, 0.5, scaled=False)["weights"][0]
    assert tip.inner_text() == f"query 2 law → key 3 saw: {significant(float(weights[1, 2]))}"


def test_more_curves_unfold_and_each_slider_has_its_axis(page) -> None:
    rest = page.locator(f"{LAB} [data-name=snr_alpha]")
    assert not rest.is_visible()
    page.locator(f"{LAB} button.fold").click()
    assert rest.is_visible()
    page.locator(f"{LAB} button.fold").press("Enter")
    assert not rest.is_visible()


def test_a_released_slider_stands_in_the_link_and_its_read_outs_are_autograds(page) -> None:
    drag(page, "d_k", D_K_STOPS.index(256), release=True)
    page.wait_for_url("**dk=256**")
    wait_idle(page)
    expected = by_hand(256, 1.0, False)
    assert_close(
        float(frame(page, "head")[MEASURE_NAMES.index("log_gain")]),
        float(expected["log_gain"][0]),
        rtol=1e-3,
        atol=1e-3,
    )
    assert reading(page, "peak") == significant(float(expected["peak"][0]))


def test_a_thumbnail_chooses_the_head_and_a_curve_moves_its_slider(page) -> None:
    canvas = page.locator(f"{LAB} [data-name=heads] canvas")
    cell = page.evaluate(
        f"""() => [...document.querySelectorAll('{LAB} *')].find((n) => n.__headlight?.boxes)
            .__headlight.boxes().heads.cells[4]"""
    )
    canvas.click(position={"x": cell["x"] + cell["w"] / 2, "y": cell["y"] + cell["h"] / 2})
    page.wait_for_url("**probe_head=5**")
    wait_idle(page)
    phase = page.locator(f"{LAB} [data-name=phase] canvas")
    phase.scroll_into_view_if_needed()
    wait_painted(page)
    box = page.evaluate(
        f"""() => [...document.querySelectorAll('{LAB} *')].find((n) => n.__headlight?.boxes)
            .__headlight.boxes().phase.box"""
    )
    phase.click(position={"x": box["x"] + box["w"] - 3, "y": box["y"] + 3})
    page.wait_for_url("**dk=1024**")
    assert page.evaluate(HOST, [LAB, ""])["alpha"] == len(INPUT_SCALES) - 1


def test_nothing_is_nan_at_the_extremes_and_underflow_is_labelled(page) -> None:
    drag(page, "d_k", len(D_K_STOPS) - 1, release=False)
    drag(page, "alpha", len(INPUT_SCALES) - 1, release=True)
    page.wait_for_url("**scale=16**")
    text = page.locator(f"{LAB} [data-name=readouts]").inner_text()
    assert "NaN" not in text
    assert "0 in float32" in text
    assert not frame(page, "weights").isnan().any()


def test_what_works_in_the_corner_moves_nothing_on_the_page(open_page) -> None:
    """The table of so long a sentence takes seconds: the pictures stand where they will stand when it is there."""
    opened = open_page("/vanishing", query={"text": f"In the corner {TEXT}, and " + "the law saw another king, " * 6})
    top = "document.querySelector('.st-key-pictures').getBoundingClientRect().top"
    working = opened.locator(".st-key-working_table")
    working.wait_for()
    opened.evaluate("() => document.fonts.ready.then(() => null)")  # lines grow when their font comes
    before = opened.evaluate(top)
    working.wait_for(state="detached", timeout=120_000)
    wait_idle(opened)
    assert opened.evaluate(top) == before
