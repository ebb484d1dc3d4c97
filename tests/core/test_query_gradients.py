"""‖dW_Q‖ of a trained model is that of the model's own parameter: transformers' eager attention and autograd agree."""

import contextlib
import itertools
import math
import sys
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from attention_core.models import FromScratch, Model, Settings, Sizes, Tokens
from attention_core.models.strain import HEAD_MEASURES, strain
from tests.harness.families import BART, GROUPED, MLA, OPT, SMALL, T5, TOKENS, inputs, tiny, traced


def rows(weight: Tensor, h: int) -> Tensor:
    """A map of its own for q: h · d_k rows of a Linear."""
    return weight.unflatten(0, (h, -1))


def first_third(weight: Tensor, h: int) -> Tensor:
    """[Q | K | V] side by side, as rows."""
    return rows(weight.chunk(3)[0], h)


def conv(weight: Tensor, h: int) -> Tensor:
    """The same of a Conv1D, whose outputs are columns."""
    return first_third(weight.T, h)


def by_head(weight: Tensor, h: int) -> Tensor:
    """q, k, v of one head, then of the next."""
    return weight.unflatten(0, (h, 3, -1))[:, 0]


def grouped(weight: Tensor, h: int) -> Tensor:
    """Q, then fewer K and V, in one map: of 6 heads and 3 keys."""
    return rows(weight[: weight.shape[0] // 2], h)


Slice = Callable[[Tensor, int], Tensor]
# family: (configuration, what the parameter is called, the heads' slices of its gradient)
FAMILIES: dict[str, tuple[dict, str, Slice]] = {
    "llama": (GROUPED, "q_proj", rows),
    "mistral": (GROUPED | {"sliding_window": 3}, "q_proj", rows),
    "qwen2": (SMALL | {"num_key_value_heads": 3}, "q_proj", rows),
    "qwen3": (GROUPED, "q_proj", rows),
    "gemma2": (GROUPED | {"sliding_window": 3, "attn_logit_softcapping": 0.5}, "q_proj", rows),
    "gemma3_text": (GROUPED | {"sliding_window": 3}, "q_proj", rows),
    "granite": (GROUPED | {"attention_multiplier": 0.0078125}, "q_proj", rows),
    "cohere": (SMALL | {"num_key_value_heads": 3, "use_qk_norm": True}, "q_proj", rows),
    "olmo2": (SMALL | {"num_key_value_heads": 3}, "q_proj", rows),
    "olmo": (SMALL | {"num_key_value_heads": 3, "clip_qkv": 0.7}, "q_proj", rows),
    "stablelm": (SMALL | {"num_key_value_heads": 3, "partial_rotary_factor": 0.5}, "q_proj", rows),
    "phi": (SMALL | {"partial_rotary_factor": 0.5, "qk_layernorm": True}, "q_proj", rows),
    "phi3": (SMALL | {"num_key_value_heads": 3, "pad_token_id": 0}, "qkv_proj", grouped),
    "persimmon": (SMALL | {"partial_rotary_factor": 0.5, "qk_layernorm": True}, "query_key_value", by_head),
    "gpt_neox": (SMALL | {"rotary_pct": 0.5}, "query_key_value", by_head),
    "gpt2": ({"vocab_size": 37, "n_embd": 24, "n_layer": 2, "n_head": 3}, "c_attn", conv),
    "opt": (OPT, "q_proj", rows),
    "bert": (SMALL, "query", rows),
    "electra": (SMALL | {"embedding_size": 11}, "query", rows),
    "esm": (SMALL | {"position_embedding_type": "rotary", "pad_token_id": 1, "mask_token_id": 36}, "query", rows),
    "distilbert": ({"vocab_size": 37, "dim": 24, "n_layers": 2, "n_heads": 3, "hidden_dim": 29}, "q_lin", rows),
    "modernbert": (
        SMALL | {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2},
        "Wqkv",
        first_third,
    ),
    "bart": (BART, "q_proj", rows),
    "t5": (T5, "q", rows),
}
SETTINGS = {
    "as built": Settings(),
    "loud": Settings(input_scale=1.5),
    "loud in one layer": Settings(input_scale=2.0, layers=(1,)),
}


def by_autograd(family: str, direction_of: Callable[[int], Tensor], alpha: dict[int, float]) -> list[Tensor]:
    """∂L/∂W_Q of every attention layer and head, L one random direction: eager attention in float64.

    `alpha`: by layer, q and k are multiplied by it where the model hands them to its attention.
    """
    config, name, part = FAMILIES[family]
    model = tiny(family, config, "eager").double().requires_grad_(True)
    order: list[torch.nn.Module] = []
    for path, inner in model.named_modules():
        if path.split(".")[-1] == name:
            inner.register_forward_hook(lambda module, args, output: order.append(module))
    with louder(model, alpha):
        output = model(**inputs(model)).last_hidden_state[0]
    (output * direction_of(output.shape[-1])).sum().backward()
    return [part(inner.weight.grad, heads(model)) for inner in order]


def heads(model: torch.nn.Module) -> int:
    names = ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads")
    return next(getattr(model.config, name) for name in names if getattr(model.config, name, None))


@contextlib.contextmanager
def louder(model: torch.nn.Module, alpha: dict[int, float]) -> Iterator[None]:
    """The eager attention of this family, which is given α q and α k in the layers that are named."""
    family, calls = sys.modules[type(model).__module__], itertools.count()
    eager = family.eager_attention_forward

    def forward(module, query, key, *args, **options):
        factor = alpha.get(next(calls), 1.0)
        return eager(module, query * factor, key * factor, *args, **options)

    family.eager_attention_forward = forward
    try:
        yield
    finally:
        family.eager_attention_forward = eager


def measured(model: Model, settings: Settings, tokens: Tokens = TOKENS) -> Tensor:
    strained = next(strain(model, tokens, [settings]))
    return 10 ** strained.heads[HEAD_MEASURES.index("log_d_W_Q")].double()


def direction(width: int) -> Tensor:
    return torch.randn(width, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_is_that_of_the_models_own_parameter(family: str, settings: Settings) -> None:
    model = traced(family, FAMILIES[family][0])
    alpha = {layer: settings.within(layer).input_scale for layer in range(len(model.layers))}
    expected = torch.stack([slope.flatten(1).norm(dim=-1) for slope in by_autograd(family, direction, alpha)])
    assert_close(measured(model, settings), expected, rtol=1e-4, atol=1e-7)


def test_layers_that_share_a_map_give_their_parts_of_one_gradient() -> None:
    """ALBERT: the parts of its layers, which are told apart by the layer in which a copy of the map stands."""
    config = SMALL | {"embedding_size": 11}
    model = traced("albert", config)
    assert [layer.built.layers_of_W_Q for layer in model.run(TOKENS).layers] == [2, 2]
    theirs = tiny("albert", config, "eager").double().requires_grad_(True)
    query = theirs.encoder.albert_layer_groups[0].albert_layers[0].attention.query
    calls: list[tuple[Tensor, Tensor]] = []

    def remember(module, args, output) -> None:
        output.retain_grad()
        calls.append((args[0], output))

    query.register_forward_hook(remember)
    output = theirs(**inputs(theirs)).last_hidden_state[0]
    (output * direction(24)).sum().backward()
    parts = [output.grad[0].mT @ read[0] for read, output in calls]
    assert_close(sum(parts), query.weight.grad)
    expected = torch.stack([rows(part, 6).flatten(1).norm(dim=-1) for part in parts]).detach()
    assert_close(measured(model, Settings()), expected, rtol=1e-4, atol=1e-7)


def test_queries_that_no_single_matrix_makes_have_no_such_gradient() -> None:
    model = traced("deepseek_v3", MLA)
    assert bool(measured(model, Settings()).isnan().all())
    assert [layer.built.layers_of_W_Q for layer in model.run(TOKENS).layers] == [0, 0]


@pytest.mark.parametrize("positions", ["none", "sinusoidal", "rope", "alibi"])
def test_an_untrained_layer_is_asked_through_its_positions(positions) -> None:
    layer = FromScratch(Sizes(n_head=3, d_model=22, d_k=6, d_v=5, source="digest", positions=positions))
    tokens = layer.tokenize("The law saw the king , but its city")
    run = layer.run(tokens)
    [one], x = run.layers, layer.embed(tokens).double()
    W_Q, W_K, W_V, W_O = (getattr(one.projections, f"W_{name}").detach().double() for name in "QKVO")
    W_Q.requires_grad_()
    q, k = (torch.einsum("nm,hmd->hnd", x, W) for W in (W_Q, W_K))
    if positions == "rope":
        q, k = rotated(q), rotated(k)
    bias = (one.attention.masked_scores - one.attention.scaled_scores).double()
    weights = (q @ k.mT / math.sqrt(6) + bias).softmax(-1)
    output = torch.einsum("hij,jm,hmv,hvd->id", weights, x, W_V, W_O)
    (slope,) = torch.autograd.grad((output * direction(22)).sum(), W_Q)
    assert_close(measured(layer, Settings(), tokens), slope.flatten(1).norm(dim=-1)[None], rtol=1e-4, atol=1e-7)


def rotated(x: Tensor) -> Tensor:
    """Components 2i and 2i + 1 of token p, as one complex number, times e^{i p θ}, θ = 10000^(−2i/d)."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    angles = torch.arange(x.shape[-2])[:, None] * 10000.0 ** (-torch.arange(0, x.shape[-1], 2).double() / x.shape[-1])
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)
