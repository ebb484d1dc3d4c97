"""Tiny models of many architectures, randomly initialised, as transformers builds them and as Headlight reads them."""

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel

from attention_core.models import Pretrained, Tokens
from attention_core.models.pretrained import register

IDS = (2, 17, 5, 11, 3, 7, 13)
TOKENS = Tokens(strings=tuple(f"t{id_}" for id_ in IDS), ids=IDS)
SMALL = {"vocab_size": 37, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 6, "intermediate_size": 29}
GROUPED = SMALL | {"num_key_value_heads": 3, "head_dim": 4}
OPT = {
    "vocab_size": 37,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "ffn_dim": 29,
    "word_embed_proj_dim": 24,
}
BART = {
    "vocab_size": 37,
    "d_model": 24,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 3,
    "decoder_attention_heads": 3,
    "encoder_ffn_dim": 29,
    "decoder_ffn_dim": 29,
    "decoder_start_token_id": None,
}
T5 = {
    "vocab_size": 37,
    "d_model": 24,
    "d_kv": 7,
    "num_layers": 2,
    "num_heads": 3,
    "d_ff": 29,
    "decoder_start_token_id": None,
}
MLA = GROUPED | {
    "num_key_value_heads": 6,
    "q_lora_rank": 12,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 4,
    "qk_rope_head_dim": 4,
    "v_head_dim": 6,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 2,
}


def tiny(family: str, config: Mapping[str, object], implementation: str = "headlight") -> torch.nn.Module:
    """Every parameter from N(0, 0.09), biases too: at 0 a lost one would not be missed."""
    register()
    built = AutoConfig.for_model(family, **config)
    model = AutoModel.from_config(built, attn_implementation=implementation).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


def inputs(model: torch.nn.Module) -> dict[str, Tensor]:
    """The token ids, for the decoder of a pair too."""
    ids = torch.tensor([IDS])
    return {"input_ids": ids} | ({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {})


def traced(family: str, config: Mapping[str, object]) -> Pretrained:
    """The same model as Headlight reads it; it has no tokenizer."""
    model = tiny(family, config)
    return Pretrained(family, model, None, inputs(model))
