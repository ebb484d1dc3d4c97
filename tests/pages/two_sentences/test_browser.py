"""What a person does on Two sentences: drag the temperature, pick a word, use a sentence twice, open the link."""

import re

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models import load_embedded
from pages.mechanisms.two_sentences.numbers import START, STOPS, read
from tests.harness import laboratory
from tests.harness.browser import wait_painted
from ui.text import words

WORDS = words("two_sentences", "en")
TEXTS = ("I am a student", "You and me are students")
HOST = """() => [...document.querySelectorAll(".st-key-two_sentences *")].find((node) => node.__headlight)"""


def opened(open_page, url: str | None = None, **options) -> Page:
    pair = {"first": TEXTS[0], "second": TEXTS[1], "two_word": "a4"}
    page = open_page("/two-sentences", url=url, **{"query": pair, **options})
    page.locator(".st-key-two_sentences canvas").first.wait_for()
    page.wait_for_function(f"() => (({HOST})())?.__headlight.frames")
    return page


def frame(page: Page, name: str) -> torch.Tensor:
    return laboratory.film(page, "two_sentences", name).float()


def slide(page: Page, stop: int, *, release: bool) -> None:
    laboratory.slide(page.get_by_role("slider", name=WORDS["temperature"], exact=True), stop, release=release)


def weights(temperature: float, asks: int = 0) -> torch.Tensor:
    """By torch's own attention on the encoded words."""
    reading = read(load_embedded(), "bilstm", TEXTS)
    own, other = reading.encoded[asks], reading.encoded[1 - asks]
    eye = torch.eye(len(other), dtype=torch.float64)
    return F.scaled_dot_product_attention(own[None], other[None], eye[None], scale=1 / temperature)[0].float()


def verdict(page: Page) -> list[str]:
    return page.locator(".st-key-two_sentences figure[data-name=verdict] output").all_inner_texts()


def test_both_normalisations_and_the_verdict_follow_the_finger_and_are_torchs(open_page) -> None:
    page = opened(open_page)
    for asks, name in enumerate(("first", "second")):
        assert_close(frame(page, name), weights(1.0, asks).flatten(), rtol=1e-4, atol=1e-6)
    before = verdict(page)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    slide(page, START + 9, release=False)
    for asks, name in enumerate(("first", "second")):
        assert_close(frame(page, name), weights(STOPS[START + 9], asks).flatten(), rtol=1e-4, atol=1e-6)
    probability, logit, *parts = frame(page, "verdict").tolist()
    assert verdict(page) != before
    assert_close(sum(parts), logit, rtol=1e-4, atol=1e-4)
    assert_close(sum(frame(page, "said_first").tolist()), parts[1], rtol=1e-4, atol=1e-4)
    assert_close(10**probability, float(torch.tensor(logit).sigmoid()), rtol=1e-4, atol=1e-6)
    assert not requests  # no server while the finger is down
    slide(page, START + 9, release=True)
    assert f"two_t={STOPS[START + 9]:g}" in page.url

    elsewhere = opened(open_page, page.url)
    for name in ("first", "second", "verdict", "vectors"):
        assert_close(frame(elsewhere, name), frame(page, name))


def test_a_word_is_picked_with_a_click_and_with_the_keyboard(open_page) -> None:
    page = opened(open_page)
    student = frame(page, "vectors")
    box = page.evaluate(f"() => (({HOST})()).__headlight.boxes().second.box")
    canvas = page.locator(".st-key-two_sentences figure[data-name=second] canvas")
    canvas.click(position={"x": box["x"] + 5, "y": box["y"] + box["h"] * 2.5 / 5})  # the third row: "me"
    page.wait_for_url("**two_word=b3**")
    wait_painted(page)
    own, copy, difference = frame(page, "vectors").view(3, -1)
    reading = read(load_embedded(), "bilstm", TEXTS)
    a, b = (one.float() for one in reading.encoded)
    assert_close(own, b[2])
    assert_close(copy, F.scaled_dot_product_attention(b[None], a[None], a[None], scale=1.0)[0, 2], rtol=1e-4, atol=1e-5)
    assert_close(difference, own - copy, rtol=1e-4, atol=1e-6)
    assert not torch.equal(frame(page, "vectors"), student)

    bars = page.locator(".st-key-two_sentences figure[data-name=said_first] canvas")
    bars.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"two_word=a\d"))


def test_pairs_and_the_same_sentence_twice(open_page) -> None:
    page = opened(open_page)
    page.get_by_role("button", name=WORDS["pairs"]).click()
    page.get_by_role("button", name="This smart pupil assisted the aged doctor").click()
    wait_painted(page)
    evidence = frame(page, "said_second")
    assert int(evidence.argmin()) == 6 and 10 ** float(frame(page, "verdict")[0]) < 0.5  # "doctor" speaks against
    page.keyboard.press("Escape")
    page.get_by_role("button", name=WORDS["twice"]).click()
    page.get_by_text("this is self-attention").wait_for()
    wait_painted(page)
    assert_close(frame(page, "first"), frame(page, "second"))
    assert 10 ** float(frame(page, "verdict")[0]) > 0.5


@pytest.mark.parametrize("width", [1440])
def test_the_slider_the_maps_and_the_evidence_share_the_first_screen(open_page, width: int) -> None:
    page = opened(open_page, width=width)
    for name in ("controls", "verdict", "scores", "first", "second", "said_first", "said_second"):
        box = page.locator(f".st-key-two_sentences figure[data-name={name}]").bounding_box()
        assert box["y"] + box["height"] <= 900, name


@pytest.mark.parametrize("width", [1440, 390])
def test_64_tokens_a_side_fit_and_nothing_scrolls_sideways(open_page, width: int) -> None:
    long = " ".join(["word", "internationalization", "a", "&lt;b&gt;"] * 30)
    page = opened(open_page, width=width, query={"first": long, "second": long + " again"})
    assert frame(page, "scores").numel() == 64 * 64
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
