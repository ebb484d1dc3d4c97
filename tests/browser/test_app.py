"""The frame: menu, language, links, errors."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.harness.browser import wait_idle, wait_settled
from tests.harness.serving import serve
from ui.controls import DEFAULT_SENTENCE
from ui.navigation import PAGES
from ui.text import words

WIDTHS = (1440, 1024, 390)
BEYOND = "main => main.scrollWidth - main.clientWidth"


def address(entry):
    return "/" if entry == PAGES[0] else f"/{entry.url_path}"


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.name)
def test_a_page_opens_in_the_browsers_language_is_accessible_and_never_scrolls_sideways(
    open_page, entry, language, theme
):
    page = open_page(address(entry), language=language, theme=theme)
    title = words("common", language)[f"page.{entry.name}.title"]
    page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
    wait_settled(page)
    violations = Axe().run(page).response["violations"]
    assert not [(violation["id"], [node["html"][:200] for node in violation["nodes"]]) for violation in violations]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wait_settled(page)
        assert page.get_by_test_id("stMain").evaluate(BEYOND) <= 0, width


def test_a_link_to_a_page_wakes_a_sleeping_server(browser):
    title = words("common", "en")[f"page.{PAGES[1].name}.title"]
    with serve("app.py") as cold:
        page = browser.new_page()
        page.goto(f"{cold.url}/{PAGES[1].url_path}")
        page.get_by_role("heading", level=1, name=title, exact=True).wait_for()
        assert page.get_by_role("dialog").count() == 0, "Streamlit says that the page was not found"
        assert page.locator("[data-testid=stSidebarNav]").count() == 0, "Streamlit's automatic menu was used"
        page.close()


def test_the_language_switch_stays_in_the_link_and_from_page_to_page(open_page):
    page = open_page("/")
    page.get_by_role("radio", name="中文").click()
    wait_idle(page)
    chinese = words("common", "zh")
    page.get_by_role("heading", level=1, name=chinese["page.start.title"], exact=True).wait_for()
    page.wait_for_url("**lang=zh**")
    page.get_by_test_id("stHeader").get_by_text(chinese["section.explore"]).click()
    page.get_by_role("menuitem", name=chinese["page.heads.title"]).click()
    wait_idle(page)
    page.get_by_role("heading", level=1, name=chinese["page.heads.title"], exact=True).wait_for()
    page.wait_for_url("**lang=zh**")
    again = open_page(url=page.url)
    again.get_by_role("heading", level=1, name=chinese["page.heads.title"], exact=True).wait_for()


@pytest.mark.parametrize("typed", ["", "Thinking Machines"])
def test_what_was_chosen_or_left_alone_stays_on_the_next_page(open_page, typed):
    page = open_page("/", query={"alpha": "2.0"})
    if typed:
        page.get_by_label("Your sentence").fill(typed)
        page.get_by_label("Your sentence").press("Enter")
        wait_idle(page)
    page.get_by_role("radio", name="7", exact=True).click()
    wait_idle(page)
    sentence = page.get_by_label("Your sentence").input_value()
    english = words("common", "en")
    page.get_by_test_id("stHeader").get_by_text(english["section.explore"]).click()
    page.get_by_role("menuitem", name=english["page.heads.title"]).click()
    page.get_by_role("heading", level=1, name=english["page.heads.title"], exact=True).wait_for()
    wait_idle(page)
    assert page.get_by_label("Your sentence").input_value() == sentence == (typed or DEFAULT_SENTENCE)
    assert page.get_by_role("radio", name="7", exact=True).is_checked()
    assert "alpha=2.0" in page.url
    assert page.get_by_test_id("stAlert").count() == 0
