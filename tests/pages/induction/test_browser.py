"""What a person does with induction heads: train, and scrub through the two heads; against the run, trained again."""

import re

import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.experiments.induction import Induction
from pages.training.induction.numbers import NEVER
from tests.harness import laboratory
from tests.harness.browser import wait_idle
from ui.text import words

SHARED = words("training", "en")
DONE = re.compile(SHARED["ended"].partition("{")[0])
CONFIG = Induction(rule="inverse_sqrt", d_k=8, steps=12, every=1, stop_at=NEVER)
FUTURE = torch.ones(48, 48).triu(1).bool()


@pytest.fixture
def trained(open_page) -> Page:
    page = open_page("/induction", query={"in_steps": "12", "in_dk": "8", "in_rules": "inverse_sqrt"})
    page.wait_for_function(f"() => ({laboratory.HOST})('in_lab')", timeout=60_000)
    wait_idle(page)
    page.locator(".st-key-in_buttons").get_by_role("button", name=SHARED["train_yourself"], exact=True).click()
    page.get_by_text(DONE).wait_for(timeout=120_000)
    wait_idle(page)
    return page


def test_scrubbing_shows_the_heads_of_every_step_and_asks_nothing(trained) -> None:
    page, records = trained, list(CONFIG.records())
    asked = page.evaluate("() => window.__sent")
    handle = page.locator(".st-key-in_lab [data-slider=step] input")
    best = [divmod(int(records[-1].arrays[kind].argmax()), 2) for kind in ("previous", "induction")]
    for stop in (12, 5, 0):
        laboratory.slide(handle, stop)
        shown = laboratory.film(page, "in_lab", "weights inverse_sqrt").view(2, 48, 48)
        arrays = records[stop].arrays
        for place, (layer, head) in enumerate(best):
            weights = arrays[f"weights.{layer}"][0, head].double()
            assert_close(shown[place].masked_fill(FUTURE, 0.0), weights.masked_fill(FUTURE, 0.0), rtol=0, atol=1e-7)
        assert bool(shown[:, FUTURE].isnan().all())  # hatched, not 0
        heads = laboratory.film(page, "in_lab", "heads inverse_sqrt").view(2, 4)
        expected = torch.stack([arrays["previous"], arrays["induction"]]).flatten(1).double()
        assert_close(heads, expected, rtol=0, atol=1e-7)
        curves = laboratory.film(page, "in_lab", "curves")
        assert_close(curves[1].item(), records[stop].loss, rtol=1e-6, atol=0)
    assert page.evaluate("() => window.__sent") == asked
    laboratory.slide(handle, 3, release=True)
    assert "in_step=3" in page.url
