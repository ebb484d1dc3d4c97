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


def unfold(page: Page, heading: str) -> None:
    page.locator(f"{LAB} [data-name={heading}] button.fold").click()


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
    factor = alpha**2 * (d_k**-0.5 if scaled else 1.0)
    return {
        "weights": p,
        "log_gain": gains.log10().quantile(0.5, dim=-1),
        "peak": p.amax(-1).mean(-1),
        "living": (gains >= 1e-3).sum(-1),
        "d_W_Q": torch.linalg.matrix_norm(factor * layer.x.double().mT @ back @ k),
    }


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
    row = expected["weights"][0, 7]  # "its" asks
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
    unfold(page, "more")
    assert rest.is_visible()
    page.locator(f"{LAB} [data-name=more] button.fold").press("Enter")
    assert not rest.is_visible()


def test_a_fold_in_a_stack_hides_what_follows_in_that_stack_alone(page) -> None:
    others, weights = (page.locator(f"{LAB} [data-name={name}]") for name in ("readouts", "weights"))
    assert not others.is_visible() and weights.is_visible()
    unfold(page, "others")
    assert others.is_visible() and weights.is_visible()


@pytest.mark.parametrize("d_k", [8, 1024])
def test_the_gauge_counts_living_rows_and_a_norm_that_grew_while_rows_died_is_explained(page, d_k: int) -> None:
    drag(page, "d_k", D_K_STOPS.index(d_k), release=False)
    at_all = {stop: by_hand(stop, 1.0, scaled=False) for stop in D_K_STOPS if stop <= d_k}
    living = {stop: int(numbers["living"][0]) for stop, numbers in at_all.items()}
    norms = {stop: float(numbers["d_W_Q"][0]) for stop, numbers in at_all.items()}
    n = at_all[d_k]["weights"].shape[-1]
    assert page.locator(f"{LAB} [data-name=gauge] output").inner_text() == f"{living[d_k]} of {n}"
    before = max(stop for stop in living if living[stop] == max(living.values()))
    remark = page.locator(f"{LAB} [data-name=louder_d_k]")
    grown = living[d_k] < living[before] and norms[d_k] > norms[before]
    assert grown == (d_k == 1024)  # both cases are tried
    assert remark.is_visible() == grown
    if grown:
        there = f"Grown from {significant(norms[before])} at dk = {before}, "
        assert remark.inner_text().startswith(f"{there}while living rows fell from {living[before]} to {living[d_k]}:")
    page.locator(f"{LAB} [data-slider=rule] button").nth(1).click()
    remark.wait_for(state="hidden")  # with scaling, no row dies of d_k


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
    unfold(page, "others")
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
    unfold(page, "others")
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
