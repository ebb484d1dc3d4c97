"""The answers of a lesson are what torch's own attention and transformers' eager attention give."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.lessons import Answer, Question, answer
from attention_core.models import FromScratch, Sizes
from attention_core.models.pretrained import load_embedded
from attention_core.saturation import untrained

SENTENCE = "The animal didn't cross the street because it was too tired"
IT, ANIMAL = 10, 2
RACE = {"none": 0.31, "inverse_sqrt": 0.97}


@pytest.fixture(scope="module")
def model():
    return load_embedded()


@pytest.fixture(scope="module")
def rows(eager, model):
    ids = torch.tensor([model.tokenize(SENTENCE).ids])
    with torch.no_grad():
        return torch.stack(eager(input_ids=ids, output_attentions=True).attentions)[:, 0]


def asked(model, **fields) -> Answer:
    computed = answer(Question(text=SENTENCE, **fields), model, RACE)
    assert computed is not None
    return computed


@pytest.mark.parametrize(("layer", "head"), [(3, 1), (5, 11), (0, 7)])
@pytest.mark.parametrize("query", [IT, 5, 12])
def test_answers_about_a_row_are_those_of_eager_attention(model, rows, layer, head, query) -> None:
    row = rows[layer, head, query]
    place = {"layer": layer, "head": head, "query": query, "key": ANIMAL}
    strongest = asked(model, kind="strongest", **place)
    assert strongest.value == int(row.argmax())
    assert strongest.choices[ANIMAL] == "3 animal"
    one_hot = F.one_hot(row.argmax(), len(row))
    for kind, exact in (("weight", row[ANIMAL]), ("change", (row - one_hot).abs().max())):
        computed = asked(model, kind=kind, **place)
        assert_close(computed.value, float(exact), rtol=0, atol=1e-6)
        assert 0 < computed.tolerance < 0.02


@pytest.mark.parametrize("d_k", [8, 64, 512])
@pytest.mark.parametrize(("rule", "alpha"), [("none", 1.0), ("inverse_sqrt", 1.0), ("inverse_sqrt", 4.0)])
def test_the_rows_that_live_are_those_that_autograd_reaches(model, d_k, rule, alpha) -> None:
    seed, head = 3, 5
    computed = asked(model, kind="alive", seed=seed, head=head, d_k=d_k, rule=rule, input_scale=alpha)
    layer = FromScratch(Sizes(n_head=1, d_model=64, d_k=1, d_v=1), model)
    probe = untrained(layer.embed(layer.tokenize(SENTENCE)), seed)
    q, k, v = (stage[head].double() for stage in (probe.q[..., :d_k], probe.k[..., :d_k], probe.v))
    scores = (alpha**2 * q @ k.mT * (1 if rule == "none" else 1 / math.sqrt(d_k))).requires_grad_()
    weights = F.softmax(scores, dim=-1)
    weights.retain_grad()
    (weights @ v @ probe.W_O[head].double() * probe.direction.double()).sum().backward()
    assert scores.grad is not None and weights.grad is not None
    spread = weights.grad - weights.grad.mean(dim=-1, keepdim=True)
    gains = scores.grad.norm(dim=-1) / spread.norm(dim=-1)
    assert computed.value == int((gains >= 1e-3).sum())


def test_the_race_is_won_by_the_most_accurate(model) -> None:
    race = asked(model, kind="race")
    assert race.choices[int(race.value)] == "inverse_sqrt"
    with pytest.raises(ValueError, match="no recorded race"):
        answer(Question(kind="race"), model, {})


def test_ones_own_words_have_no_computed_answer(model) -> None:
    assert answer(Question(kind="open"), model, RACE) is None


@pytest.mark.parametrize(
    "place", [{"layer": 6}, {"head": 12}, {"query": 99}, {"key": 99}, {"layer": -1}, {"head": -1}, {"query": -7}]
)
def test_what_is_not_there_is_a_sentence(model, place) -> None:
    with pytest.raises(ValueError, match="none is number"):
        asked(model, kind="weight", **place)


def test_the_untrained_layer_has_twelve_heads(model) -> None:
    with pytest.raises(ValueError, match="none is number 13"):
        asked(model, kind="alive", head=12)
