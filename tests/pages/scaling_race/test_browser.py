"""What a person does in the scaling race: start, watch, stop, scrub, resume, save, load, leave; against torch."""

import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page, expect
from safetensors.torch import load
from torch.testing import assert_close

from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint
from tests.harness import laboratory
from tests.harness.browser import wait_idle, wait_painted
from tests.harness.laboratory import RERUNS
from ui.text import words

SHARED, PAGE = words("training", "en"), words("scaling_race", "en")
HOST = """() => [...document.querySelectorAll('.st-key-sr_lab *')].find((node) => node.__headlight)"""
TRAINS = re.compile(r"steps/s|place \d+ in the queue")
STOPPED, DONE = (re.compile(SHARED[key].partition("{")[0]) for key in ("stopped", "ended"))
QUERY = {"sr_steps": "150", "sr_dk": "8", "sr_rules": "inverse_sqrt"}
CONFIG = Sort(d_k=8, steps=150, every=5)


def painted(page: Page, film: str) -> torch.Tensor:
    return laboratory.film(page, "sr_lab", film)


def step(page: Page) -> int:
    return int(page.locator(".st-key-sr_lab [data-slider=step] output").inner_text())


def slide(page: Page, stop: int, *, release: bool = False) -> None:
    laboratory.slide(page.locator(".st-key-sr_lab [data-slider=step] input"), stop, release=release)


def press(page: Page, name: str) -> None:
    page.locator(".st-key-sr_buttons").get_by_role("button", name=name, exact=True).click()


def unfold(page: Page) -> None:
    page.get_by_role("button", name=SHARED["files"]).click()
    page.get_by_text(SHARED["load_label"]).first.wait_for()


def saved(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).first.click()
    return Path(download.value.path()).read_bytes()


def attention(state: dict[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
    """softmax(QKᵀ/√d_k) of the trained layer, by torch's own functions."""
    x = state["tokens"][tokens] + state["positions"]
    normed = F.layer_norm(x, (64,), state["layers.0.norm.weight"], state["layers.0.norm.bias"])
    q, k = (normed @ state[f"layers.0.attention.{name}"][0] for name in ("W_Q", "W_K"))
    return F.scaled_dot_product_attention(q, k, torch.eye(16)).double()


@pytest.fixture
def opened(open_page):
    def opened(**query: str) -> Page:
        page = open_page("/scaling-race", query=query)
        page.wait_for_function(f"() => ({HOST})()?.__headlight.frames", timeout=60_000)
        wait_idle(page)
        return page

    return opened


def test_start_stop_scrub_resume_save_and_load(opened, tmp_path) -> None:
    page = opened(**QUERY)
    assert step(page) == 300  # of the recording
    press(page, SHARED["train_yourself"])
    page.wait_for_function("() => +document.querySelector('.st-key-sr_progress [role=progressbar]')?.ariaValueNow > 0",
                           timeout=60_000)  # fmt: skip
    press(page, SHARED["stop"])
    page.get_by_text(STOPPED).wait_for(timeout=60_000)
    wait_painted(page)
    reached = step(page)
    assert 0 < reached < 150
    # Scrub: the whole history is in the browser, so nothing is asked of the server.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(RERUNS)
    frames = page.evaluate(f"() => ({HOST})().__headlight.frames")
    maps = []
    for stop in range(reached // 5, -1, -1):
        slide(page, stop)
        maps.append(painted(page, "W inverse_sqrt"))
        assert step(page) == 5 * stop
    assert page.evaluate(f"() => ({HOST})().__headlight.frames") - frames >= len(maps)
    assert not asked and page.evaluate("() => window.__reruns") == 0
    assert all((a - b).nan_to_num().abs().max() > 0 for a, b in pairwise(maps))
    untouched = dict(CONFIG.build().state_dict())
    assert_close(maps[-1].view(64, 64)[:, :8], untouched["layers.0.attention.W_Q"][0].double(), rtol=2e-3, atol=1e-4)
    tokens = painted(page, "tokens").long()
    assert_close(painted(page, "weights inverse_sqrt").view(16, 16), attention(untouched, tokens), rtol=2e-3, atol=1e-4)
    slide(page, 1, release=True)
    assert "sr_step=5" in page.url
    # Resume: the same records as a run that was never interrupted.
    press(page, SHARED["resume"])
    page.get_by_text(DONE).wait_for(timeout=180_000)
    wait_idle(page)
    digest = fingerprint(list(CONFIG.records()))
    expect(page.get_by_text(digest)).to_be_visible()
    slide(page, 30, release=True)
    weights = painted(page, "weights inverse_sqrt").view(16, 16)
    # Save.
    unfold(page)
    records, state = saved(page, SHARED["records"]), saved(page, SHARED["weights"])
    with np.load(io.BytesIO(records)) as archive:
        assert archive["step"].tolist() == list(range(0, 151, 5))
        assert archive["accuracy"][-1] > archive["accuracy"][0]
    assert_close(weights, attention(load(state), tokens), rtol=2e-3, atol=1e-4)
    # Load, in a session of its own.
    (tmp_path / "a.npz").write_bytes(records)
    (tmp_path / "a.safetensors").write_bytes(state)
    (tmp_path / "bad.npz").write_bytes(records[:-100])
    other = opened()
    unfold(other)
    other.locator("input[type=file]").set_input_files(tmp_path / "bad.npz")
    other.get_by_text(SHARED["refused.damaged"]).wait_for()
    wait_idle(other)  # the empty place for the next file has taken the place of this one
    other.locator("input[type=file]").set_input_files([tmp_path / "a.npz", tmp_path / "a.safetensors"])
    other.get_by_text(digest).wait_for(timeout=60_000)
    assert other.get_by_text(SHARED["refused.damaged"]).count() == 0
    wait_idle(other)
    assert step(other) == 150
    assert_close(painted(other, "weights inverse_sqrt").view(16, 16), weights, rtol=0, atol=0)
    # Open: Pipeline shows the layer on a sentence of its own, with the weights that torch finds.
    other.get_by_role("button", name=SHARED["open"], exact=True).first.click()
    other.wait_for_url(re.compile(r"model="))
    read = laboratory.heat_map(other, "canvas_weights", "weights")
    box = other.get_by_role("textbox", name=words("controls", "en")["sentence"])
    expect(box).to_have_value(re.compile(r"^\d"))  # a sentence of this layer: the numbers it was taught to sort
    expected = attention(load(state), torch.tensor([int(word) for word in box.input_value().split()]))
    assert_close(read.view(16, 16).double(), expected, rtol=2e-3, atol=1e-4)


def test_a_closed_tab_frees_its_core_within_seconds(opened) -> None:
    """Three long runs on a server of two cores, or as many as there are: the last waits, until a tab is closed."""
    from ui.compute.cores import cores

    long = {"sr_steps": "1000", "sr_dk": "4", "sr_rules": "none,inverse_sqrt,inverse,qk_norm"}
    pages = [opened(**long) for _ in range(cores() + 1)]
    for page in pages:
        press(page, SHARED["train_yourself"])
        page.get_by_text(TRAINS).wait_for(timeout=30_000)
    waiting = pages[-1].get_by_text(re.compile(r"place 1 in the queue"))
    waiting.wait_for(timeout=30_000)
    pages[0].close()
    pages[-1].get_by_text(re.compile(r"steps/s")).wait_for(timeout=20_000)
    assert waiting.count() == 0
