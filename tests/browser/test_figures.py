"""Figures of pages as files: what a reader of a paper has to know stands below them, whatever was typed."""

import numpy as np
import pytest

from tests.harness.saving import caption_of, pdf_of, saved, spelled
from ui.controls import DEFAULT_SENTENCE
from ui.text import words

HOSTILE = '<script>&" snake_case 我爱北京'


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_map_says_its_model_layer_head_sentence_and_settings(open_page, language) -> None:
    query = {"text": HOSTILE, "layer": "2", "head": "3", "scaling": "none"}
    scores = open_page("/pipeline", language=language, theme="dark", query=query).locator(".st-key-canvas_scores")
    common = words("controls", language)
    place = common.data("caption.head", layer=common.data("stack.layer", number=2), head=3)
    settings = f"{common['scaling']}: {common['scalings.none']}"
    source = saved(scores, "SVG", "scores")
    expected = f"QKᵀ · {place} · all-MiniLM-L6-v2 · “{HOSTILE}” · {settings} · "
    assert caption_of(source).startswith(expected)
    assert b"<script" not in source
    assert "".join(HOSTILE.split()) in "".join("".join(spelled(source)).split())
    text, picture = pdf_of(saved(scores, "PDF", "scores"))
    flat = "".join(text.split())
    assert all("".join(part.split()) in flat for part in (place, "all-MiniLM-L6-v2", HOSTILE, settings))
    assert np.asarray(picture)[:4].min() == 255, "white, although the page is dark"


def test_a_chosen_head_is_that_of_the_caption_at_once(open_page) -> None:
    page = open_page("/pipeline", query={"layer": "2", "head": "3"})
    page.locator(".st-key-head [role=radio]").nth(6).click()
    page.wait_for_url("**head=7**")
    scores = page.locator(".st-key-canvas_scores")
    assert "Layer 2, head 7" in caption_of(saved(scores, "SVG", "q"))


def test_a_panel_of_a_laboratory_says_where_the_sliders_stand(open_page) -> None:
    vanishing = open_page("/vanishing", query={"dk": "64"}).locator(".st-key-vanishing")
    source = saved(vanishing, "SVG", "weights")
    caption = caption_of(source)
    assert caption.startswith("Head 1 · d_k = 64 · "), "not the heading of the numbers beside it"
    assert DEFAULT_SENTENCE in caption and words("controls", "en")["scratch"] in caption
    assert "masked" not in spelled(source)
    assert "dk=64" in "".join(pdf_of(saved(vanishing, "PDF", "weights"))[0].split())


def test_a_figure_tells_nobody_to_click(open_page) -> None:
    vanishing = open_page("/vanishing").locator(".st-key-vanishing")
    hint = words("vanishing", "en")["map_hint"]
    picture = vanishing.locator("[data-name=weights] canvas")
    assert hint in (picture.get_attribute("aria-label") or "")
    assert not any(hint in text for text in spelled(saved(vanishing, "SVG", "weights")))


def test_a_difference_says_what_both_of_its_sides_are(open_page) -> None:
    query = {"tab": "compare", "layer": "2", "head": "5", "b_layer": "3", "b_head": "7"}
    page = open_page("/heads", query=query)
    caption = caption_of(saved(page.locator(".st-key-compare_D"), "SVG"))
    common = words("controls", "en")
    a, b = (
        f"{side}: {common.data('caption.head', layer=common.data('stack.layer', number=layer), head=head)} · all-MiniLM"
        for side, layer, head in (("A", 2, 5), ("B", 3, 7))
    )
    assert caption.startswith(f"A − B · {a}") and b in caption
    other = caption_of(saved(page.locator(".st-key-compare_B"), "SVG"))
    assert other.startswith("B · Layer 3, head 7 · all-MiniLM")


def test_the_mean_of_the_heads_is_of_a_layer_and_of_no_head(open_page) -> None:
    page = open_page("/heads", query={"show": "mean", "layer": "2", "head": "5"})
    caption = caption_of(saved(page.locator(".st-key-large_mean"), "SVG"))
    assert caption.startswith(f"ᾱ · Layer 2, {words('heads', 'en')['shows.mean']} · all-MiniLM")


def test_what_a_page_was_of_is_forgotten_on_the_next(open_page) -> None:
    page = open_page("/pipeline")
    page.locator(".st-key-canvas_scores .tool.save").wait_for()
    page.get_by_test_id("stHeader").get_by_text(words("common", "en")["section.saturation"]).click()
    page.get_by_role("menuitem", name=words("common", "en")["page.softmax.title"]).click()
    article = page.locator(".st-key-softmax_article")
    article.locator(".tool.save").wait_for()
    assert "MiniLM" not in caption_of(saved(article, "SVG"))
