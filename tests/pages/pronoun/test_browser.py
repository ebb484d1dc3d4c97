"""What a person does on its → Law: read a row, click another, type, train and scrub; against the run, trained again."""

import re

import torch
from playwright.sync_api import Page, expect
from safetensors.torch import load_file
from torch.testing import assert_close

from attention_core.experiments.pronoun import EXAMPLE, Pronoun
from attention_core.models.trained import CHECKPOINT
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.pages.pronoun.test_numbers import torchs
from ui.text import words

SHARED, PAGE = words("training", "en"), words("pronoun", "en")
DONE = re.compile(SHARED["ended"].partition("{")[0])
CONFIG = Pronoun(d_k=8, steps=12, every=1)


def ready(page: Page) -> Page:
    for key in ("pr_reading", "pr_lab"):
        page.wait_for_function(f"() => ({laboratory.HOST})('{key}')", timeout=60_000)
    wait_idle(page)
    return page


def sentence(page: Page, n: int) -> torch.Tensor:
    return laboratory.film(page, "pr_reading", "weights").view(2, n, n)


def test_a_sentence_is_painted_as_torch_reads_it_and_a_click_chooses_a_row(open_page) -> None:
    page, state = ready(open_page("/its-law")), load_file(CHECKPOINT)
    assert_close(sentence(page, 13), torchs(state, EXAMPLE)[0].double(), rtol=1e-4, atol=1e-6)
    answer = page.locator("strong", has_text="the layer says")
    assert answer.inner_text().startswith("its stands for law")
    canvas = page.locator(".st-key-pr_reading [data-name=map_0] canvas")
    canvas.focus()
    for _ in range(4):
        canvas.press("ArrowUp")  # from "its" to the king
    canvas.press("Enter")
    page.get_by_text(re.compile(r"The row of")).wait_for()
    wait_idle(page)
    assert "pr_row=4" in page.url
    text = "the queen loved the tower , but her ship should be old ."
    box = page.get_by_label(PAGE["sentence"])
    box.fill(text)
    box.press("Enter")
    page.locator("strong", has_text="her stands for queen").wait_for()
    wait_painted(page)
    assert_close(sentence(page, 13), torchs(state, text)[0].double(), rtol=1e-4, atol=1e-6)
    assert "pr_row" not in page.url  # the place belonged to the other sentence
    page.get_by_role("button", name=PAGE["words.empty"], exact=True).click()
    for word, written in (("the", "the"), ("nun", "the nun"), ("the", "the nun the")):  # one word twice
        page.locator("[class*=st-key-pr_words_]").get_by_role("radio", name=word, exact=True).click()
        expect(box).to_have_value(written)
        wait_idle(page)


def test_scrubbing_shows_what_was_recorded_at_every_step_and_asks_nothing(open_page) -> None:
    page = ready(open_page("/its-law", query={"pr_steps": "12", "pr_dk": "8"}))
    page.locator(".st-key-pr_buttons").get_by_role("button", name=SHARED["train_yourself"], exact=True).click()
    page.get_by_text(DONE).wait_for(timeout=120_000)
    wait_idle(page)
    records = list(CONFIG.records())
    asked = page.evaluate("() => window.__sent")
    handle = page.locator(".st-key-pr_lab [data-slider=step] input")
    for stop in (12, 5, 0):
        laboratory.slide(handle, stop)
        arrays = records[stop].arrays
        weights = laboratory.film(page, "pr_lab", "weights inverse_sqrt").view(13, 13)
        assert_close(weights, arrays["weights"][0].double(), rtol=0, atol=1e-7)
        for matrix in ("W_Q", "W_K"):
            shown = laboratory.film(page, "pr_lab", f"{matrix} inverse_sqrt").view(8, 64)
            assert_close(shown.mT, arrays[f"{matrix}.0"][0].double(), rtol=0, atol=1e-7)
        law = laboratory.film(page, "pr_lab", "law")
        assert_close(law, arrays["weights"][:, 7, 1].double(), rtol=0, atol=1e-7)
    assert page.evaluate("() => window.__sent") == asked
    laboratory.slide(handle, 3, release=True)
    assert "pr_step=3" in page.url
