"""What a person does on the page Alignment: train local-m and global, stop, scrub, resume; against the records."""

import re

import pytest
import torch
from playwright.sync_api import Page, expect
from torch.testing import assert_close

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.store import fingerprint
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.harness.laboratory import RERUNS
from ui.text import words

SHARED = words("training", "en")
DONE = re.compile(SHARED["ended"].partition("{")[0])
QUERY = {"al_steps": "10", "al_variants": "global,local_m", "al_D": "3", "al_task": "copy"}
CONFIGS = {mode: Alignment(mode=mode, D=3, steps=10, every=1) for mode in ("global", "local_m")}


def painted(page: Page, film: str) -> torch.Tensor:
    return laboratory.film(page, "al_lab", film)


def press(page: Page, name: str) -> None:
    page.locator(".st-key-al_buttons").get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def opened(open_page):
    def opened(**query: str) -> Page:
        page = open_page("/alignment", query=query)
        page.wait_for_function(f"() => ({laboratory.HOST})('al_lab')?.__headlight.frames", timeout=60_000)
        wait_idle(page)
        return page

    return opened


def test_start_scrub_and_find_the_records_of_the_core(opened) -> None:
    page = opened(**QUERY)
    t = torch.arange(16)
    apart = (t[:, None] - t).abs()
    recorded = painted(page, "alignment local_m").view(16, 16)  # its D is 2, and that of the link is not shown yet
    assert (recorded.isnan() == (apart > 2)).all()
    press(page, SHARED["train_yourself"])
    page.get_by_text(DONE).wait_for(timeout=120_000)
    wait_painted(page)
    records = {mode: list(config.records()) for mode, config in CONFIGS.items()}
    for by_step in records.values():
        expect(page.get_by_text(fingerprint(by_step))).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(RERUNS)
    step = page.locator(".st-key-al_lab [data-slider=step] input")
    for stop in (10, 6, 2, 0):
        laboratory.slide(step, stop)
        for mode, by_step in records.items():
            kept = by_step[stop].arrays["alignment"][0].double()
            shown = painted(page, f"alignment {mode}").view(16, 16)
            assert_close(shown.nan_to_num(), kept, rtol=0, atol=1e-6)
            assert (shown.isnan() == ((apart > 3) & (mode == "local_m"))).all()
        assert_close(painted(page, "center local_m"), t.double())
        mean = records["global"][stop].arrays["alignment"][0].double() @ t.double()
        assert_close(painted(page, "center global"), mean, rtol=1e-5, atol=1e-5)
        accuracy = torch.tensor([records[mode][stop].accuracy for mode in records], dtype=torch.float64)
        assert_close(painted(page, "curves")[:2], accuracy, rtol=1e-6, atol=0)
    assert not asked and page.evaluate("() => window.__reruns") == 0
    laboratory.slide(step, 6, release=True)
    assert "al_step=6" in page.url
