"""A visitor of an operator's model sees its name everywhere, and nowhere where on the server it lies."""

import json
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block
from transformers import AutoConfig, AutoModel

from tests.harness.training import opened

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
    told = sent(app)
    assert "my-bert" in told
    assert "kept-apart" not in told and str(tmp_path) not in told


def test_a_folder_that_cannot_be_loaded_is_told_by_its_name(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "kept-apart" / "my-bert"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HEADLIGHT_MODELS", str(folder))
    told = sent(opened("pipeline", model="my-bert"))
    assert "my-bert" in told and "kept-apart" not in told
