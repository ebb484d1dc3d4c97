"""Every kind of model that transformers can build from a config, made tiny by the names of the config's fields."""

import tomllib
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import CONFIG_MAPPING, AutoModel, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from attention_core.models import Pretrained
from attention_core.models.pretrained import register

TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SIZES = {field: int(size) for size, fields in TABLES["size"].items() for field in fields.split()}
MAY_BE_NONE = ("n_inner", "head_dim", "num_key_value_heads", "sliding_window", "pad_token_id", "q_lora_rank")
IDS = torch.tensor([[5, 17, 3, 11, 9, 7, 13, 4, 21, 30]])
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "law", *(f"w{i}" for i in range(31)))


def config(kind: str, **own: Any) -> PreTrainedConfig:
    """The config of a tiny model of this kind; `own`: values that it has beside."""
    config_class = CONFIG_MAPPING[kind]
    return config_class(**(_sizes(config_class) | TABLES["own"].get(kind, {}) | own))


def tiny(kind: str, implementation: str, **own: Any) -> PreTrainedModel:
    """A tiny model of this kind with random weights, the same each time; none is 0, as many are at first."""
    return filled(config(kind, **own), implementation)


def filled(config: PreTrainedConfig, implementation: str) -> PreTrainedModel:
    """The model of this config."""
    torch.manual_seed(7)
    model = AutoModel.from_config(config, attn_implementation=implementation).eval()
    for at, parameter in enumerate(model.parameters()):
        parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(at))
    return model


def saved(folder: Path, kind: str, *, words: bool = True, **own: Any) -> Path:
    """The folder with such a model in it, and with a tokenizer of 37 words."""
    tiny(kind, "eager", **own).save_pretrained(folder)
    if words:
        tokenizer = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]")
        fast.save_pretrained(folder)
    return folder


def inputs(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Ten tokens; for a decoder beside an encoder, five."""
    if not getattr(model.config, "is_encoder_decoder", False):
        return {"input_ids": IDS}
    return {
        "input_ids": IDS,
        "attention_mask": torch.ones_like(IDS),
        "decoder_input_ids": torch.tensor([[2, 19, 23, 5, 31]]),
    }


def recorded(kind: str, **own: Any) -> Pretrained:
    """Such a model with our attention inside it."""
    register()
    model = tiny(kind, "headlight", **own)
    return Pretrained(kind, model, None, inputs(model))


def _sizes(config_class: type[PreTrainedConfig]) -> dict[str, Any]:
    default = config_class()
    names = {*vars(default), *config_class.attribute_map.values()}
    sizes: dict[str, Any] = {field: size for field, size in SIZES.items() if field in names and _given(default, field)}
    parts: Any = config_class.sub_configs
    return sizes | {name: _sizes(part) for name, part in parts.items() if part.__name__ != "AutoConfig"}


def _given(default: PreTrainedConfig, field: str) -> bool:
    """Whether it has a value, or may have one; what differs from layer to layer cannot be asked for."""
    try:
        return field in MAY_BE_NONE or getattr(default, field, None) is not None
    except Exception:
        return True
