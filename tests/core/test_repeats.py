"""Heads that look back to copies, against loops over the definitions, and heads planted by hand."""

import math

import pytest
import torch
from torch.testing import assert_close

from attention_core.repeats import duplicate_score, induction_score, share_onto

TEXTS = (tuple("abcabca"), tuple("aab"), tuple("xyzxwyzxz"), tuple("abba"))


def drawn(n: int, heads: int = 3) -> torch.Tensor:
    return torch.randn(2, heads, n, n, generator=torch.Generator().manual_seed(n)).softmax(dim=-1)


def by_loops(weights: torch.Tensor, tokens: tuple[str, ...], step: int, causal: bool = False) -> float:
    """step 0: earlier copies; step 1: what follows them."""
    shares = []
    for query, asked in enumerate(tokens):
        copies = [at for at in range(query) if tokens[at] == asked]
        keys = [at + step for at in copies if at + step < len(tokens) and not (causal and at + step > query)]
        if keys:
            shares.append(sum(float(weights[query, key]) for key in keys))
    return sum(shares) / len(shares)


@pytest.mark.parametrize("tokens", TEXTS)
def test_the_scores_are_those_of_loops_over_the_definition(tokens: tuple[str, ...]) -> None:
    weights = drawn(len(tokens))
    for score, step in ((duplicate_score, 0), (induction_score, 1)):
        expected = [[by_loops(head, tokens, step) for head in layer] for layer in weights]
        assert_close(score(weights, tokens), torch.tensor(expected))


def test_a_planted_head_has_one_and_the_others_less() -> None:
    tokens, n, period = tuple("abcdefg" * 2), 14, 7
    weights = torch.full((3, n, n), 1 / n)
    for query in range(period, n):
        for head, key in ((0, query - period), (1, query - period + 1)):
            weights[head, query] = torch.eye(n)[key]
    assert_close(duplicate_score(weights, tokens), torch.tensor([1.0, 0.0, 1 / n]))
    assert_close(induction_score(weights, tokens), torch.tensor([0.0, 1.0, 1 / n]))


def test_without_a_repetition_both_are_undefined() -> None:
    for score in (duplicate_score, induction_score):
        assert bool(score(drawn(5), tuple("abcde")).isnan().all())


def test_a_query_that_may_not_look_there_does_not_count() -> None:
    tokens = tuple("abcabca")
    allowed = torch.ones(7, 7, dtype=torch.bool).tril()
    weights = drawn(7) * allowed
    expected = [[by_loops(head, tokens, 1, causal=True) for head in layer] for layer in weights]
    assert_close(induction_score(weights, tokens, allowed), torch.tensor(expected))
    closed = allowed.clone()
    closed[3] = torch.arange(7) == 3  # the second a sees itself alone
    pairs = torch.zeros(7, 7, dtype=torch.bool)
    pairs[3, 0] = pairs[6, 0] = True
    assert_close(share_onto(weights, pairs, closed), weights[..., 6, 0])
    assert math.isnan(float(share_onto(weights[0, 0], pairs & False, closed)))
