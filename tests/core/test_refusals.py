"""A folder that cannot be used is one true sentence that names what is missing; nothing else is ever raised."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from attention_core.models import ModelError, load
from attention_core.models.pretrained.explaining import quoted
from tests.harness.tiny import filled, saved


def refused(folder: Path) -> ModelError:
    """Why it is; in one sentence, with its name, and without where it lies."""
    with pytest.raises(ModelError) as caught:
        load(str(folder), name="mine")
    sentence = str(caught.value)
    assert "mine" in sentence and sentence.endswith(".") and "\n" not in sentence
    assert str(folder) not in sentence
    return caught.value


def changed(file: Path, **values: Any) -> None:
    """The JSON of this file with these values; None deletes."""
    table = json.loads(file.read_text(encoding="utf-8")) | values
    file.write_text(json.dumps({key: value for key, value in table.items() if value is not None}), encoding="utf-8")


@pytest.mark.parametrize(
    "kind", ["gpt_neo", "gptj", "falcon", "git", "data2vec-vision", "bloom", "mpt", "xlnet", "mamba"]
)
def test_a_model_without_readable_attention_says_so(kind: str, tmp_path) -> None:
    """The first five have a class for each implementation, and none for ours."""
    assert refused(saved(tmp_path, kind)).kind == "no_attention"


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("clip", "pixel_values"),
        ("siglip", "pixel_values"),
        ("chinese_clip", "pixel_values"),
        ("blip", "pixel_values"),
        ("vit", "pixel_values"),
        ("dinov2", "pixel_values"),
        ("whisper", "input_features"),
        ("speech_to_text", "input_features"),
        ("lxmert", "visual_feats"),
        ("bros", "bbox"),
        ("patchtst", "past_values"),
    ],
)
def test_a_model_that_does_not_read_text_alone_says_what_it_asks_for(
    kind: str, asked: str, words: bool, tmp_path
) -> None:
    error = refused(saved(tmp_path, kind, words=words))
    assert (error.kind, error.what) == ("not_text", asked)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("kind", "part"), [("bert", "query.weight"), ("gpt2", "wpe.weight"), ("llama", "q_proj.weight")]
)
def test_weights_that_are_no_numbers_are_refused(kind: str, part: str, value: float, tmp_path) -> None:
    file = saved(tmp_path, kind) / "model.safetensors"
    weights = load_file(file)
    next(tensor for name, tensor in weights.items() if name.endswith(part))[0, 0] = value
    save_file(weights, file, metadata={"format": "pt"})
    assert refused(tmp_path).kind == "not_finite"


def llama4(folder: Path) -> None:
    common = {"hidden_size": 24, "num_attention_heads": 3}
    text = {"vocab_size": 64, "intermediate_size": 28, "intermediate_size_mlp": 28, "num_hidden_layers": 2}
    heads = {"num_key_value_heads": 3, "head_dim": 8, "num_local_experts": 2}
    sight = {"num_hidden_layers": 1, "intermediate_size": 96, "image_size": 8, "patch_size": 4}
    wide = dict.fromkeys(("vision_output_dim", "projector_input_dim", "projector_output_dim"), 24)
    parts = {"text_config": common | text | heads, "vision_config": common | sight | wide}
    filled(AutoConfig.for_model("llama4", **parts), "eager").save_pretrained(folder)


def test_a_model_that_hands_on_no_hidden_state_says_what_it_does_hand_on(tmp_path) -> None:
    error = refused(saved(tmp_path / "dpr", "dpr"))
    assert (error.kind, error.what) == ("no_output", "pooler_output")
    saved(tmp_path / "llama4", "bert")
    llama4(tmp_path / "llama4")
    error = refused(tmp_path / "llama4")
    assert (error.kind, error.what) == ("no_output", "logits, past_key_values")


@pytest.mark.parametrize(
    ("quantization", "method"),
    [
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes"),
        ({"quant_method": "gptq", "bits": 4}, "gptq"),
        ({"quant_method": "awq", "bits": 4}, "awq"),
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "nobody's"}, "nobody's"),
        ({"load_in_4bit": True}, "quantization_config"),
        ("gptq", "quantization_config"),
    ],
)
def test_quantized_weights_are_refused_and_their_kind_is_named(quantization: object, method: str, tmp_path) -> None:
    changed(saved(tmp_path, "bert") / "config.json", quantization_config=quantization)
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("quantized", method)


@pytest.mark.parametrize(
    ("values", "kind", "what"),
    [
        ({"hidden_size": "24"}, "config", "hidden_size"),
        ({"num_attention_heads": "x"}, "config", "num_attention_heads"),
        ({"num_hidden_layers": 2.5}, "config", "num_hidden_layers"),
        ({"layer_norm_eps": "1e-5"}, "config", "layer_norm_eps"),
        ({"max_position_embeddings": "64"}, "config", "max_position_embeddings"),
        ({"model_type": None}, "config", "model_type"),
        ({"model_type": 7}, "config", "model_type"),
        ({"model_type": "mamba99"}, "architecture", "mamba99"),
        ({"max_position_embeddings": 3}, "mismatch", ""),
        ({"vocab_size": 65}, "mismatch", ""),
        ({"num_attention_heads": 5}, "not_loaded", "multiple of the number of attention heads (5)"),
        ({"num_attention_heads": 0}, "not_loaded", "ZeroDivisionError"),
        ({"hidden_size": -24}, "not_loaded", "negative dimension -24"),
        ({"hidden_act": "nope"}, "not_loaded", "nope"),
        ({"num_hidden_layers": 0}, "no_attention", ""),
        ({"num_hidden_layers": 3}, "incomplete", ""),
    ],
)
def test_a_config_that_cannot_be_used_is_told_by_its_field(values: dict, kind: str, what: str, tmp_path) -> None:
    changed(saved(tmp_path, "bert") / "config.json", **values)
    error = refused(tmp_path)
    assert error.kind == kind
    assert what in error.what


@pytest.mark.parametrize("text", ["[]", "3", "null", '"bert"', "{", "", "\ufeff{}"])
def test_a_config_that_is_no_table_is_damaged(text: str, tmp_path) -> None:
    (saved(tmp_path, "bert") / "config.json").write_text(text, encoding="utf-8")
    error = refused(tmp_path)
    assert (error.kind, error.what) == ("damaged", "config.json")


@pytest.mark.parametrize("limit", [-1, 10**30, 1e30])
def test_a_limit_that_is_none_does_not_cut(limit: float, tmp_path) -> None:
    """XLNet's config says −1 positions, many tokenizers 10³⁰ tokens."""
    folder = saved(tmp_path, "llama")
    changed(folder / "config.json", max_position_embeddings=int(limit))
    changed(folder / "tokenizer_config.json", model_max_length=limit)
    model = load(str(folder), name="mine")
    assert model.max_tokens == 512
    assert len(model.tokenize("the law " * 400)) == 512


def test_a_model_without_room_for_a_sentence_says_how_little_it_reads(tmp_path) -> None:
    folder = saved(tmp_path, "roberta", max_position_embeddings=2, pad_token_id=1)
    error = refused(folder)
    assert (error.kind, error.what) == ("no_room", "0")


@pytest.mark.parametrize(
    ("kind", "tokenizer", "file", "package"),
    [
        ("roformer", "RoFormerTokenizer", "vocab.txt", "rjieba"),
        ("bert", "XLMTokenizer", "vocab.txt", "sacremoses"),
        ("bert", "CpmTokenizer", "spiece.model", "SentencePiece"),
    ],
)
def test_a_package_that_is_missing_is_named(kind: str, tokenizer: str, file: str, package: str, tmp_path) -> None:
    folder = saved(tmp_path, kind, words=False)
    (folder / file).write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "law"]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": tokenizer}))
    error = refused(folder)
    assert (error.kind, error.what) == ("package", package)


@pytest.mark.parametrize("model", [{"type": "Quantum", "vocab": {}}, {}, 7, {"type": "BPE"}])
def test_a_tokenizer_of_an_unknown_kind_is_refused(model: object, tmp_path) -> None:
    changed(saved(tmp_path, "bert") / "tokenizer.json", model=model)
    assert refused(tmp_path).kind == "tokenizer"


@pytest.mark.parametrize("text", ["{}", "[]", "{", "null", '{"version": "1.0"}'])
def test_a_tokenizer_that_is_none_is_refused(text: str, tmp_path) -> None:
    (saved(tmp_path, "bert") / "tokenizer.json").write_text(text, encoding="utf-8")
    assert refused(tmp_path).kind == "tokenizer"


def test_a_tensor_of_another_size_is_refused(tmp_path) -> None:
    file = saved(tmp_path, "bert") / "model.safetensors"
    tensors = load_file(file) | {"embeddings.word_embeddings.weight": torch.zeros(64, 23)}
    save_file(tensors, file, metadata={"format": "pt"})
    assert refused(tmp_path).kind == "mismatch"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("three heads"), "ValueError: three heads"),
        (ValueError("Validation error:\n    TypeError: no number\n"), "ValueError: TypeError: no number"),
        (OSError("/home/somebody/models/secret is gone"), "OSError"),
        (OSError(r"C:\models is gone"), "OSError"),
        (RuntimeError("x" * 200), "RuntimeError"),
        (KeyError(), "KeyError"),
    ],
)
def test_what_transformers_says_is_quoted_where_it_is_short_and_no_path(error: Exception, sentence: str) -> None:
    assert quoted(error) == sentence
