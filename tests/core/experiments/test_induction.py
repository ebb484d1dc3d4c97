"""Induction heads form with scaling and not without; what is drawn and scored."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.induction import Induction, induction_score, predictable
from attention_core.masks import causal
from tests.core.experiments.test_base import same

SMALL = Induction(steps=5, every=2, batch=7, vocabulary=13, length=17, periods=(3, 7), d_model=22, d_k=5, evaluated=11)


@pytest.mark.slow
def test_scaled_attention_learns_to_copy_what_followed() -> None:
    """Olsson et al. 2022, arXiv:2209.11895, in small."""
    *_, last = Induction(steps=350, every=350, stop_at=0.96).records()
    assert last.accuracy > 0.95
    assert last.measures["induction"] > 0.4
    assert last.measures["previous"] > 0.3


@pytest.mark.slow
def test_unscaled_attention_does_not() -> None:
    *_, last = Induction(rule="none", steps=350, every=350).records()
    assert last.accuracy < 0.3
    assert last.measures["induction"] < 0.1


def test_same_seed_same_records() -> None:
    for a, b in zip(SMALL.records(), SMALL.records(), strict=True):
        same(a, b)


def test_sequences_repeat_a_block_of_distinct_tokens_with_their_own_period() -> None:
    tokens, periods = SMALL.draw(stream(0, "x"), 101)
    assert set(periods.tolist()) == {3, 4, 5, 6, 7}
    for row, period in zip(tokens.tolist(), periods.tolist(), strict=True):
        assert len(set(row[:period])) == period
        assert all(row[i] == row[i - period] for i in range(period, 17))


def test_only_what_can_be_known_counts() -> None:
    known = predictable(7, torch.tensor([2, 5]))
    assert known.tolist() == [[False, True, True, True, True, True], [False, False, False, False, True, True]]


def test_the_score_is_the_weight_on_what_followed() -> None:
    tokens, periods = SMALL.draw(stream(0, "x"), 11)
    model = SMALL.build()
    _, traces = model(tokens, causal(17, 17))
    weights = traces[1].weights.detach()
    for head in range(2):
        scores = [weights[b, head, i, i + 1 - p] for b, p in enumerate(periods.tolist()) for i in range(p, 17)]
        assert_close(induction_score(traces[1], periods)[head], torch.stack(scores).mean())


def test_nothing_after_a_token_is_seen() -> None:
    model, tokens = replace(SMALL, rule="none").build(), SMALL.draw(stream(0, "x"), 3)[0]
    changed = tokens.clone()
    changed[:, 11:] = 0
    allowed = causal(17, 17)
    assert_close(model(tokens, allowed)[0][:, :11], model(changed, allowed)[0][:, :11], rtol=0, atol=0)
