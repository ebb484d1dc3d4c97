"""What a person does on the page about √d_k: drag, break an assumption, draw again, and read the numbers."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models.pretrained import load_embedded
from tests.harness.browser import wait_idle
from tests.harness.training import number
from ui.controls import DEFAULT_HEAD, DEFAULT_LAYER, DEFAULT_SENTENCE
from ui.text import words

pytestmark = pytest.mark.usefixtures("awake")
WORDS = words("why_sqrt", "en")


def row(page: Page, name: str) -> tuple[float, float, float, float]:
    """Claimed, theory, measured and its standard error, from the table beside the sliders."""
    cells = page.locator(".st-key-read_outs tr").filter(has=page.get_by_text(WORDS[f"table.{name}"], exact=True))
    claimed, theory, measured = (text for text in cells.locator("td").all_inner_texts()[1:])
    value, error = measured.split("±")
    return number(claimed), number(theory), number(value), number(error)


def drawn_by_numpy(d_k: int, rho: float) -> tuple[float, float]:
    """Mean and variance of 40 000 products whose components numpy draws."""
    generator = np.random.default_rng(0)
    q, other = generator.standard_normal((2, 40_000, d_k))
    dots = np.einsum("nd,nd->n", q, rho * q + np.sqrt(1 - rho**2) * other)
    return dots.mean(), dots.var()


def press(page: Page, label: str, key: str, times: int) -> None:
    slider = page.get_by_role("slider", name=label)
    slider.focus()
    for _ in range(times):
        slider.press(key)
    wait_idle(page)


def eager_products(eager) -> np.ndarray:
    """q·k of the head on screen, from transformers' own layers and hidden states."""
    ids = torch.tensor([load_embedded().tokenize(DEFAULT_SENTENCE).ids])
    with torch.no_grad():
        hidden = eager(input_ids=ids, output_hidden_states=True).hidden_states[DEFAULT_LAYER - 1][0]
        attention = eager.encoder.layer[DEFAULT_LAYER - 1].attention.self
        own = slice((DEFAULT_HEAD - 1) * 32, DEFAULT_HEAD * 32)
        q, k = (side(hidden)[:, own].double().numpy() for side in (attention.query, attention.key))
    return q @ k.T


def test_a_person_drags_breaks_an_assumption_and_draws_again(open_page, eager) -> None:
    page = open_page("/why-sqrt")
    false = page.get_by_text(WORDS["derivation.false"], exact=True)

    press(page, WORDS["control.d_k"], "ArrowRight", 1)  # 64 → 128
    claimed, theory, measured, error = row(page, "variance")
    assert claimed == theory == 128
    mean, spread = drawn_by_numpy(128, 0.0)
    assert abs(measured - spread) < 5 * np.sqrt(2) * error
    assert false.count() == 0

    press(page, WORDS["control.correlation"], "ArrowRight", 10)  # 0 → 0.5
    mean, spread = drawn_by_numpy(128, 0.5)
    for name, expected in (("mean", mean), ("variance", spread)):
        _, _, measured, error = row(page, name)
        assert abs(measured - expected) < 5 * np.sqrt(2) * error
    assert false.count() == 5

    before = row(page, "variance")[2]
    page.get_by_role("button", name=WORDS["control.again"]).click()
    wait_idle(page)
    _, _, again, error = row(page, "variance")
    assert again != before
    assert abs(again - spread) < 5 * np.sqrt(2) * error

    dots = eager_products(eager)
    shown = page.get_by_test_id("stMetric").filter(has_text=WORDS["trained.variance"]).first
    value = number(shown.get_by_test_id("stMetricValue").inner_text())
    assert_close(value, float(np.var(dots)), rtol=1e-3, atol=0)

    elsewhere = open_page(url=page.url)
    assert row(elsewhere, "variance") == row(page, "variance")
    assert row(elsewhere, "mean") == row(page, "mean")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_figure_can_be_saved_with_the_keyboard(open_page, language) -> None:
    page = open_page("/why-sqrt", language=language)
    tools = page.get_by_role("button", name=words("canvas", language)["svg"], exact=True)
    tools.nth(4).wait_for()
    names = []
    for tool in tools.all():
        with page.expect_download() as download:
            tool.press("Enter")
        names.append(download.value.suggested_filename)
        drawing = ElementTree.parse(download.value.path()).getroot()
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(list(drawing.iter("{http://www.w3.org/2000/svg}path"))) > 5
    kinds = ("mc_histogram", "mc_curves", "trained_histogram", "trained_parts", "trained_heads")
    assert names == [f"headlight_{kind}.svg" for kind in kinds]
