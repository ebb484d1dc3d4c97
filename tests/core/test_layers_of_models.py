"""Layers as a model counts them: hybrids, shared modules, several maps in one layer, two sequences in one softmax."""

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from transformers import AutoConfig

from attention_core.models import LayerName, Pretrained, Settings
from attention_core.models.pretrained import register
from tests.harness.tiny import IDS, filled, inputs, recorded, tiny

HYBRIDS = {
    "jamba": ((3, 4),),
    "bamba": ((3, 4),),
    "granitemoehybrid": ((3, 4),),
    "lfm2": ((3, 4),),
    "nemotron_h": ((3, 4),),
    "olmo_hybrid": ((2, 2),),
    "qwen3_next": ((4, 4),),
    "recurrent_gemma": ((3, 4),),
    "minimax": ((1, 4), (3, 4)),
    "zamba": ((3, 6), (6, 6)),  # one module, which runs twice
    "zamba2": ((3, 6), (6, 6)),
    "albert": ((1, None), (2, None)),  # one module, which is every layer
    "bert": ((1, None), (2, None)),
    "falcon_h1": ((1, None), (2, None)),
    "longcat_flash": ((1, None), (2, None), (3, None), (4, None)),  # two in each of two layers, counted as it does
}


@pytest.mark.parametrize("kind", HYBRIDS)
def test_a_layer_has_the_number_that_the_model_gives_it(kind: str) -> None:
    assert tuple((layer.number, layer.of) for layer in recorded(kind).layers) == HYBRIDS[kind]


@pytest.mark.parametrize("index", [1, 3])
def test_attention_in_another_layer_has_another_number(index: int) -> None:
    register()
    model = tiny("jamba", "headlight", attn_layer_offset=index)
    assert Pretrained("jamba", model, None, inputs(model)).layers == (LayerName("layer", index + 1, 3, 4),)


def test_differential_attention_is_one_layer_with_two_maps_and_both_halves_of_the_values() -> None:
    model = recorded("diffllama")
    assert model.layers == (LayerName("layer", 1, 6, None, 2), LayerName("layer", 2, 6, None, 2))
    eager = tiny("diffllama", "eager")
    values: list[Tensor] = []
    handle = eager.get_submodule("layers.1.self_attn.v_proj").register_forward_hook(
        lambda *call: values.append(call[2][0])
    )
    eager(input_ids=IDS)
    handle.remove()
    trace = model.trace({"input_ids": IDS})[1][1].attention
    own = values[0].unflatten(-1, (2, 4)).transpose(0, 1)  # two value heads, three query heads each
    assert_close(trace.v, torch.cat([own[0], own[1]], dim=-1).expand(6, -1, -1))
    assert_close(trace.context, trace.weights @ trace.v)


@pytest.mark.parametrize("settings", [Settings(temperature=2.0, layers=(1,)), Settings(ablated=frozenset({(1, 4)}))])
def test_settings_reach_both_maps_of_their_layer_and_no_other(settings: Settings) -> None:
    model = recorded("diffllama")
    first, second = model.trace({"input_ids": IDS}, settings)[1]
    as_built = model.trace({"input_ids": IDS})[1]
    assert_close(first.attention.weights, as_built[0].attention.weights)
    if settings.ablated:
        assert_close(second.attention.context[4], torch.zeros(10, 8))
    else:
        expected = (as_built[1].attention.masked_scores / 2).softmax(-1)
        assert_close(second.attention.weights, expected)
        assert_close(second.attention.context, expected @ second.attention.v)


def test_the_slope_of_a_weight_counts_both_halves_of_the_values(monkeypatch) -> None:
    """Against autograd through eager attention, which has a softmax for each half: the slopes of both, added."""
    output, layers = recorded("diffllama").trace({"input_ids": IDS}, grad=True)
    direction = torch.randn(output.shape, generator=torch.Generator().manual_seed(3))
    (slope,) = torch.autograd.grad((output * direction).sum(), layers[1].attention.weights)
    softmax, softmaxes = torch.nn.functional.softmax, []
    monkeypatch.setattr(
        torch.nn.functional, "softmax", lambda *args, **how: softmaxes.append(softmax(*args, **how)) or softmaxes[-1]
    )
    eager = tiny("diffllama", "eager")(input_ids=IDS).last_hidden_state[0]
    first, second = torch.autograd.grad((eager * direction).sum(), softmaxes[2:])
    assert_close(slope, first[0] + second[0], rtol=1e-4, atol=1e-6)


def test_self_and_cross_attention_in_one_softmax_have_the_tokens_of_both_as_keys() -> None:
    """T5Gemma 2: transformers hands the two parts on apart."""
    heads = {"num_attention_heads": 3, "num_key_value_heads": 3, "head_dim": 8, "query_pre_attn_scalar": 8}
    common = {"hidden_size": 24, "intermediate_size": 28, "num_hidden_layers": 2}
    part = common | heads | {"vocab_size": 64, "sliding_window": 4, "max_position_embeddings": 64}
    sight = common | {"num_attention_heads": 3, "image_size": 16, "patch_size": 4}
    ids = {"vocab_size": 64, "image_token_index": 63, "boi_token_index": 62, "eoi_token_index": 61}
    encoder = ids | {"text_config": part, "vision_config": sight, "mm_tokens_per_image": 4}
    config = partial(AutoConfig.for_model, "t5gemma2", encoder=encoder, decoder=dict(part), image_token_index=63)
    register()
    eager = filled(config(), "eager")
    with torch.no_grad():
        theirs = eager(**inputs(eager), output_attentions=True)
    model = Pretrained("t5gemma2", filled(config(), "headlight"), None, inputs(eager))
    strings = {"encoder": tuple("abcdefghij"), "decoder": tuple("vwxyz")}
    output, layers = model.trace(inputs(eager), strings=strings)
    assert_close(output, theirs.last_hidden_state[0], rtol=0, atol=0)
    assert [layer.name.stack for layer in layers] == ["encoder", "encoder", "merged", "merged"]
    for at, layer in enumerate(layers[2:]):
        assert layer.queries == tuple("vwxyz") and layer.keys == tuple("vwxyzabcdefghij")
        together = torch.cat([theirs.decoder_attentions[at][0], theirs.cross_attentions[at][0]], dim=-1)
        assert_close(layer.attention.weights, together, rtol=0, atol=1e-7)
        v = layer.projected("v")
        assert v is not None
        assert_close(v, layer.attention.v, rtol=1e-4, atol=1e-5)


def test_windows_of_a_picture_are_maps_side_by_side() -> None:
    """SAM 3: four windows of 2 × 2 patches in one layer, all 16 patches in the other."""
    pixels = {"pixel_values": torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16)}
    own = {"window_size": 2, "global_attn_indexes": [1], "pretrain_image_size": 16, "hidden_act": "gelu"}
    register()
    with torch.no_grad():
        theirs = tiny("sam3_vit_model", "eager", **own)(**pixels, output_attentions=True)
    model = Pretrained("sam3_vit_model", tiny("sam3_vit_model", "headlight", **own), None, pixels)
    output, layers = model.trace(pixels)
    assert_close(output, theirs.last_hidden_state[0], rtol=0, atol=1e-6)
    assert [tuple(layer.attention.weights.shape) for layer in layers] == [(12, 4, 4), (3, 16, 16)]
    for layer, maps in zip(layers, theirs.attentions, strict=True):
        assert_close(layer.attention.weights, maps.flatten(0, 1), rtol=0, atol=1e-7)


def test_matrices_in_one_are_told_apart_for_three_heads_too() -> None:
    """GPT-NeoX has Q, K and V for each head, GPT-2 each head in Q, K and V: with three heads they have one shape."""
    for kind in ("gpt_neox", "gpt2"):
        for layer in recorded(kind).trace({"input_ids": IDS})[1]:
            v = layer.projected("v")
            assert v is not None
            assert_close(v, layer.attention.v, rtol=1e-4, atol=1e-5)
