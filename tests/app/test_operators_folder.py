"""A visitor of an operator's model sees its name everywhere, and nowhere where on the server it lies."""

import json
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from tests.harness.training import opened
from ui.text import words

PAGES = ("pipeline", "heads", "vanishing", "bench")


def saved(folder: Path) -> None:
    torch.manual_seed(5)
    config = AutoConfig.for_model(
        "bert", vocab_size=7, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=11
    )
    AutoModel.from_config(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))


def sent(app: AppTest) -> str:
    """Everything that goes to the browser, as text."""

    def protos(block: Block) -> list[str]:
        parts = [str(getattr(block, "proto", ""))]
        for child in block.children.values():
            parts += protos(child) if isinstance(child, Block) else [str(child.proto)]
        return parts

    return "\n".join(protos(app._tree))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_about_an_operators_model_does_not_say_where_it_lies(page, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "kept-apart" / "my-bert"
    folder.mkdir(parents=True)
    saved(folder)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(folder))
    app = opened(page, model="my-bert", text="the law", where_from="trained")
    messages = sent(app)
    assert "my-bert" in messages
    assert "kept-apart" not in messages and str(tmp_path) not in messages


def test_a_folder_that_cannot_be_loaded_is_told_by_its_name(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "kept-apart" / "my-bert"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(folder))
    messages = sent(opened("pipeline", model="my-bert"))
    assert "my-bert" in messages and "kept-apart" not in messages


def offered(folder: Path, monkeypatch) -> Path:
    folder.mkdir(parents=True)
    saved(folder)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(folder))
    return folder


@pytest.mark.parametrize("page", [*PAGES[:2], "bench"])
@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda folder: (folder / "vocab.txt").unlink(), "has no tokenizer"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors"),
        (lambda folder: (folder / "adapter_config.json").write_text("{}"), "adapter"),
        (lambda folder: (folder / "vocab.txt").write_text("\n".join(f"w{at}" for at in range(20))), "not its own"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_sentence_and_the_built_in_model_goes_on(
    page, spoil, part, tmp_path, monkeypatch
) -> None:
    spoil(offered(tmp_path / "kept-apart" / "my-bert", monkeypatch))
    app = opened(page, model="my-bert", text="the law")
    assert not app.exception
    assert not app.error
    assert [warning.value for warning in app.warning if "my-bert" in warning.value and part in warning.value]
    assert "kept-apart" not in sent(app)


@pytest.mark.parametrize("page", [*PAGES[:2], "bench"])
def test_a_word_without_a_row_is_named_and_the_last_sentence_stays(page, tmp_path, monkeypatch) -> None:
    folder = offered(tmp_path / "my-bert", monkeypatch)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"new{at}" for at in range(20)])
    tokenizer.save_pretrained(folder)
    app = opened(page, model="my-bert", text="the law")
    app.text_input(key="text").set_value("the new7 law").run()
    assert not app.exception
    assert not app.error
    assert "new7" in app.warning[0].value
    app.text_input(key="text").set_value("law the law").run()
    assert not app.warning


def test_a_second_sentence_with_a_word_without_a_row_is_named_too(tmp_path, monkeypatch) -> None:
    folder = offered(tmp_path / "my-bert", monkeypatch)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(folder)
    for page, link in (
        ("heads", {"tab": "compare", "b_text": "the zebra"}),
        ("heads", {"tab": "compare", "b_model": "my-bert", "b_text": "the zebra"}),
        ("bench", {"bench_memory": "other", "bench_text": "the zebra"}),
    ):
        app = opened(page, text="the law", **{"model": "my-bert"} | link)
        assert not app.exception
        assert not app.error
        assert "zebra" in app.warning[0].value


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("heads", {"tab": "compare", "b_text": "the [MASK] 💩💩"}),
        ("bench", {"bench_memory": "other", "bench_text": "the [MASK] 💩💩"}),
    ],
)
def test_of_a_second_sentence_it_is_said_too_what_was_read_otherwise(page, link) -> None:
    app = opened(page, text="the law", **link)
    assert not app.exception
    assert any("[MASK]" in caption.value and "💩💩" in caption.value for caption in app.caption)


def test_a_second_model_that_is_not_offered_is_said(monkeypatch) -> None:
    monkeypatch.delenv("HEADLIGHT_MODELS", raising=False)
    app = opened("heads", tab="compare", b_model="gpt2")
    assert "gpt2" in app.info[0].value
    assert app.query_params["b_model"] in ("gpt2", ["gpt2"])
    other = opened("heads", tab="compare", b_model="scratch")
    assert not [info for info in other.info if "not offered" in info.value]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_model_writes_for_the_unknown_is_what_is_said(language, tmp_path, monkeypatch) -> None:
    folder = offered(tmp_path / "my-bert", monkeypatch)
    words_known = {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "the": 4, "law": 5}
    backend = Tokenizer(WordLevel(words_known, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").unlink()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)
    app = opened("pipeline", model="my-bert", text="the zebra zebra", lang=language)
    facts = next(caption.value for caption in app.caption if "zebra" not in caption.value and "unk" in caption.value)
    assert "[UNK]" not in facts and "[CLS]" not in facts
    common = words("controls", language)
    assert common.format("tokens_added", count=5, framing=2) in facts
    assert common.format("unknown", count=2, token="<unk>") in facts


def test_a_second_model_that_cannot_be_used_is_the_built_in_one_as_its_sentence_says(tmp_path, monkeypatch) -> None:
    folder = offered(tmp_path / "my-bert", monkeypatch)
    (folder / "model.safetensors").unlink()
    app = opened("heads", text="the law", tab="compare", b_model="my-bert", b_text="a street")
    assert not app.exception
    assert "my-bert" in app.warning[0].value and "built-in" in app.warning[0].value
    assert "b_layer" in app.session_state  # the comparison goes on
