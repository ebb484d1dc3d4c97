"""A trained model under strain, against transformers' eager attention with its query and key maps scaled by hand."""

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModel

from attention_core.models import Settings, load_embedded
from attention_core.models.pretrained import embedded_folder
from attention_core.models.strain import HEAD_MEASURES, strain

TEXT = "The law saw the king , but its city should be just"
HEADS, D_K = 12, 32


def eager(alpha: float, layers: tuple[int, ...] | None, scaled: bool) -> tuple[torch.nn.Module, dict]:
    """α q and α k, from α W and α b; without 1/√d_k the query map is multiplied by √d_k too."""
    model = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float32).eval()
    for index, layer in enumerate(model.encoder.layer):
        if layers is None or index in layers:
            inner = layer.attention.self
            for map_, factor in ((inner.query, alpha * (1.0 if scaled else D_K**0.5)), (inner.key, alpha)):
                map_.weight.data.mul_(factor)
                map_.bias.data.mul_(factor)
    tokens = load_embedded().tokenize(TEXT)
    return model, {"input_ids": torch.tensor([tokens.ids])}


@pytest.mark.parametrize(
    ("alpha", "layers", "scaling"),
    [(1.0, None, "model"), (2.0, None, "model"), (3.0, (3,), "model"), (0.7, None, "none")],
)
def test_every_number_is_that_of_the_eager_model(alpha: float, layers: tuple[int, ...] | None, scaling: str) -> None:
    model = load_embedded()
    settings = Settings(scaling=scaling, input_scale=alpha, layers=layers)
    found = next(strain(model, model.tokenize(TEXT), [settings]))
    theirs, inputs = eager(alpha, layers, scaling == "model")
    built, _ = eager(1.0, None, True)
    theirs.requires_grad_(True)
    made = theirs(**inputs, output_attentions=True)
    output = made.last_hidden_state[0]
    direction = torch.randn(output.shape[-1], generator=torch.Generator().manual_seed(0))
    slopes = torch.autograd.grad((output * direction).sum(), made.attentions, retain_graph=True)
    (output * direction).sum().backward()
    with torch.no_grad():
        cosine = torch.cosine_similarity(output, built(**inputs).last_hidden_state[0], dim=-1).mean()
    assert_close(found.cosine, float(cosine), rtol=1e-4, atol=1e-4)
    measured = dict(zip(HEAD_MEASURES, found.heads, strict=True))
    for index, (weights, slope) in enumerate(zip(made.attentions, slopes, strict=True)):
        p, reach = weights[0].detach(), slope[0] - slope[0].mean(-1, keepdim=True)
        back = p * (slope[0] - (p * slope[0]).sum(-1, keepdim=True))
        gains = back.norm(dim=-1) / reach.norm(dim=-1)
        assert_close(measured["peak"][index], p.amax(-1).mean(-1), rtol=1e-4, atol=1e-5)
        assert_close(measured["entropy"][index], torch.special.entr(p).sum(-1).mean(-1), rtol=1e-3, atol=1e-4)
        assert_close(measured["dead"][index], (gains < 1e-3).float().mean(-1), rtol=0, atol=1.01 / len(p[0]))
        alive = gains.median(-1).values > 1e-4  # below, the eager sum p·dP has cancelled in float32
        assert_close(10 ** measured["log_gain"][index][alive], gains.median(-1).values[alive], rtol=2e-2, atol=1e-6)
        assert_close(10 ** measured["log_d_scores"][index], back.norm(dim=(-2, -1)), rtol=1e-2, atol=1e-5)
        inner = theirs.encoder.layer[index].attention.self
        strained = layers is None or index in layers
        factor = (alpha if strained else 1.0) * (1.0 if scaling == "model" else D_K**0.5)
        per_head = factor * inner.query.weight.grad.view(HEADS, D_K, -1).norm(dim=(-2, -1))
        assert_close(10 ** measured["log_d_W_Q"][index], per_head, rtol=1e-2, atol=1e-4)


def test_a_layer_with_fewer_heads_is_filled_with_nan_and_a_rare_model_costs_nothing() -> None:
    model = load_embedded()
    found = next(strain(model, model.tokenize("law"), [Settings(ablated=frozenset({(5, 0)}))]))
    assert found.heads.shape == (len(HEAD_MEASURES), 6, HEADS)
    gain = found.heads[HEAD_MEASURES.index("log_gain")]
    assert bool(gain[5, 0].isnan())  # a head that is off hands on nothing, so nothing reaches its rows
    assert bool(gain[5, 1:].isfinite().all())
