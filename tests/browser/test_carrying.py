"""The word a reader looks at goes with them: from page to page, trained or not, and from sentence to sentence."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import wait_idle
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
ENGLISH = words("common", "en")
STRIP = ".st-key-strip_canvas .chip.focus"


def open_from_menu(page: Page, section: str, name: str) -> None:
    page.get_by_test_id("stHeader").get_by_text(ENGLISH[f"section.{section}"]).click()
    page.get_by_role("menuitem", name=ENGLISH[f"page.{name}.title"]).first.click()
    page.get_by_role("heading", level=1, name=ENGLISH[f"page.{name}.title"], exact=True).wait_for()
    wait_idle(page)


def write(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Your sentence")
    field.fill(text)
    field.press("Enter")
    page.wait_for_url(re.compile(f"text={text.split()[0]}.{text.split()[1]}"))
    wait_idle(page)


def test_it_stays_it_from_page_to_page_and_from_sentence_to_sentence(open_page) -> None:
    page = open_page("/heads")
    expect(page.locator(STRIP)).to_have_text(["it", "animal"])
    open_from_menu(page, "saturation", "vanishing")
    page.wait_for_url(re.compile("vanishing"))
    open_from_menu(page, "mechanisms", "local")
    asked = words("local", "en").data("asked", query="it", target="animal")
    expect(page.get_by_text(asked, exact=True)).to_be_visible()
    assert "focus" not in page.url  # where everybody looks first
    open_from_menu(page, "mechanisms", "order")
    write(page, "A hungry dog ran because it saw the cat")
    open_from_menu(page, "mechanisms", "local")
    expect(page.get_by_text(re.compile(words("local", "en").data("asked", query="it", target="")[:9]))).to_be_visible()
    page.wait_for_url(re.compile(r"focus=5%2C"))
    open_from_menu(page, "explore", "heads")
    expect(page.locator(STRIP).first).to_have_text("it")
    page.wait_for_url(re.compile(r"focus=6%2C"))
    write(page, "Every small bird can sing")
    page.wait_for_url(re.compile(r"focus=[1-5]%2C[1-5]\b"))
    pair = page.locator(STRIP).all_inner_texts()
    assert len(pair) == 2 and not {"[CLS]", "[SEP]"} & set(pair)
    again = open_page(url=page.url)
    expect(again.locator(STRIP)).to_have_text(pair)
    write(page, "The animal was tired and it slept")
    expect(page.locator(STRIP)).to_have_text(["it", "animal"])


def test_an_old_link_opens_at_the_places_it_says(open_page) -> None:
    page = open_page("/local", query={"text": "one two three four five", "focus": "3,1"})
    asked = words("local", "en").data("asked", query="four", target="two")
    expect(page.get_by_text(asked, exact=True)).to_be_visible()


def test_what_was_chosen_on_an_untrained_page_is_chosen_in_the_trained_model(open_page) -> None:
    page = open_page("/local", query={"text": "the law saw the king and the city", "focus": "6,3"})
    open_from_menu(page, "explore", "heads")
    chips = page.locator(".st-key-strip_canvas .chip")
    expect(page.locator(STRIP)).to_have_text(["the", "the"])
    places = chips.evaluate_all("all => all.flatMap((one, at) => one.classList.contains('focus') ? [at] : [])")
    assert places[0] == 7 and "focus=7%2C4" in page.url
