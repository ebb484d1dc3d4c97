"""Every kind of model that can be made tiny: what is recorded equals transformers' eager attention, or is refused."""

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import ModelError, Pretrained
from attention_core.models.pretrained import register
from tests.harness.tiny import TABLES, inputs, recorded, tiny

STACKS = ("attentions", "encoder_attentions", "decoder_attentions", "cross_attentions")
EQUAL, REFUSED = TABLES["kinds"]["equal"].split(), TABLES["kinds"]["refused"]
NAMED = {"axk2": "indices", "minimax_m3_vl_text": "block_indices", "inkling2_text": "sinks", "gpt_oss": "s_aux"}


@pytest.mark.parametrize("kind", EQUAL)
def test_the_output_and_every_map_equal_those_of_eager_attention(kind: str) -> None:
    model = tiny(kind, "eager")
    with torch.no_grad():
        eager = model(**inputs(model), output_attentions=True)
    output, layers = recorded(kind).trace(inputs(model))
    assert_close(output, eager.last_hidden_state[0], rtol=0, atol=1e-6 * float(eager.last_hidden_state.abs().max()))
    theirs = [maps[0] for stack in STACKS for maps in getattr(eager, stack, None) or () if maps is not None]
    assert layers
    for layer in layers:
        alike = [maps for maps in theirs if maps.shape == layer.attention.weights.shape]
        nearest = min(alike, key=lambda maps: float((maps - layer.attention.weights).abs().max()))
        assert_close(layer.attention.weights, nearest, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "model"), [(kind, model) for kind, models in REFUSED.items() for model in models.split()]
)
def test_what_is_not_understood_or_not_there_is_refused_and_named(kind: str, model: str) -> None:
    with pytest.raises(ModelError) as refused:
        recorded(model)
    assert refused.value.kind == kind
    assert model in str(refused.value)
    assert refused.value.what == NAMED.get(model, refused.value.what)


@pytest.mark.parametrize("kind", ["deepseek_v32", "glm_moe_dsa"])
def test_the_refused_would_have_been_shown_wrongly(kind: str, monkeypatch) -> None:
    """Without the refusal their maps are dense, which only eager attention can tell."""
    monkeypatch.setattr("attention_core.models.pretrained.recording._refuse", lambda others, name: None)
    with pytest.raises(ModelError) as refused:
        recorded(kind)
    assert refused.value.kind == "differs"
    assert refused.value.what.endswith("%")


def test_a_model_that_asks_for_the_name_of_its_implementation_is_refused_where_that_changes_its_output() -> None:
    """No keyword tells: only transformers' own attention does."""
    register()
    model = tiny("bert", "headlight")
    attention = model.get_submodule("encoder.layer.1.attention.self")
    attention.register_forward_hook(
        lambda module, args, output: (
            output[0] * (2 if model.config._attn_implementation == "eager" else 1),
            output[1],
        )
    )
    with pytest.raises(ModelError) as refused:
        Pretrained("bert", model, None, inputs(model))
    assert refused.value.kind == "differs"
    assert model.config._attn_implementation == "headlight"
