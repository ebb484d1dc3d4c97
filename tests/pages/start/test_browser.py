"""The first minute: what is painted without a touch, and two actions to either half of the promise."""

import re

import pytest
import torch
from playwright.sync_api import Page, expect
from torch.testing import assert_close

from attention_core.models.pretrained import load_embedded
from tests.harness.browser import wait_idle
from ui.controls import DEFAULT_SENTENCE

pytestmark = pytest.mark.usefixtures("awake")
SIZES = [(1280, 720), (1440, 900), (390, 844)]
ARCS = "[...document.querySelectorAll('.st-key-arcs *')].find((node) => node.__headlight)"
INSIDE = """(name) => {
    const host = [...document.querySelectorAll(`.st-key-${name} *`)].find((node) => node.__headlight);
    const { top, bottom, left, right } = host.getBoundingClientRect();
    return left >= 0 && right <= innerWidth && top >= 0 && top < innerHeight ? bottom : Infinity;
}"""


def row(page: Page) -> torch.Tensor:
    """The weights whose arcs are drawn."""
    page.wait_for_function(f"{ARCS}?.__headlight.frames > 0")
    return torch.tensor(page.evaluate(f"{ARCS}.__headlight.row"))


def exact(eager, layer: int, head: int, query: int, text: str = DEFAULT_SENTENCE) -> torch.Tensor:
    ids = torch.tensor([load_embedded().tokenize(text).ids])
    with torch.no_grad():
        return eager(input_ids=ids, output_attentions=True).attentions[layer][0, head, query]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_first_screen_shows_where_a_sentence_looks_before_any_touch(open_page, eager, width, height) -> None:
    page = open_page("/", width=width, height=height)
    page.get_by_role("heading", level=1, name="Headlight", exact=True).wait_for()
    assert_close(row(page), exact(eager, 5, 11, 10), rtol=0, atol=1e-6)
    expect(page.locator(".st-key-arcs .tag[aria-pressed=true]")).to_contain_text("it → animal")
    assert page.evaluate(INSIDE, "arcs") <= max(height, 844) + 40, "the arcs stand on the first screen"
    if width > 1000:
        assert page.evaluate(INSIDE, "wall") <= height and page.evaluate(INSIDE, "start") <= height + 60
    expect(page.locator(".gauge output")).to_have_text("13 of 13")
    tagged = page.locator(".st-key-wall .thumb:is([data-tag='1'], [data-tag='2'], [data-tag='3'])")
    expect(tagged).to_have_count(3)
    expect(page.locator(".st-key-wall .thumb[data-tag='3']")).to_have_attribute("aria-label", "Layer 6, head 12")


def test_another_word_asks_and_the_third_tag_follows_it(open_page, eager) -> None:
    page = open_page("/")
    row(page)
    page.locator(".st-key-arcs canvas").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    wait_idle(page)
    page.wait_for_url("**focus=12*")
    expect(page.locator(".st-key-arcs .tag[aria-pressed=true]")).to_contain_text(re.compile("^3too → "))
    layer, head = map(int, page.evaluate(f"{ARCS}.__headlight.head").split(","))
    assert_close(row(page), exact(eager, layer, head, 12), rtol=0, atol=1e-6)


def test_pointing_at_a_head_draws_its_arcs_and_a_click_keeps_them(open_page, eager) -> None:
    page = open_page("/")
    row(page)
    thumbnail = page.locator(".st-key-wall .thumb").nth(2 * 12 + 4)
    thumbnail.hover()
    page.wait_for_function(f"{ARCS}.__headlight.head === '2,4'")
    assert_close(row(page), exact(eager, 2, 4, 10), rtol=0, atol=0.005)  # a byte a weight
    page.mouse.move(5, 5)
    page.wait_for_function(f"{ARCS}.__headlight.head === '5,11'")
    thumbnail.click()
    wait_idle(page)
    page.wait_for_url("**shown=3.5**")
    page.mouse.move(5, 5)
    page.wait_for_function(f"{ARCS}.__headlight.head === '2,4'")
    assert_close(row(page), exact(eager, 2, 4, 10), rtol=0, atol=1e-6)


def test_dragging_d_k_kills_rows_under_the_finger(open_page) -> None:
    page = open_page("/")
    gauge = page.locator(".gauge output")
    expect(gauge).to_have_text("13 of 13")
    page.get_by_role("slider", name="Head size d_k").press("End")
    expect(gauge).not_to_have_text("13 of 13")
    wait_idle(page)
    page.wait_for_url("**soft_dk=1024**")


def test_two_actions_lead_to_either_half_of_the_promise(open_page) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Why divide by √d_k?").click()
    page.get_by_role("heading", level=1, name="Why √d_k", exact=True).wait_for()
    page.get_by_role("link", name=re.compile("^Next: Softmax")).click()
    page.get_by_role("heading", level=1, name="Softmax", exact=True).wait_for()


def test_an_old_link_to_the_landing_page_opens_the_pipeline_it_was_made_on(open_page) -> None:
    page = open_page("/", query={"text": "Thinking Machines", "layer": "2", "head": "9"})
    page.get_by_role("heading", level=1, name="Pipeline", exact=True).wait_for()
    wait_idle(page)
    assert "/pipeline?" in page.url and "layer=2" in page.url and "head=9" in page.url
    assert page.get_by_label("Your sentence").input_value() == "Thinking Machines"
