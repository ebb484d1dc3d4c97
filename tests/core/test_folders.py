"""A folder that cannot be loaded is refused in one sentence: it names what is missing, damaged or another model's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer

from attention_core.models import ModelError, load
from attention_core.models.pretrained import embedded_folder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law", "saw"]
SMALL = {
    "vocab_size": 41,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 11,
    "max_position_embeddings": 31,
}
PAIR = {
    "vocab_size": 41,
    "d_model": 12,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 11,
    "decoder_ffn_dim": 11,
    "max_position_embeddings": 31,
    "decoder_start_token_id": 2,
    "pad_token_id": 1,
}
INDEX = "model.safetensors.index.json"


def built(family: str = "bert", **sizes: object) -> Any:
    torch.manual_seed(5)
    return AutoModel.from_config(AutoConfig.for_model(family, **(sizes or SMALL)))


def saved(folder: Path, shards: bool = False) -> Path:
    """A BERT with its tokenizer; in several files if `shards`."""
    built().save_pretrained(folder, **({"max_shard_size": "2KB"} if shards else {}))
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    return folder


def refused(folder: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load(str(folder), name="mine")
    sentence = str(caught.value)
    assert "mine" in sentence
    assert str(folder) not in sentence
    assert sentence.endswith(".")
    return caught.value


def shards_of(folder: Path) -> list[Path]:
    shards = sorted(folder.glob("*-of-*.safetensors"))
    assert len(shards) > 3
    return shards


def test_a_folder_in_several_files_loads(tmp_path) -> None:
    saved(tmp_path, shards=True)
    shards_of(tmp_path)
    model = load(str(tmp_path), name="mine")
    assert model.tokenize("the law").strings == ("[CLS]", "the", "law", "[SEP]")


def drop(at: int) -> Callable[[Path], str]:
    def spoil(folder: Path) -> str:
        file = shards_of(folder)[at]
        file.unlink()
        return file.name

    return spoil


def drop_index(folder: Path) -> str:
    (folder / INDEX).unlink()
    return INDEX


def drop_both(folder: Path) -> str:
    drop(1)(folder)
    return drop_index(folder)


def drop_all(folder: Path) -> str:
    first, *_ = [file.unlink() or file.name for file in shards_of(folder)]
    return first


@pytest.mark.parametrize("spoil", [drop(0), drop(2), drop(-1), drop_index, drop_both, drop_all])
def test_a_file_that_is_missing_is_named(tmp_path, spoil) -> None:
    missing = spoil(saved(tmp_path, shards=True))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("missing", missing)
    assert f"incomplete: {missing} is missing" in str(error)


def test_without_any_weights_the_file_that_is_asked_for_is_named(tmp_path) -> None:
    (saved(tmp_path) / "model.safetensors").rename(tmp_path / "weights.safetensors")
    assert refused(tmp_path).what == "model.safetensors"


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth", "last.ckpt"])
def test_pickled_weights_are_never_read(tmp_path, name) -> None:
    (saved(tmp_path) / "model.safetensors").rename(tmp_path / name)
    assert refused(tmp_path).kind == "pickle"


@pytest.mark.parametrize(
    "index", ["{", "[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": 3}}', '{"weight_map": ["a"]}', "\udcff"]
)
def test_an_index_that_is_none_is_named(tmp_path, index) -> None:
    (saved(tmp_path, shards=True) / INDEX).write_bytes(index.encode("utf-8", "surrogateescape"))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("damaged", INDEX)


@pytest.mark.parametrize("spoil", [lambda data: data[:-11], lambda data: b"\x09" * 77, lambda data: b""])
def test_a_damaged_file_among_several_is_named(tmp_path, spoil) -> None:
    file = shards_of(saved(tmp_path, shards=True))[1]
    file.write_bytes(spoil(file.read_bytes()))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("damaged", file.name)


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "config.json", "tokenizer.json", "spiece.model"])
def test_what_git_has_not_fetched_is_told_from_what_is_damaged(tmp_path, name) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n"
    (saved(tmp_path) / name).write_text(pointer)
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("pointer", name)


@pytest.mark.parametrize("config", ["{", "[]", "null", '"bert"', "\udcff"])
def test_a_config_that_is_none_is_named(tmp_path, config) -> None:
    (saved(tmp_path) / "config.json").write_bytes(config.encode("utf-8", "surrogateescape"))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("damaged", "config.json")


@pytest.mark.parametrize("beside", ["nothing", "config", "whole model"])
@pytest.mark.parametrize("weights", ["adapter_model.safetensors", "adapter_model.bin", None])
def test_an_adapter_is_called_one_whatever_lies_beside_it(tmp_path, beside, weights) -> None:
    if beside != "nothing":
        saved(tmp_path)
    if beside == "config":
        (tmp_path / "model.safetensors").unlink()
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "bert"}))
    if weights:
        save_file({"lora_A.weight": torch.zeros(2, 3)}, tmp_path / weights)
    error = refused(tmp_path)
    assert error.kind == "adapter"
    assert "merge it into that model first" in str(error)


FAMILIES = {
    "bert": SMALL,
    "roberta": SMALL | {"pad_token_id": 1},
    "xlm-roberta": SMALL | {"pad_token_id": 1},
    "distilbert": {"vocab_size": 41, "dim": 12, "n_layers": 2, "n_heads": 3, "hidden_dim": 11},
    "albert": SMALL | {"embedding_size": 7},
    "electra": SMALL | {"embedding_size": 7},
    "camembert": SMALL | {"pad_token_id": 1},
    "bart": PAIR,
    "mbart": PAIR,
    "pegasus": PAIR,
    "t5": {"vocab_size": 41, "d_model": 12, "d_kv": 5, "num_layers": 1, "num_heads": 3, "d_ff": 11},
    "mt5": {"vocab_size": 41, "d_model": 12, "d_kv": 5, "num_layers": 1, "num_heads": 3, "d_ff": 11},
    "gpt2": {"vocab_size": 41, "n_embd": 12, "n_layer": 2, "n_head": 3},
    "opt": {"vocab_size": 41, "hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 3, "ffn_dim": 11},
    "llama": SMALL,
    "qwen2": SMALL | {"num_key_value_heads": 3},
    "gemma": SMALL | {"num_key_value_heads": 3, "head_dim": 4},
    "gpt_neox": SMALL,
    "mpnet": SMALL,
    "modernbert": SMALL
    | {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_without_its_tokenizer_says_so(tmp_path, family) -> None:
    built(family, **FAMILIES[family]).save_pretrained(tmp_path)
    assert refused(tmp_path).kind == "no_tokenizer"


@pytest.mark.parametrize("missing", ["vocab.json", "merges.txt"])
@pytest.mark.parametrize("family", ["gpt2", "roberta", "bart", "qwen2"])
def test_half_of_a_tokenizer_is_told_which_half_is_missing(tmp_path, family, missing) -> None:
    built(family, **FAMILIES[family]).save_pretrained(tmp_path)
    files = {"vocab.json": '{"<s>": 0, "t": 1, "h": 2, "th": 3}', "merges.txt": "#version: 0.2\nt h\n"}
    (present,) = files.keys() - {missing}
    (tmp_path / present).write_text(files[present])
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("missing", missing)


def test_a_description_of_a_tokenizer_is_not_yet_one(tmp_path) -> None:
    (saved(tmp_path) / "vocab.txt").unlink()
    assert refused(tmp_path).kind == "no_tokenizer"


@pytest.mark.parametrize("words", [20, 1, 500])
def test_a_tokenizer_with_more_words_than_the_embedding_has_rows_is_another_models(tmp_path, words) -> None:
    count = SMALL["vocab_size"] - len(WORDS) + words
    (saved(tmp_path) / "vocab.txt").write_text("\n".join([*WORDS, *(f"w{at}" for at in range(count))]))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("other_tokenizer", f"w{count - 1}")


def test_the_tokenizer_of_the_built_in_model_is_not_that_of_a_small_one(tmp_path) -> None:
    built().save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(embedded_folder()).save_pretrained(tmp_path)
    assert refused(tmp_path).kind == "other_tokenizer"


def test_a_frame_beyond_the_embedding_is_no_frame(tmp_path) -> None:
    """[SEP] stands last, after all the rows: every sentence would need it."""
    words = [word for word in WORDS if word != "[SEP]"]
    filler = [f"w{at}" for at in range(SMALL["vocab_size"] - len(words))]
    (saved(tmp_path) / "vocab.txt").write_text("\n".join([*words, *filler, "[SEP]"]))
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("other_tokenizer", "[SEP]")


def test_words_that_were_added_without_making_room_leave_the_others_to_be_read(tmp_path) -> None:
    saved(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tokenizer.add_tokens([f"new{at}" for at in range(SMALL["vocab_size"])])
    tokenizer.save_pretrained(tmp_path)
    model = load(str(tmp_path), name="mine")
    assert model.tokenize("the law").strings == ("[CLS]", "the", "law", "[SEP]")
    assert model.tokenize("new3").strings == ("[CLS]", "new3", "[SEP]")  # this one has a row
    with pytest.raises(ValueError, match="new40"):
        model.tokenize("the new40 law")


@pytest.mark.parametrize("spelling", ["~/models/bert", "~/models/../models/bert", "~/models/bert/"])
def test_the_home_of_who_loads_may_be_written_short(tmp_path, monkeypatch, spelling) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models" / "bert").mkdir(parents=True)
    saved(tmp_path / "models" / "bert")
    assert load(spelling, name="mine").name == "mine"


@pytest.mark.parametrize("source", ["~nobody-of-that-name/bert", "~", "no\0path", "a" * 5000])
def test_what_cannot_be_a_folder_is_not_looked_into(source, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError):
        load(source, name="mine")
