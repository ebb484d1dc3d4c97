"""The residuals under a figure: they must see what is wrong."""

import math
from dataclasses import replace

import torch

from attention_core.models import FromScratch, LayerTrace, Settings, Sizes
from ui.trust import row_sum_residual, sdpa_residual

PLAIN = Sizes(n_head=3, d_model=22, d_k=7, d_v=5, source="digest", positions="alibi")


def layer(settings: Settings | None = None) -> LayerTrace:
    model = FromScratch(PLAIN)
    return model.run(model.tokenize("The law saw the king"), settings or Settings()).layers[0]


def test_a_sound_layer_differs_by_rounding_only() -> None:
    for settings in (Settings(), Settings(mask="causal"), Settings(ablated=frozenset({(0, 1)}))):
        residual = sdpa_residual(layer(settings))
        assert residual is not None
        assert residual < 1e-5


def test_a_wrong_number_and_a_nan_are_not_hidden() -> None:
    sound = layer(Settings(mask="causal"))
    for wrong in (math.nan, 7.0):
        context = sound.attention.context.clone()
        context[1, 2, 3] = wrong
        residual = sdpa_residual(replace(sound, attention=replace(sound.attention, context=context)))
        assert residual is not None
        assert not residual < 1


def test_rows_with_nothing_allowed_are_left_out() -> None:
    model = FromScratch(PLAIN)
    longer = model.tokenize("a b c d e f g")
    empty = model.run(model.tokenize("l m n"), Settings(mask="causal"), longer).layers[0]
    assert bool(empty.attention.masked_scores.isneginf().all(-1).any())
    residual = sdpa_residual(empty)
    assert residual is not None
    assert residual < 1e-5
    assert row_sum_residual(empty) < 1e-6


def test_torch_has_no_hard_attention_to_compare_with() -> None:
    assert sdpa_residual(layer(Settings(normalizer="hard"))) is None
    assert torch.isfinite(torch.tensor(row_sum_residual(layer(Settings(normalizer="hard")))))
