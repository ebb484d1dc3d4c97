"""In a room and on a telephone: the menu, present mode, the sheet of Pipeline."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.browser import wait_idle, wait_painted
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
SENTENCE = "The cat sat & slept"


def said(address: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}


def entry(page: Page, name: str) -> Locator:
    page.get_by_test_id("stTopNavSection").filter(has_text=words("common")["section.saturation"]).click()
    return page.get_by_test_id("stTopNavLinkContainer").filter(has_text=words("common")[f"page.{name}.title"])


def test_an_entry_of_the_menu_has_a_line_keeps_the_sentence_in_its_link_and_closes_the_menu(open_page) -> None:
    page = open_page("/heads", query={"text": SENTENCE, "lang": "en"})
    remedies = entry(page, "remedies")
    line = remedies.get_by_text(words("common")["page.remedies.help"])
    expect(line).to_be_visible()
    remedies.hover()
    address = remedies.get_by_role("menuitem").get_attribute("href")
    assert urlsplit(address).path == "/remedies" and said(address)["text"] == SENTENCE
    box = line.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/remedies*")
    wait_idle(page)
    expect(page.get_by_test_id("stTopNavPopover")).to_have_count(0)
    assert said(page.url)["text"] == SENTENCE
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_role("textbox").first).to_have_value(SENTENCE, timeout=60_000)


def test_presenting_shows_the_rows_of_the_large_map_and_loses_nothing_when_it_ends(open_page) -> None:
    page = open_page("/heads", width=1280, height=720, query={"layer": "3"})
    size = "getComputedStyle(document.querySelector('h1 ~ *, p')).fontSize"
    before, address = page.evaluate(size), page.url
    expect(page.locator(".st-key-present_button button:visible")).to_be_enabled()
    wait_painted(page)
    page.keyboard.press("Alt+p")
    page.wait_for_url("**present=1*")
    wait_painted(page)
    canvas = page.locator(".st-key-large_head canvas[aria-label]")
    box = canvas.evaluate("(node) => ({ top: node.getBoundingClientRect().top, ...node.__box })")
    assert box["rows"] == 15
    assert box["top"] + box["y"] + 14 * box["h"] / 15 <= 720
    assert float(page.evaluate(size)[:-2]) > float(before[:-2])
    title = page.get_by_role("heading", level=1).bounding_box()
    page.mouse.move(400, 500)
    page.mouse.wheel(0, 900)
    wait_painted(page)
    assert page.get_by_role("heading", level=1).bounding_box() == title and title["y"] + title["height"] < 64
    page.locator(".st-key-present_button button:visible").click()
    page.wait_for_url(address)
    wait_painted(page)
    assert page.evaluate(size) == before


def test_a_link_presents(open_page) -> None:
    page = open_page("/vanishing", query={"present": "1"})
    expect(page.locator(".st-key-present_button button:visible")).to_contain_text(words("common")["present.end"])


def test_on_a_telephone_the_explanation_of_pipeline_is_folded_until_it_is_asked_for(open_page) -> None:
    page = open_page("/pipeline", width=390, height=844)
    summary = page.locator(".st-key-margin summary").first
    unfolded = page.locator(".st-key-margin details[open]:not(details details)")
    expect(unfolded).to_have_count(0)
    expect(summary).to_be_in_viewport()
    summary.click()
    expect(unfolded).to_have_count(1)


@pytest.mark.parametrize(("address", "width"), [("/vanishing", 1024), ("/remedies", 1024), ("/heads", 1440)])
def test_title_and_language_stand_on_one_line_and_the_sentence_can_be_read(open_page, address, width) -> None:
    page = open_page(address, width=width, height=768)
    title = page.get_by_role("heading", level=1).bounding_box()
    language = page.locator(".st-key-language").bounding_box()
    assert language["y"] < title["y"] + title["height"]
    field = page.get_by_role("textbox").first
    assert field.evaluate("(node) => node.scrollWidth <= node.clientWidth")
