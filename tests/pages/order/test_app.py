"""The Order page runs in both languages, with anything typed and any link."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.harness.training import arrived, captions
from ui.text import words


def opened(**link: str) -> AppTest:
    app = arrived("order", **link)
    assert not app.exception and not app.error
    return app


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_with_all_its_parts(language: str) -> None:
    app = opened(lang=language, text="The law saw the king")
    page = words("order", language)
    assert not app.warning
    titles = [header.value for header in app.header]
    assert titles == [
        page[f"{name}"] for name in ("offsets.title", "mask_title", "length_title", "cost_title", "share_title")
    ]
    assert len([code for code in app.code if "print(" in code.value]) == 5
    assert "torch SDPA" in captions(app) and "torch.nn" in captions(app)


def test_a_longer_sentence_raises_torchs_own_error_and_attention_runs() -> None:
    app = opened(lang="en", text="one two three four five six seven eight nine ten eleven twelve")
    texts = [code.value for code in app.code]
    assert "RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x768 and 640x640)" in texts
    assert "torch.Size([12, 64])" in texts
    app.slider(key="order_fed").set_value(10).run()
    assert not app.exception and not app.error
    texts = [code.value for code in app.code]
    assert not [line for line in texts if line.startswith("RuntimeError")]
    assert "torch.Size([1, 640])" in texts and "torch.Size([10, 64])" in texts
    assert app.query_params["order_fed"] in ("10", ["10"])


def test_the_correction_has_the_published_numbers() -> None:
    texts = "\n".join(element.value for element in opened(lang="en").markdown).replace("\u202f", "")
    assert "only partly true" in texts
    for count in ("16640", "8320", "24960", "33280", "66560", "12352", "410240"):  # counted from torch's own modules
        assert count in texts


@pytest.mark.parametrize(
    "link",
    [
        {"order_positions": "x", "order_swaps": "99", "order_head": "0", "order_shuffle": "-1", "order_fed": "9999"},
        {"order_mask": "?", "order_radius": "-3", "order_layers": "1e9", "order_prefix": "nan", "order_word": "٣"},
        {"cost_d": "63", "cost_kernel": "2", "cost_length": "", "order_key_heads": "3", "order_step": "0"},
        {"focus": "9" * 5000 + ",1", "order_place": "-1", "order_offset": "x", "source": "x", "seed": "x"},
    ],
)
def test_nonsense_in_a_link_opens_a_page_all_the_same(link: dict[str, str]) -> None:
    assert not opened(text="The law saw", **link).warning


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("text", ["law", "🙂"])
def test_one_token_is_one_clear_sentence(language: str, text: str) -> None:
    app = opened(text=text, lang=language)
    assert [warning.value for warning in app.warning] == [words("controls", language)["one_token"]]


def test_an_empty_sentence_keeps_the_last_picture() -> None:
    app = opened(lang="en", text="The law saw")
    app.text_input(key="text").set_value("  ").run()
    assert not app.exception and not app.error
    assert [warning.value for warning in app.warning] == [words("controls", "en")["empty"]]
    assert app.header


def test_two_tokens_are_enough_and_long_texts_are_cut() -> None:
    opened(text="cat sat")
    texts = captions(opened(lang="en", text=" ".join(["law"] * 300)))
    assert "first 64 of 300" in texts


@pytest.mark.parametrize("source", ["embeddings", "digest"])
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script> & b", "**x** [y](z) $x$ :red[c]", "مرحبا 山 \U0001f468\u200d\U0001f469"]
)
def test_anything_can_be_typed_and_stays_data(text: str, source: str) -> None:
    app = opened(text=text, source=source)
    texts = [element.value for element in app.markdown]
    assert not [line for line in texts if "<script>" in line or ":red[" in line or "[y](z)" in line]
