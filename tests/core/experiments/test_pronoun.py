"""Made sentences, the shipped checkpoint, and the trained layer as a model."""

import hashlib
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from attention_core.checkpoints import DamagedError
from attention_core.experiments.base import stream
from attention_core.experiments.induction import Induction
from attention_core.experiments.needle import Needle
from attention_core.experiments.pronoun import (
    EXAMPLE,
    IDS,
    MOST_FILLERS,
    NOUNS,
    PER_GROUP,
    TRAINED_FILLERS,
    WORDS,
    Pronoun,
    sentences,
)
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import StoreError, save_weights
from attention_core.models import Model, Settings, trained
from attention_core.models.strain import strain
from attention_core.models.trained import (
    CHECKPOINT,
    CHECKPOINT_SHA256,
    UnknownWords,
    from_bytes,
    load_pronoun,
)
from tests.core.experiments.test_base import same

SMALL = Pronoun(steps=3, every=2, batch=11, d_model=22, d_k=5, evaluated=67)


@pytest.fixture(scope="module")
def shipped():
    return load_pronoun()


def test_the_checkpoint_is_the_one_that_was_made_and_small() -> None:
    data = CHECKPOINT.read_bytes()
    assert hashlib.sha256(data).hexdigest() == CHECKPOINT_SHA256
    assert len(data) < 2**20


def test_a_missing_or_damaged_checkpoint_is_named(tmp_path, monkeypatch) -> None:
    file = tmp_path / "pronoun.safetensors"
    monkeypatch.setattr(trained, "CHECKPOINT", file)
    for data in (None, b"", CHECKPOINT.read_bytes()[:-1]):
        if data is not None:
            file.write_bytes(data)
        with pytest.raises(DamagedError, match=r"pronoun\.safetensors"):
            load_pronoun()


def test_its_stands_for_the_law(shipped) -> None:
    """The claim of the page: one of the heads of the pronoun has most of its weight at the noun it stands for."""
    run = shipped.run(shipped.tokenize(EXAMPLE))
    pronoun, law = run.tokens.strings.index("its"), run.tokens.strings.index("law")
    assert float(run.layers[0].attention.weights[:, pronoun, law].max()) > 0.7
    word, chance = shipped.answers(run)[pronoun]
    assert word == "law"
    assert chance > 0.9
    turned = shipped.run(shipped.tokenize(EXAMPLE.replace("its", "his")))
    assert shipped.answers(turned)[pronoun][0] == "king"


def test_the_checkpoint_knows_pairs_and_distances_it_never_saw(shipped) -> None:
    for name, places, longest, least in (("unseen", TRAINED_FILLERS, False, 0.9), ("unseen", MOST_FILLERS, True, 0.85)):
        batch = sentences(stream(99, name), 300, name, places, longest=longest)
        logits, _ = shipped._network(batch.tokens, batch.allowed)
        predicted = logits[torch.arange(300), batch.pronoun].argmax(dim=-1)
        assert float((predicted == batch.answer).float().mean()) > least


def test_a_run_is_the_network_and_torchs_attention(shipped) -> None:
    tokens = shipped.tokenize(EXAMPLE)
    run = shipped.run(tokens)
    logits, (trace,) = shipped._network(torch.tensor([tokens.ids]))
    (layer,) = run.layers
    assert_close(layer.attention.weights, trace.weights[0], rtol=1e-5, atol=1e-6)
    p = layer.projections
    q, k, v = (torch.einsum("nm,hmd->hnd", layer.x, W) for W in (p.W_Q, p.W_K, p.W_V))
    assert_close(layer.attention.context, F.scaled_dot_product_attention(q, k, v), rtol=1e-4, atol=1e-5)
    assert_close(layer.projected("q"), layer.attention.q, rtol=1e-5, atol=1e-5)
    predicted = [WORDS[word] for word in logits[0].argmax(dim=-1).tolist()]
    assert [word for word, _ in shipped.answers(run)] == predicted


def test_it_is_a_model_and_settings_act_in_it(shipped) -> None:
    assert isinstance(shipped, Model)
    tokens = shipped.tokenize("The Law saw the king, but its city should be just.")
    assert " ".join(tokens.strings) == EXAMPLE
    loud, plain = (shipped.run(tokens, Settings(input_scale=a)).layers[0] for a in (3.0, 1.0))
    assert_close(loud.attention.scores, 9 * plain.attention.scores, rtol=1e-4, atol=1e-3)
    assert shipped.run(shipped.tokenize("")).output.shape == (0, 64)
    long = shipped.tokenize("the law " * 40)
    assert (len(long), long.dropped) == (32, 48)
    assert shipped.run(long).layers[0].attention.weights.shape == (2, 32, 32)
    with pytest.raises(ValueError, match="one sentence"):
        shipped.run(tokens, target=tokens)


def test_unknown_words_are_named_once(shipped) -> None:
    with pytest.raises(UnknownWords, match=r"does not know “zebra”, “<b>”|does not know “zebra”") as error:
        shipped.tokenize("the zebra saw the Zebra and the law")
    assert error.value.unknown == ("zebra", "and")
    assert "law" in error.value.known
    with pytest.raises(UnknownWords):
        shipped.tokenize("·")


@pytest.mark.parametrize(
    "config",
    [
        Sort(d_model=7, d_k=3, symbols=5, length=11, input_scale=2.0),
        Induction(d_model=22, d_k=3, n_head=2, n_layer=3, vocabulary=13, length=17, periods=(3, 5)),
    ],
)
def test_any_run_on_tokens_is_a_model(config) -> None:
    """Its weights are those torch's own attention finds from its q and k; autograd passes through the run."""
    model = from_bytes(save_weights(config, config.build().state_dict()))
    tokens = model.tokenize(model.example)
    assert len(tokens) == model.max_tokens == config.length
    run, causal = model.run(tokens, grad=True), isinstance(config, Induction)
    for layer in run.layers:
        eye = torch.eye(len(tokens)).expand(layer.name.n_head, -1, -1)
        sdpa = F.scaled_dot_product_attention(layer.attention.q, layer.attention.k, eye, is_causal=causal)
        assert_close(layer.attention.weights, sdpa, rtol=1e-4, atol=1e-6)
    theirs = config.build().embed(torch.tensor(tokens.ids))
    allowed = torch.ones(len(tokens), len(tokens)).tril().bool() if causal else None
    for block in config.build().blocks:
        theirs, _ = block(theirs, allowed)
    assert_close(run.output, theirs, rtol=1e-4, atol=1e-5)
    (slope,) = torch.autograd.grad(run.output.square().sum(), run.layers[0].attention.q)
    assert float(slope.norm()) > 0
    (strained,) = strain(model, tokens, [Settings(input_scale=2.0)], target=1)
    assert strained.heads.shape[1:] == (len(model.layers), model.layers[0].n_head)
    assert not strained.heads.isnan().any()


def test_what_is_no_run_on_tokens_is_refused() -> None:
    config = Needle(length=11)
    with pytest.raises(StoreError, match="not trained on words"):
        from_bytes(save_weights(config, {"W": torch.zeros(1)}))
    sort = Sort(d_model=7, d_k=3)
    for greedy in ({"length": 10**12}, {"symbols": 10**12}, {"d_k": 10**9}):
        with pytest.raises(StoreError, match=r"do not fit|are the most"):
            from_bytes(save_weights(replace(sort, **greedy), sort.build().state_dict()))
    layers = Induction(d_model=7, d_k=3)
    for greedy in ({"n_layer": 10**9}, {"n_head": 10**9}):
        with pytest.raises(StoreError, match="do not fit"):
            from_bytes(save_weights(replace(layers, **greedy), layers.build().state_dict()))
    state = SMALL.build().state_dict()
    with pytest.raises(StoreError, match="do not fit"):
        from_bytes(save_weights(replace(SMALL, d_model=10**6), state))
    with pytest.raises(StoreError, match="do not fit"):
        from_bytes(save_weights(SMALL, {name: value for name, value in state.items() if name != "tokens"}))
    with pytest.raises(StoreError, match="QK-norm"):
        from_bytes(save_weights(replace(SMALL, rule="qk_norm"), replace(SMALL, rule="qk_norm").build().state_dict()))
    loud = replace(SMALL, input_scale=2.0)
    model = from_bytes(save_weights(loud, loud.build().state_dict()))
    tokens = model.tokenize(EXAMPLE)
    trace = model.run(tokens).layers[0].attention
    assert_close(trace.weights, loud.build()(torch.tensor([tokens.ids]))[1][0].weights[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pairs", ["seen", "unseen"])
def test_sentences_have_one_noun_that_fits_the_pronoun(pairs) -> None:
    batch = sentences(stream(0, "x"), 211, pairs, MOST_FILLERS)
    for row, allowed, at, answer in zip(batch.tokens, batch.allowed, batch.pronoun, batch.answer, strict=True):
        text = [WORDS[word] for word in row.tolist()][: int(allowed.sum())]
        comma = text.index(",")
        nouns = [(word, kind) for kind, group in NOUNS.items() for word in text[:comma] if word in group]
        assert len(nouns) == 2
        assert text[int(at)] == text[comma + 2]
        assert [word for word, kind in nouns if kind == text[int(at)]] == [WORDS[int(answer)]]
        numbers = sorted(NOUNS[kind].index(word) for word, kind in nouns)
        assert ((numbers[1] - numbers[0]) % (PER_GROUP // 2) == 0) == (pairs == "unseen")
    longest = sentences(stream(0, "x"), 211, pairs, MOST_FILLERS, longest=True)
    least = (longest.tokens == IDS[","]).int().argmax(dim=-1).min()
    assert int(least) == 5 + MOST_FILLERS


def test_same_seed_same_records() -> None:
    for a, b in zip(SMALL.records(), SMALL.records(), strict=True):
        same(a, b)
    assert len(IDS) == len(WORDS)


@pytest.mark.slow
def test_training_learns_what_a_pronoun_stands_for() -> None:
    *_, last = Pronoun(steps=260, every=260, evaluated=300).records()
    assert last.accuracy > 0.9
    assert last.measures["unseen"] > 0.85
    assert last.measures["far"] > 0.8
