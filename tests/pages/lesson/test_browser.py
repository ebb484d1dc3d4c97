"""A lesson in a real browser: from its link alone to its last step, and on paper."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import wait_idle
from ui.lessons.lesson import shipped
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
TEXTS, COMMON = words("lesson", "en"), words("common", "en")
A4 = (595, 842)  # points


def bar(page: Page):
    return page.locator(".st-key-lesson_bar")


def go(page: Page, name: str, place: str) -> None:
    """Press a button of the lesson, and wait for the step that it leads to."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(bar(page).get_by_role("button", name=place)).to_be_visible(timeout=90_000)
    wait_idle(page)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_the_lesson_of_20_minutes_can_be_done_from_its_link_alone(open_page, width, height) -> None:
    page = open_page("/lesson", query={"lesson": "20"}, width=width, height=height)
    steps = shipped("20", TEXTS).steps
    for number, step in enumerate(steps, start=1):
        go(page, "Begin" if number == 1 else "Next", f"Step {number} of {len(steps)}")
        title = COMMON[f"page.{step.page}.title"]
        page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
        expect(bar(page)).to_contain_text(step.words)
        if "text" in step.link():
            expect(page.get_by_label("Your sentence")).to_have_value(step.link()["text"])
        assert ("dk" in step.link()) == ("dk=1024" in page.url)
    go(page, "Back", f"Step {len(steps) - 1} of {len(steps)}")
    go(page, "Next", f"Step {len(steps)} of {len(steps)}")
    page.get_by_role("button", name="Finish", exact=True).click()
    page.get_by_role("heading", level=1, name="Lessons", exact=True).wait_for()
    wait_idle(page)
    expect(bar(page)).to_have_count(0)


def test_a_step_opens_as_its_lesson_has_it_whatever_was_changed_before(open_page) -> None:
    page = open_page("/lesson", query={"lesson": "20"})
    go(page, "Begin", "Step 1 of 7")
    go(page, "Next", "Step 2 of 7")
    sentence = page.get_by_label("Your sentence")
    sentence.fill("Thinking Machines")
    sentence.press("Enter")
    page.wait_for_url("**text=Thinking*")
    go(page, "Step 2 of 7", "Step 2 of 7")
    page.wait_for_url(lambda url: "Thinking" not in url)
    wait_idle(page)
    expect(page.get_by_label("Your sentence")).to_have_value(re.compile("^The animal"))


def test_the_step_of_the_link_is_open_and_the_lesson_can_be_left(open_page) -> None:
    page = open_page("/vanishing", query={"lesson": "20", "lesson_step": "6", "dk": "1024", "rule": "inverse_sqrt"})
    expect(bar(page)).to_contain_text("Step 6 of 7")
    bar(page).get_by_role("button").last.click()
    expect(bar(page)).to_have_count(0)
    wait_idle(page)
    assert "lesson" not in page.url.partition("?")[2] and "dk=1024" in page.url


def test_a_view_is_added_to_a_lesson(open_page) -> None:
    page = open_page("/softmax")
    page.get_by_role("button", name=COMMON["take.title"]).first.click()
    page.get_by_role("button", name=TEXTS["add"]).click()
    page.get_by_text("Step 1 of your lesson").wait_for()
    page.wait_for_url("**lesson=*")


@pytest.mark.parametrize(
    ("minutes", "sheet", "pages"), [("20", "handout", 1), ("90", "handout", 2), ("90", "answers", 2)]
)
def test_sheets_print_on_a4(open_page, minutes, sheet, pages) -> None:
    page = open_page("/lesson", query={"lesson": minutes, "sheet": sheet})
    page.locator(".sheet li").first.wait_for()
    wait_idle(page)
    paper = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", paper)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == pages
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {A4}
