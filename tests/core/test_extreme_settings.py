"""The ends of all settings at once: scores of a hundred thousand, in every layer, against float64 row by row."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core import attend, by
from attention_core.masks import causal
from attention_core.models import FromScratch, Model, Settings, Sizes, load_embedded

TEXT = "The animal didn't cross the street because it was too tired"
SCRATCH = Sizes(n_head=3, d_model=64, d_k=64, d_v=5, seed=3, source="digest")
COLD = {"temperature": 0.05, "input_scale": 16.0}
EXTREMES = (
    Settings(mask="causal", **COLD),
    Settings(mask="window", radius=0, scaling="none", **COLD),
    Settings(mask="causal", normalizer="sparsemax", **COLD),
    Settings(mask="none", scaling="inverse", temperature=20.0, input_scale=0.1),
)


@pytest.mark.parametrize("settings", EXTREMES, ids=lambda settings: f"{settings.mask} {settings.normalizer}")
@pytest.mark.parametrize("scratch", [True, False])
def test_every_layer_is_float64_at_the_ends_of_all_settings(scratch: bool, settings: Settings) -> None:
    model: Model = FromScratch(SCRATCH) if scratch else load_embedded()
    run = model.run(model.tokenize(TEXT), settings)
    assert run.output.isfinite().all()
    for layer in run.layers:
        trace = layer.attention
        exact = layer.factor * trace.q.double() @ trace.k.double().mT
        size = float(exact.abs().max())
        assert_close(trace.scaled_scores.double(), exact, rtol=0, atol=1e-5 * size)
        open_ = ~trace.masked_scores.isneginf()
        logits = trace.scaled_scores.double().masked_fill(~open_, -torch.inf)  # what float32 made of the scores
        if settings.normalizer == "softmax":
            assert_close(trace.weights.double(), logits.softmax(dim=-1), rtol=1e-4, atol=1e-7)
        assert_close(trace.weights.sum(dim=-1), torch.ones_like(trace.weights[..., 0]))
        assert not trace.weights[~open_].any()
        assert_close(trace.context, trace.weights @ trace.v)
    if settings.mask == "causal" and not scratch:
        assert len(run.layers) == 6 and size > 1e4


def test_scores_of_a_hundred_thousand_are_torchs() -> None:
    """The largest scores of a row differ by less than float32 tells apart at −110208.0547."""
    q = torch.tensor([[-1.0, 0.0078125]])
    k = torch.tensor([[110208.0547, 0.0], [110208.0547, 1.0], [110208.0703, 0.0], [110300.0, 0.0]])
    v = torch.eye(4)
    for dtype in (torch.float32, torch.float64):
        parts = [part.to(dtype).requires_grad_() for part in (q, k, v)]
        for masks, theirs in (({}, None), ({"allowed": causal(1, 4)}, causal(1, 4))):
            context = attend(*parts, scaling=by(1.0), **masks).context
            expected = F.scaled_dot_product_attention(*(part[None] for part in parts), attn_mask=theirs, scale=1.0)[0]
            assert_close(context, expected)
            slopes = torch.autograd.grad(context[0, 0], parts)
            wanted = torch.autograd.grad(expected[0, 0], parts)
            for ours, want in zip(slopes, wanted, strict=True):
                assert ours.isfinite().all()
                assert_close(ours, want, rtol=1e-3, atol=1e-6 * float(want.abs().max()))
