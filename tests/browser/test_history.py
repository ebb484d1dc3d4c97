"""Back and Forward: the address and the view agree, on one page and from page to page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import wait_idle
from tests.harness.laboratory import slide
from ui.controls import DEFAULT_SENTENCE
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
ENGLISH = words("common", "en")
TEXT = "Thinking Machines"
LONGER = "Thinking Machines learn"


def head(page: Page, number: int):
    return page.locator(".st-key-head").get_by_role("radio", name=str(number), exact=True)


def choose_head(page: Page, number: int) -> None:
    head(page, number).click()
    page.wait_for_url(re.compile(rf"head={number}\b"))
    wait_idle(page)


def shows_head(page: Page, number: int) -> None:
    expect(head(page, number)).to_be_checked(timeout=15_000)


def write(page: Page, text: str) -> None:
    field = page.get_by_label("Your sentence")
    field.fill(text)
    field.press("Enter")
    page.wait_for_url(re.compile(f"text={text.replace(' ', '.')}"))
    wait_idle(page)


def shows_text(page: Page, text: str) -> None:
    expect(page.get_by_label("Your sentence")).to_have_value(text, timeout=15_000)
    page.locator(".st-key-strip_canvas").get_by_role("button", name=text.split()[-1].lower()).first.wait_for()


def open_from_menu(page: Page, section: str, name: str) -> None:
    page.get_by_test_id("stHeader").get_by_text(ENGLISH[f"section.{section}"]).click()
    page.get_by_role("menuitem", name=ENGLISH[f"page.{name}.title"]).click()
    is_on(page, name)


def is_on(page: Page, name: str) -> None:
    page.get_by_role("heading", level=1, name=ENGLISH[f"page.{name}.title"], exact=True).wait_for()
    wait_idle(page)


def back(page: Page) -> None:
    page.go_back(wait_until="commit")
    wait_idle(page)


def forward(page: Page) -> None:
    page.go_forward(wait_until="commit")
    wait_idle(page)


def test_back_and_forward_walk_through_the_heads_that_were_chosen(open_page) -> None:
    page = open_page("/heads")
    for number in (1, 5, 9):
        choose_head(page, number)
    for step, number in ((back, 5), (back, 1), (forward, 5), (forward, 9), (back, 5)):
        step(page)
        shows_head(page, number)
        assert f"head={number}" in page.url
        large = page.locator(".st-key-large_head .root")
        expect(large).to_have_attribute("aria-label", re.compile(rf"head {number}\b"))


def test_a_change_after_back_goes_on_from_there(open_page) -> None:
    page = open_page("/heads")
    for number in (1, 5):
        choose_head(page, number)
    back(page)
    shows_head(page, 1)
    choose_head(page, 7)
    back(page)
    shows_head(page, 1)
    assert "head=1" in page.url


def test_a_page_is_as_it_was_left(open_page) -> None:
    page = open_page("/heads")
    choose_head(page, 5)
    open_from_menu(page, "explore", "pipeline")
    shows_head(page, 5)  # what was chosen stays on the next page
    choose_head(page, 9)
    back(page)
    is_on(page, "pipeline")
    shows_head(page, 5)
    back(page)
    is_on(page, "heads")
    shows_head(page, 5)
    assert "head=5" in page.url
    back(page)
    is_on(page, "heads")
    shows_head(page, 2)
    assert "head=" not in page.url
    for name, number in (("heads", 5), ("pipeline", 5), ("pipeline", 9)):
        forward(page)
        is_on(page, name)
        shows_head(page, number)


def test_a_sentence_comes_back_with_its_page(open_page) -> None:
    page = open_page("/heads")
    write(page, TEXT)
    open_from_menu(page, "explore", "pipeline")
    shows_text(page, TEXT)
    write(page, LONGER)
    back(page)
    shows_text(page, TEXT)
    back(page)
    is_on(page, "heads")
    shows_text(page, TEXT)
    back(page)
    expect(page.get_by_label("Your sentence")).to_have_value(DEFAULT_SENTENCE, timeout=15_000)
    assert "text=" not in page.url
    forward(page)
    shows_text(page, TEXT)


def test_typing_is_one_step(open_page) -> None:
    page = open_page("/heads")
    before = page.evaluate("history.length")
    field = page.get_by_label("Your sentence")
    field.click()
    field.press("ControlOrMeta+a")
    field.press_sequentially(LONGER, delay=120)
    page.wait_for_url(re.compile("learn"))
    wait_idle(page)
    assert page.evaluate("history.length") == before + 1
    back(page)
    expect(field).to_have_value(DEFAULT_SENTENCE, timeout=15_000)
    assert "text=" not in page.url


def test_a_released_slider_of_a_laboratory_is_a_step(open_page) -> None:
    page = open_page("/vanishing")
    handle = page.get_by_role("slider", name=re.compile("d_k|d.k", re.IGNORECASE)).first
    handle.wait_for()
    wait_idle(page)
    first = handle.input_value()
    for stop in (int(first) - 4, int(first) - 8):
        handle.focus()
        page.wait_for_timeout(1100)  # as long as a pause between two gestures
        page.keyboard.press("Shift")
        slide(handle, stop, release=True)
    back(page)
    expect(handle).to_have_value(str(int(first) - 4), timeout=15_000)
    back(page)
    expect(handle).to_have_value(first, timeout=15_000)
    assert "dk=" not in page.url
    forward(page)
    expect(handle).to_have_value(str(int(first) - 4), timeout=15_000)
    assert "dk=" in page.url


def test_the_language_goes_back_too(open_page) -> None:
    page = open_page("/heads")
    page.get_by_role("radio", name="中文").click()
    page.wait_for_url("**lang=zh**")
    title = words("common", "zh")["page.heads.title"]
    page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
    wait_idle(page)
    back(page)
    is_on(page, "heads")
    expect(page.get_by_role("radio", name="EN")).to_be_checked()
    page.get_by_test_id("stHeader").get_by_text(ENGLISH["section.explore"]).wait_for()
    forward(page)
    page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
    expect(page.get_by_role("radio", name="中文")).to_be_checked()


def test_what_a_query_string_cannot_mean_is_ignored_on_the_way_back(open_page) -> None:
    page = open_page("/heads")
    page.evaluate("""() => {
        history.replaceState({}, "", "?head=99&layer=x&focus=-1,a&temperature=nan&text=%00&tab=%3Cb%3E&kept=1&page=2");
    }""")
    page.evaluate("""() => Object.getPrototypeOf(history).pushState.call(history, {}, "", "?head=5")""")
    back(page)
    shows_head(page, 2)
    assert page.get_by_test_id("stException").count() == 0
    forward(page)
    shows_head(page, 5)


@pytest.mark.parametrize("path", ["/pipeline", "/heads"])
def test_after_back_the_tokens_of_the_strip_are_those_of_the_address(open_page, path) -> None:
    page = open_page(path)
    chips = page.locator(".st-key-strip_canvas .query .chip")
    chosen = page.locator(".st-key-strip_canvas .query .chip[aria-pressed=true]")
    before = chosen.inner_text()
    chips.nth(4).click()
    page.wait_for_url(re.compile("focus=4"))
    wait_idle(page)
    assert chosen.inner_text() != before
    back(page)
    expect(chosen).to_have_text(before)


def test_back_on_one_page_leaves_what_only_other_pages_say(open_page) -> None:
    page = open_page("/heads")
    write(page, TEXT)
    open_from_menu(page, "training", "induction")
    address = page.url
    page.get_by_test_id("stNumberInputStepUp").first.click()
    page.wait_for_function("before => location.href !== before", arg=address)
    wait_idle(page)
    back(page)
    is_on(page, "induction")
    open_from_menu(page, "explore", "heads")
    shows_text(page, TEXT)
