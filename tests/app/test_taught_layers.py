"""Layers that were trained here are models of Explore and Saturation: the shipped one, and the visitor's own."""

import re

import pytest
import torch
import torch.nn.functional as F
from streamlit.testing.v1 import AppTest
from torch.testing import assert_close

from attention_core.experiments.pronoun import EXAMPLE, WORDS
from attention_core.experiments.sort import Sort
from attention_core.models import load_pronoun
from tests.harness import training
from tests.harness.scripts import printed
from tests.harness.training import arrived, ended
from tests.pages.pipeline.test_app import pictures
from ui.session import OWN, TAUGHT
from ui.text import words

EXPLORE = ("pipeline", "heads")
STRAINED = "vanishing"


def opened(page: str, **link: str) -> AppTest:
    app = arrived(page, **({"lang": "en"} | link))  # AppTest itself names the options of a menu in English
    assert not app.exception
    assert not app.error
    return app


def weights_shown(app: AppTest) -> torch.Tensor:
    """The map of the weights on Pipeline: what was sent are logits, of which the browser takes the softmax."""
    sent = next(arrays["weights"] for _, arrays in pictures(app).values() if "weights" in arrays)
    return sent.float().softmax(dim=-1)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("page", [*EXPLORE, STRAINED])
def test_the_shipped_layer_opens_on_every_page_about_models(page: str, language: str) -> None:
    app = opened(page, model=TAUGHT, text=EXAMPLE, lang=language, where_from="trained")
    assert app.session_state["model"] == TAUGHT
    assert not app.info
    assert len(app.get("bidi_component")) >= 1


def test_what_is_shown_is_what_torch_computes_from_the_checkpoint() -> None:
    model = load_pronoun()
    layer = model.run(model.tokenize(EXAMPLE)).layers[0]
    eye = torch.eye(len(layer.keys)).expand(layer.name.n_head, -1, -1)
    theirs = F.scaled_dot_product_attention(layer.attention.q, layer.attention.k, eye)
    app = opened(EXPLORE[0], model=TAUGHT, text=EXAMPLE, head="2")
    assert_close(weights_shown(app), theirs[1], rtol=1e-4, atol=1e-5)


def test_words_it_was_not_taught_are_named_and_it_shows_a_sentence_of_its_own() -> None:
    app = opened(EXPLORE[0], model=TAUGHT, text="the zebra saw <b>*it*</b>")
    sentence = app.info[0].value
    assert "zebra" in sentence
    assert app.info[0] in app.main.children.values()  # across the page, not in a row of widgets
    assert "*it*" not in re.sub(r"`.*?`", "", sentence)  # what was typed stands in inert code only
    assert [text for text in app.text if set(EXAMPLE.split()) <= set(text.value.split()) <= set(WORDS)]
    app.button(key="use_taught").click().run()
    assert app.text_input(key="text").value == EXAMPLE
    assert not app.info and not app.exception
    app.text_input(key="text").set_value("").run()
    assert not app.exception
    assert app.warning[0].value == words("controls", "en")["empty"]


def test_the_script_finds_the_same_weights() -> None:
    app = opened(EXPLORE[0], model=TAUGHT, text=EXAMPLE)
    script = next(code.value for code in app.code if "load_pronoun" in code.value)
    row = printed(script).partition("tensor([")[2].partition("]")[0]
    printed_row = torch.tensor([float(number) for number in row.split(",")])
    assert float((weights_shown(app) - printed_row).abs().sum(dim=-1).min()) < 1e-4


def test_a_layer_the_visitor_has_trained_opens_in_explore_and_in_no_other_session() -> None:
    app = training.opened("scaling_race", lang="en", sr_steps="10", sr_dk="4", sr_rules="inverse_sqrt,qk_norm")
    app.button(key="sr_start").click().run()
    ended(app, "sr")
    assert not [button for button in app.button if button.key == "sr_qk_norm_open"]  # it has no W_Q that gives q
    *_, last = Sort(d_k=4, steps=10, every=1).records()
    app.button(key="sr_inverse_sqrt_open").click().run()
    assert not app.exception
    name = app.session_state["model"]
    assert name.startswith(OWN)
    assert "Your layer: Scaling race, 1/√d_k" in app.selectbox(key="model").options
    text = app.text_input(key="text").value
    tokens = torch.tensor([int(word) for word in text.split()])
    x = last.state["tokens"][tokens] + last.state["positions"]
    normed = F.layer_norm(x, (64,), last.state["layers.0.norm.weight"], last.state["layers.0.norm.bias"])
    q, k = (normed @ last.state[f"layers.0.attention.{name}"][0] for name in ("W_Q", "W_K"))
    assert_close(weights_shown(app), F.scaled_dot_product_attention(q, k, torch.eye(16)), rtol=1e-3, atol=1e-4)
    assert not app.info
    other = opened(EXPLORE[0], model=name)
    assert other.info[0].value == words("controls", "en")["closed"]
    assert other.session_state["model"] != name
    assert len(other.selectbox(key="model").options) == len(app.selectbox(key="model").options) - 1
