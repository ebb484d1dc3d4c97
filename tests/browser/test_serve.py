"""serve.py in a real browser: pages work under the Content-Security-Policy; a full house, waiting, and coming in."""

import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.harness.browser import WATCHING, wait_idle, wait_settled
from tests.harness.running import SMALL, eventually, running
from ui.server.admission import LEFT

FULL = (("en-GB", "Full: every seat is taken (1)"), ("zh-CN", "人满了：现在有 1 位读者"))
PAGES = {"/pipeline": "Pipeline", "/vanishing": "Vanishing gradients", "/time-series": "Time series"}
# On a page's own address Streamlit first asks below it, and then at the root.
USUAL = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")
FALLS_BACK = "script-src wasm-eval"  # the protobuf library tries WebAssembly once, and has the same in JavaScript
VIOLATIONS = """addEventListener('securitypolicyviolation',
    (event) => (window.violations ??= []).push(`${event.violatedDirective} ${event.blockedURI}`));"""


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@contextmanager
def opened(browser, **options):
    """A page, and what it complains of."""
    context = browser.new_context(**options)
    page = context.new_page()
    complaints = []
    page.add_init_script(WATCHING + VIOLATIONS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error"
            and not USUAL.search(message.location["url"]) else None)  # fmt: skip
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page, complaints
    finally:
        context.close()


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_a_page_works_and_breaks_no_rule_of_the_policy(browser, server, path, title):
    with opened(browser, viewport={"width": 1440, "height": 900}) as (page, complaints):
        answer = page.goto(server.url + path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        wait_settled(page)
        assert page.title() == f"{title} · Headlight"
        assert page.locator("canvas:visible").first.is_visible()
        before = server.figures()["reruns_total"]
        page.get_by_text("中文", exact=True).click()
        wait_idle(page)
        assert re.search("[\u4e00-\u9fff]", page.title())
        assert server.figures()["reruns_total"] > before
        assert set(page.evaluate("window.violations ?? []")) <= {FALLS_BACK}
        assert not complaints


def test_a_broken_rule_would_be_seen(browser, server):
    """The watch itself: without it the test above could not fail."""
    with opened(browser) as (page, _):
        page.goto(server.url)
        page.evaluate("document.head.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
        page.wait_for_function("window.violations?.length > 0")
        assert page.evaluate("[window.ran, typeof window.violations[0]]") == [None, "string"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "title"), FULL)
def test_whoever_waits_sees_a_light_page_and_comes_in_by_itself(browser, scheme, locale, title):
    with running(script=SMALL, HEADLIGHT_VISITORS="1") as server, opened(browser) as (inside, _):
        inside.goto(server.url)
        wait_idle(inside)
        with opened(browser, color_scheme=scheme, locale=locale, viewport={"width": 390, "height": 800}) as (page, _):
            page.goto(f"{server.url}/heads?text=a")
            assert page.locator("h1").inner_text() == title
            assert re.search("1", page.get_by_role("status").inner_text())
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 20, 19)"
            assert dark == (scheme == "dark")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert not Axe().run(page).response["violations"]
            assert not page.evaluate("window.violations ?? []")
            inside.close()
            page.wait_for_selector("[data-testid=stApp]", timeout=(LEFT + 20) * 1000)
            assert page.url == f"{server.url}/heads?text=a", "the address it was on its way to"


def test_a_reload_in_a_full_house_keeps_its_seat(browser):
    with running(script=SMALL, HEADLIGHT_VISITORS="1") as server, opened(browser) as (page, _):
        page.goto(server.url)
        wait_idle(page)
        page.reload()
        wait_idle(page)
        assert eventually(lambda: server.figures()["sessions"] == 1)
        assert page.get_by_text("small").is_visible()
