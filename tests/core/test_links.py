"""Which head links two tokens, against transformers' eager attention and autograd."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModel

from attention_core.models import FromScratch, Settings, Sizes, Tokens, load_embedded
from attention_core.models.links import LINK_MEASURES, Link, gradient_rows, links, ranked
from attention_core.models.pretrained import embedded_folder

TEXT = "The animal didn't cross the street because it was too tired"
LAYERS, HEADS, QUERY, KEY = 6, 12, 10, 2


class Eager:
    """transformers' own attention in float64 on the sentence: what every value map and every output map gives."""

    def __init__(self) -> None:
        self.model = AutoModel.from_pretrained(embedded_folder(), attn_implementation="eager", dtype=torch.float64)
        self.values: list[torch.Tensor] = []
        self.handed_on: list[torch.Tensor] = []
        for layer in self.model.eval().encoder.layer:
            layer.attention.self.value.register_forward_hook(lambda *passed: self.values.append(passed[2][0]))
            layer.attention.output.dense.register_forward_hook(lambda *passed: self.handed_on.append(passed[2][0]))
        ids = torch.tensor([load_embedded().tokenize(TEXT).ids])
        outputs = self.model(input_ids=ids, output_attentions=True)
        self.weights, self.output = outputs.attentions, outputs.last_hidden_state[0]


@pytest.fixture(scope="module")
def eager() -> Eager:
    return Eager()


def test_every_head_has_the_weight_that_transformers_computes(eager: Eager) -> None:
    model = load_embedded()
    heads = links(model.run(model.tokenize(TEXT)), 3, QUERY, KEY)
    assert [(link.layer, link.head) for link in heads] == [(at // HEADS, at % HEADS) for at in range(LAYERS * HEADS)]
    theirs = torch.stack(eager.weights)[:, 0, :, QUERY, KEY].flatten()
    assert_close(torch.tensor([link.weight for link in heads]).double(), theirs, rtol=1e-4, atol=1e-6)
    assert all(math.isnan(link.gradient) for link in heads)


def test_the_contributions_are_those_of_the_keys_and_heads_that_sum_to_the_output_of_the_layer(eager: Eager) -> None:
    model = load_embedded()
    heads = links(model.run(model.tokenize(TEXT)), 0, QUERY, KEY)
    for index, layer in enumerate(eager.model.encoder.layer):
        output_map, v = layer.attention.output.dense, eager.values[index].unflatten(-1, (HEADS, -1))
        W_O = output_map.weight.T.unflatten(0, (HEADS, -1))
        parts = torch.einsum("hj,jhv,hvd->hjd", eager.weights[index][0, :, QUERY], v, W_O)
        assert_close(parts.sum(dim=(0, 1)), eager.handed_on[index][QUERY] - output_map.bias, rtol=1e-9, atol=1e-9)
        ours = torch.tensor([link.contribution for link in heads[index * HEADS : (index + 1) * HEADS]]).double()
        assert_close(ours, parts[:, KEY].norm(dim=-1), rtol=1e-4, atol=1e-6)


def test_the_gradients_are_those_of_the_eager_model(eager: Eager) -> None:
    direction = torch.randn(eager.output.shape[-1], generator=torch.Generator().manual_seed(0)).double()
    theirs = torch.autograd.grad((eager.output * direction).sum(), eager.weights, retain_graph=True)
    model = load_embedded()
    tokens = model.tokenize(TEXT)
    rows = gradient_rows(model, tokens, Settings(), QUERY)
    heads = links(model.run(tokens), 3, QUERY, KEY, rows)
    expected = torch.stack(theirs)[:, 0, :, QUERY, KEY].flatten().abs()
    assert_close(torch.tensor([link.gradient for link in heads]).double(), expected, rtol=1e-3, atol=1e-5)
    best = ranked(heads, "gradient")[0]
    assert best.layer * HEADS + best.head == int(expected.argmax())


WORDS = Tokens(strings=("one", "two", "three", "five", "eight"))
SCRATCH = FromScratch(Sizes(n_head=3, d_model=13, d_k=5, d_v=7, source="digest"))


def test_a_head_that_is_off_hands_on_nothing_and_keeps_its_weight() -> None:
    run = SCRATCH.run(WORDS, Settings(ablated=frozenset({(0, 1)})))
    silent = links(run, 0, 3, 1)[1]
    assert silent.contribution == 0
    assert_close(torch.tensor(silent.weight), run.layers[0].attention.weights[1, 3, 1])


def test_a_forbidden_pair_has_no_heads() -> None:
    assert links(SCRATCH.run(WORDS, Settings(mask="causal")), 0, 1, 3) == []
    assert len(links(SCRATCH.run(WORDS, Settings(mask="causal")), 0, 3, 1)) == 3


def test_only_layers_with_the_same_tokens_are_compared() -> None:
    run = SCRATCH.run(WORDS)
    layer = run.layers[0]
    other = replace(layer, index=1, keys=("a", "b", "c", "d", "e"))
    assert {link.layer for link in links(replace(run, layers=(layer, other)), 0, 2, 3)} == {0}


def test_hard_weights_have_no_gradient_and_stand_last() -> None:
    hard = Settings(normalizer="hard")
    rows = gradient_rows(SCRATCH, WORDS, hard, 2)
    assert all(math.isnan(link.gradient) for link in links(SCRATCH.run(WORDS, hard), 0, 2, 3, rows))


@pytest.mark.parametrize("by", LINK_MEASURES)
def test_the_largest_stands_first_and_what_has_no_number_last(by: str) -> None:
    values = (2.0, math.nan, 7.0, 5.0)
    others = {name: 3.0 for name in LINK_MEASURES if name != by}
    heads = [Link(layer=0, head=at, **{by: value, **others}) for at, value in enumerate(values)]
    assert [link.head for link in ranked(heads, by)] == [2, 3, 0, 1]
