"""Long answers on a page: Stop is answered at once, with a way to go on."""

from pathlib import Path

from tests.harness.browser import wait_idle

HARNESS = Path(__file__).parent / "apps" / "waiting_app.py"


def test_stop_gives_way_to_go_on_and_go_on_to_stop(open_page) -> None:
    page = open_page(script=HARNESS)
    for _ in range(2):
        page.get_by_role("button", name="Stop").click()
        go_on = page.get_by_role("button", name="Compute it after all")
        go_on.wait_for(timeout=10_000)
        assert page.get_by_role("button", name="Stop").count() == 0
        go_on.click()
        page.get_by_role("button", name="Stop").wait_for(timeout=10_000)


def test_what_failed_says_so_and_does_not_ask_again_and_again(open_page) -> None:
    page = open_page(script=HARNESS, query={"fails": "1"})
    page.get_by_role("alert").wait_for(timeout=10_000)
    page.get_by_role("button", name="Compute it after all").wait_for(timeout=10_000)
    wait_idle(page)
    before = page.evaluate("window.__sent")
    page.wait_for_timeout(2000)  # a page that waits looks twice a second
    assert page.evaluate("window.__sent") == before
