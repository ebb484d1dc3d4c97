"""Pipeline as a person uses it, against transformers' own eager attention."""

import re

import pytest
import torch
from playwright.sync_api import Page
from torch.testing import assert_close

from attention_core.models.pretrained import load_embedded
from tests.harness.browser import wait_frames, wait_idle, wait_painted
from tests.harness.laboratory import heat_map
from ui.numbers import significant

TEXT = "The law saw the king, but its city should be just."
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HOSTILE = f"<script>alert(1)</script> <a href=https://example.org>x</a> #000001 {FAMILY} مرحبا"


def weights_of(eager, text: str, layer: int, head: int) -> torch.Tensor:
    ids = torch.tensor([load_embedded().tokenize(text).ids])
    with torch.no_grad():
        return eager(input_ids=ids, output_attentions=True).attentions[layer][0, head]


def click_cell(page: Page, key: str, index: int, row: int, col: int) -> None:
    canvas = page.locator(f".st-key-{key} canvas").nth(index)
    canvas.scroll_into_view_if_needed()
    box = canvas.evaluate("canvas => canvas.__box")
    canvas.click(
        position={
            "x": box["x"] + (col + 0.5) * box["w"] / box["cols"],
            "y": box["y"] + (row + 0.5) * box["h"] / box["rows"],
        }
    )
    wait_painted(page)


def test_the_painted_weights_are_those_of_eager_attention(open_page, eager) -> None:
    page = open_page("/pipeline", query={"text": TEXT, "layer": "3", "head": "8"})
    assert_close(
        heat_map(page, "canvas_weights", "weights"), weights_of(eager, TEXT, 2, 7).flatten(), rtol=0, atol=1e-6
    )


def test_a_clicked_score_explains_itself_and_the_link_shows_the_same_elsewhere(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT, "layer": "3", "head": "8"})
    model = load_embedded()
    tokens = model.tokenize(TEXT)
    trace = model.run(tokens).layers[2].head(7)
    heat_map(page, "canvas_scores", "scores")
    click_cell(page, "canvas_scores", 2, 5, 4)
    score = float((trace.q[5].double() * trace.k[4].double()).sum())
    margin = page.locator(".st-key-margin")
    expected = [f"query 6: {tokens.strings[5]}", f"key 5: {tokens.strings[4]}", significant(score)]
    for text in expected:
        margin.get_by_text(text).first.wait_for()
    page.wait_for_url(re.compile(r"cell=scores%2C5%2C4|cell=scores,5,4"))
    again = open_page(url=page.url)
    for text in expected:
        again.locator(".st-key-margin").get_by_text(text).first.wait_for()


def test_the_keyboard_alone_reaches_a_cell_and_its_explanation(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT})
    heat_map(page, "canvas_weights", "weights")
    canvas = page.locator(".st-key-canvas_weights canvas").first
    canvas.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    wait_painted(page)
    cell = page.evaluate("() => window.__headlightBus.state.main.focus")
    tokens = load_embedded().tokenize(TEXT).strings
    page.locator(".st-key-margin").get_by_text(f"query {cell['query'] + 1}: {tokens[cell['query']]}").wait_for()


def test_the_sentence_and_the_explanation_stay_in_sight(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT})
    heat_map(page, "canvas_context", "context")
    page.locator(".st-key-stage_context").scroll_into_view_if_needed()
    wait_painted(page)
    for key in ("strip", "margin"):
        box = page.locator(f".st-key-{key}").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 400, key


def test_on_a_narrow_screen_the_explanation_lies_below_and_covers_less_than_half(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT}, width=390, height=844)
    heat_map(page, "canvas_weights", "weights")
    page.locator(".st-key-stage_weights").scroll_into_view_if_needed()
    wait_painted(page)
    box = page.locator(".st-key-margin").bounding_box()
    assert box is not None
    assert 844 * 0.5 < box["y"] < 844


def test_whatever_is_typed_stays_text(open_page) -> None:
    page = open_page("/pipeline")
    page.get_by_label("Your sentence").fill(HOSTILE)
    page.get_by_label("Your sentence").press("Enter")
    wait_painted(page)
    assert page.locator("a[href*='example.org']").count() == 0
    assert page.locator(".st-key-strip").get_by_role("button", name="script").count() > 0


@pytest.mark.parametrize(
    "model", [{}, {"model": "scratch", "positions": "alibi", "n_head": "3"}], ids=["plain", "bias"]
)
def test_dragging_the_temperature_previews_what_torch_then_computes(open_page, model) -> None:
    page = open_page("/pipeline", query={"text": TEXT, "layer": "3", "head": "2", **model})
    heat_map(page, "canvas_weights", "weights")
    slider = page.locator(".st-key-canvas_weights input[type=range]")
    slider.evaluate("s => { s.value = 40; s.dispatchEvent(new Event('input')); }")
    wait_frames(page)
    preview = heat_map(page, "canvas_weights", "weights")
    slider.evaluate("s => s.dispatchEvent(new Event('change'))")
    page.wait_for_url(re.compile("temperature="))
    wait_painted(page)
    committed = heat_map(page, "canvas_context", "weights")
    assert_close(preview, committed, rtol=0, atol=1e-6)


def test_half_of_a_character_does_not_break_the_connection(open_page) -> None:
    """A lone surrogate has no UTF-8: unmended, the message that carries it closes the WebSocket."""
    page = open_page("/pipeline", query={"text": TEXT})
    closed: list[str] = []
    page.on("websocket", lambda socket: closed.append(socket.url))  # a new one is opened when the old one broke
    page.get_by_label("Your sentence").evaluate(
        """input => {
            const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
            set.call(input, "law \\ud83d king");
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    page.get_by_label("Your sentence").press("Enter")
    wait_painted(page)
    page.locator(".st-key-strip").get_by_role("button", name="king").first.wait_for(timeout=20_000)
    assert page.locator(".st-key-strip").get_by_role("button", name="animal").count() == 0
    assert not closed


def test_the_settings_popover_shows_what_holds_after_a_released_temperature(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT})
    heat_map(page, "canvas_weights", "weights")
    slider = page.locator(".st-key-canvas_weights input[type=range]")
    slider.evaluate(
        "s => { s.value = 150; s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }"
    )
    page.wait_for_url(re.compile("temperature="))
    wait_idle(page)
    page.get_by_role("button", name=re.compile("Settings")).click()
    page.get_by_role("radio", name="causal").wait_for()
    assert page.get_by_role("slider", name="Input scale").get_attribute("aria-valuetext") == "1.0"
    page.get_by_role("radio", name="causal").click()
    page.wait_for_url(re.compile("mask=causal"))
    assert "alpha" not in page.url


def test_the_take_away_link_follows_every_click(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT})
    heat_map(page, "canvas_weights", "weights")
    page.locator(".st-key-strip .chips.query").get_by_role("button").nth(3).click()
    page.wait_for_url(re.compile("focus=3"))
    wait_idle(page)
    page.get_by_role("button", name="Take it away").click()
    page.get_by_text(re.compile(r"focus=3%2C")).wait_for(timeout=10_000)


def test_the_margin_explains_the_stage_that_is_read_and_a_picked_cell_as_long_as_its_stage_is(open_page) -> None:
    page = open_page("/pipeline", query={"text": TEXT, "layer": "3", "head": "8", "focus": "5,4"})
    model = load_embedded()
    trace = model.run(model.tokenize(TEXT)).layers[2].head(7)
    margin = page.locator(".st-key-margin")
    heat_map(page, "canvas_context", "context")

    def read(stage: str) -> None:
        page.locator(f".st-key-canvas_{stage}").evaluate("node => node.scrollIntoView({ block: 'center' })")

    read("x")
    margin.get_by_text("token 6: ").first.wait_for()
    read("scaled")
    margin.get_by_text(significant(float(trace.scaled_scores[5, 4]))).first.wait_for()
    assert "cell=" not in page.url  # to scroll is no step of history
    read("exp")
    power = (trace.masked_scores[5, 4] - trace.masked_scores[5].max()).exp()
    margin.get_by_text(significant(float(power))).first.wait_for()
    click_cell(page, "canvas_exp", 0, 3, 2)
    margin.get_by_text("query 4: ").first.wait_for()
    read("context")
    margin.get_by_text(significant(float(trace.context[3, 0]))).first.wait_for()
    read("exp")
    margin.get_by_text("key 3: ").first.wait_for()  # the picked cell is there again
