"""What is compared, against numbers worked out by hand and against torch."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.models import FromScratch, Settings, Sizes, Tokens
from attention_core.models.base import LayerName
from pages.explore.heads import numbers

SIZES = Sizes(n_head=3, d_model=13, d_k=5, d_v=7, source="digest")
WORDS = Tokens(strings=("one", "two", "three", "five", "eight"))


def run(settings: Settings | None = None, tokens: Tokens = WORDS, seed: int = 0):
    return FromScratch(replace(SIZES, seed=seed)).run(tokens, settings or Settings())


PAIR = Tokens(strings=("one", "two"))


def with_weights(weights: torch.Tensor, masked: torch.Tensor | None = None):
    """A layer on two tokens whose three heads all have these weights, and these masked cells."""
    layer, weights = run(tokens=PAIR).layers[0], weights.expand(3, 2, 2)
    scores = torch.zeros_like(weights) if masked is None else torch.zeros_like(weights).masked_fill(masked, -math.inf)
    return replace(layer, attention=replace(layer.attention, weights=weights, masked_scores=scores))


def test_a_difference_by_hand() -> None:
    a = with_weights(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    b = with_weights(torch.tensor([[0.0, 1.0], [0.5, 0.5]]))
    difference = numbers.difference(a, 0, b, 0)
    assert difference is not None
    assert_close(difference.weights, torch.tensor([[1.0, -1.0], [0.0, 0.0]]))
    assert difference.largest == 1.0
    # Rows without a common key: ln 2; equal rows: 0.
    assert_close(difference.divergence, math.log(2) / 2, rtol=1e-6, atol=0)


def test_cells_that_both_heads_mask_have_no_difference_and_others_do() -> None:
    weights = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    corner = torch.tensor([[False, True], [False, False]])
    both = numbers.difference(with_weights(weights, corner), 0, with_weights(weights, corner), 2)
    one = numbers.difference(with_weights(weights, corner), 1, with_weights(weights), 1)
    assert both is not None
    assert one is not None
    assert both.weights.isnan().tolist() == corner.tolist()
    assert not one.weights.isnan().any()


def test_maps_of_two_shapes_have_no_difference() -> None:
    short = run(tokens=Tokens(strings=("one", "two", "three")))
    assert numbers.difference(run().layers[0], 0, short.layers[0], 0) is None
    assert numbers.output_cosine(run(), short) is None


def test_the_cosine_of_the_outputs_is_torchs() -> None:
    a, b = run(), run(seed=1)
    expected = (a.output * b.output).sum(-1) / (a.output.norm(dim=-1) * b.output.norm(dim=-1))
    cosine = numbers.output_cosine(a, b)
    assert cosine is not None
    assert_close(cosine, expected)


def test_the_effect_of_a_head_that_is_off_by_hand() -> None:
    on, off = run(), run(Settings(ablated=frozenset({(0, 1)})))
    W_O = on.layers[0].projections.W_O
    assert W_O is not None
    lost = on.layers[0].attention.context[1] @ W_O[1]
    effect = numbers.effect(on, off)
    assert_close(effect.relative, lost.norm(dim=-1) / on.output.norm(dim=-1), rtol=1e-4, atol=1e-6)
    assert_close(effect.cosine, F.cosine_similarity(on.output, on.output - lost, dim=-1), rtol=1e-5, atol=1e-6)
    assert_close(effect.divergence[0], torch.zeros(3))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Settings(layers=(0,)), True),
        (Settings(radius=7), True),
        (Settings(temperature=2.0), False),
        (Settings(temperature=2.0, layers=(3,)), True),
        (Settings(temperature=2.0, layers=(0,)), False),
        (Settings(ablated=frozenset({(4, 1)})), False),
    ],
)
def test_settings_are_the_same_when_the_compared_layers_feel_the_same(other: Settings, same: bool) -> None:
    assert numbers.same_settings(Settings(), 0, other, 0) == same


def test_the_measures_of_one_head_are_those_of_its_row() -> None:
    one = run()
    rows = numbers.head_measures(one)
    assert [(row["layer"], row["head"]) for row in rows] == [(0, 0), (0, 1), (0, 2)]
    alone = numbers.measured(one.layers[0], slice(1, 2))
    assert set(alone) == set(numbers.MEASURED)
    for name, value in alone.items():
        assert_close(float(value), float(rows[1][name]), equal_nan=True)  # no token occurs twice


def test_the_value_norm_is_the_length_of_what_is_handed_on() -> None:
    layer = run().layers[0]
    W_O = layer.projections.W_O
    assert W_O is not None
    norms = numbers.value_norms(layer)
    expected = (layer.attention.weights[2, 3, 1] * layer.attention.v[2, 1] @ W_O[2]).norm()
    assert_close(norms[2, 3, 1], expected)
    hidden = replace(layer, projections=replace(layer.projections, W_O=None))
    without = (layer.attention.weights[2, 3, 1] * layer.attention.v[2, 1]).norm()
    assert_close(numbers.value_norms(hidden, slice(2, 3))[0, 3, 1], without)


def test_rollout_follows_each_stack_and_leaves_cross_attention_out() -> None:
    one = run()
    layer = one.layers[0]
    named = [
        replace(layer, index=index, name=LayerName(stack, number, 3))
        for index, (stack, number) in enumerate((("encoder", 1), ("encoder", 2), ("decoder", 1), ("cross", 1)))
    ]
    rollouts = numbers.rollouts(replace(one, layers=tuple(named)), 0.25)
    assert {stack: len(shares) for stack, shares in rollouts.items()} == {"encoder": 2, "decoder": 1}
    step = 0.75 * layer.attention.weights.mean(dim=0) + 0.25 * torch.eye(5)
    assert_close(rollouts["encoder"][1], step @ step)


def test_neighbours_mean_nothing_between_two_sequences_and_a_head_that_is_off_hands_on_nothing() -> None:
    model = FromScratch(Sizes(n_head=3, d_model=22, d_k=7, d_v=5, source="digest"))
    crossed = model.run(model.tokenize("the law saw"), Settings(), model.tokenize("a king")).layers[0]
    measures = numbers.measured(crossed)
    assert bool(measures["distance"].isnan().all())
    assert bool(measures["previous"].isnan().all())
    assert bool(measures["entropy"].isfinite().all())
    off = model.run(model.tokenize("the law saw"), Settings(ablated=frozenset({(0, 1)}))).layers[0]
    norms = numbers.measured(off)["value_norm"]
    assert_close(norms[1], torch.tensor(0.0), rtol=0, atol=0)
    assert bool((norms[[0, 2]] > 0).all())
