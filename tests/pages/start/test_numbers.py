"""Heads tagged by measurement, and rows that can still learn: against loops and autograd."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.models import FromScratch, Sizes, Tokens
from attention_core.saturation import D_K_STOPS, DEAD, INPUT_SCALES, N_HEAD, untrained
from pages.explore.start.numbers import lives, scaled_lives
from ui.tagging import landmarks, tags

WORDS = ("[CLS]", "the", "fox", "saw", "the", "hen", "and", "it", "ran", "[SEP]")


def random_weights(layers: int = 3, heads: int = 5, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(layers, heads, len(WORDS), len(WORDS), generator=draw).softmax(dim=-1)


def sharpened(weights: torch.Tensor, layer: int, head: int, pairs: list[tuple[int, int]]) -> torch.Tensor:
    """The same, but in this head each of these queries reads this key and nothing else."""
    weights = weights.clone()
    for query, key in pairs:
        weights[layer, head, query] = 0
        weights[layer, head, query, key] = 1
    return weights


def test_the_three_tags_are_the_heads_that_do_it_most() -> None:
    inner = range(2, 9)
    weights = sharpened(random_weights(), 1, 3, [(at, at - 1) for at in inner])
    weights = sharpened(weights, 2, 0, [(1, 4), (4, 1)])
    weights = sharpened(weights, 0, 4, [(7, 2)])
    previous, copy, pair = tags(WORDS, weights, query=7)
    assert (previous.kind, previous.layer, previous.head) == ("previous", 1, 3)
    assert (copy.kind, copy.layer, copy.head) == ("copy", 2, 0)
    assert (pair.kind, pair.layer, pair.head, pair.key) == ("pair", 0, 4, 2)
    assert previous.share == copy.share == pair.share == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_shares_are_those_of_a_loop_over_the_words(seed: int) -> None:
    weights = random_weights(seed=seed)
    previous, copy, pair = tags(WORDS, weights, query=5)
    looks_back = [
        [sum(float(weights[layer, head, at, at - 1]) for at in range(2, 9)) / 7 for head in range(5)]
        for layer in range(3)
    ]
    assert previous.share == pytest.approx(max(map(max, looks_back)), rel=1e-5)
    twice = [
        [(float(weights[layer, head, 1, 4]) + float(weights[layer, head, 4, 1])) / 2 for head in range(5)]
        for layer in range(3)
    ]
    twice[previous.layer][previous.head] = -1  # three different heads
    assert copy.share == pytest.approx(max(map(max, twice)), rel=1e-5)
    apart = [key for key in range(1, 9) if abs(key - 5) > 1]
    reads = {
        (layer, head, key): float(weights[layer, head, 5, key])
        for layer in range(3)
        for head in range(5)
        for key in apart
        if (layer, head) not in {(previous.layer, previous.head), (copy.layer, copy.head)}
    }
    assert (pair.layer, pair.head, pair.key) == max(reads, key=reads.__getitem__)


def test_a_pronoun_reads_a_word_before_it() -> None:
    after = sharpened(random_weights(), 0, 4, [(7, 8)])
    assert tags(WORDS, after, query=7)[-1].key < 6


def test_where_no_word_occurs_twice_the_second_tag_stays_on_its_own_word() -> None:
    words = ("[CLS]", "a", "fox", "saw", "the", "hen", "and", "it", "ran", "[SEP]")
    weights = sharpened(random_weights(), 2, 2, [(at, at) for at in range(1, 9)])
    own = tags(words, weights, query=7)[1]
    assert (own.kind, own.layer, own.head, own.share) == ("own", 2, 2, 1)


@pytest.mark.parametrize("words", [("[CLS]", "it", "ran", "[SEP]"), ("[CLS]", "fox", "fox", "[SEP]")])
def test_two_words_are_enough(words: tuple[str, ...]) -> None:
    weights = random_weights()[..., :4, :4]
    query = 1
    assert tags(words, weights, query)[0].kind == "previous" and query in (1, 2)


def test_living_rows_are_those_of_autograd() -> None:
    x = torch.randn(11, 17, generator=torch.Generator().manual_seed(5))
    probe = untrained(x, seed=3)
    alive, scaled = lives(probe, head=2), scaled_lives(probe, head=2)
    assert alive.shape == (len(D_K_STOPS), len(INPUT_SCALES), 1) and probe.q.shape[0] == N_HEAD
    for stop, scale in ((0, 3), (13, 17), (23, 19), (30, 19), (40, 29)):
        factors = {INPUT_SCALES[scale] ** 2: alive[stop, scale, 0]}
        factors |= {D_K_STOPS[stop] ** -0.5: scaled[stop]}
        for factor, count in factors.items():
            scores = (probe.scores(D_K_STOPS[stop])[2].double() * factor).requires_grad_()
            weights = scores.softmax(dim=-1)
            weights.retain_grad()
            output = weights @ probe.v[2].double() @ probe.W_O[2].double()
            (output * probe.direction.double()).sum().backward()
            gains = scores.grad.norm(dim=-1) / weights.grad.norm(dim=-1)
            near = (gains.log10() - math.log10(DEAD)).abs() < 1e-3
            assert not near.any(), "choose another stop: a row lies on the border"
            assert_close(torch.tensor(float(count)), (gains >= DEAD).sum().float(), rtol=0, atol=0)


def test_landmarks_are_the_heads_that_look_back_find_copies_and_rest_on_the_first_token() -> None:
    model = FromScratch(Sizes(n_head=5, d_model=13, d_k=7, d_v=11, source="digest"))
    run = model.run(Tokens(strings=WORDS))
    weights = sharpened(random_weights(layers=1), 0, 3, [(at, at - 1) for at in range(2, 9)])
    weights = sharpened(weights, 0, 1, [(1, 4), (4, 1)])
    weights = sharpened(weights, 0, 4, [(at, 0) for at in range(len(WORDS))])
    layer = run.layers[0]
    run = replace(run, layers=(replace(layer, attention=replace(layer.attention, weights=weights[0])),))
    assert [(tag.kind, tag.head, tag.share) for tag in landmarks(run)] == [
        ("previous", 3, 1.0),
        ("copy", 1, 1.0),
        ("first", 4, 1.0),
    ]
    crossed = replace(run.layers[0], keys=WORDS[::-1])
    assert landmarks(replace(run, layers=(run.layers[0], crossed))) == ()
