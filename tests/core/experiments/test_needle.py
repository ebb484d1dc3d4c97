"""The middle needle: attention finds it, an LSTM does not; and a budget of seconds ends a run."""

from dataclasses import replace

import pytest
from torch.testing import assert_close

from attention_core.experiments.base import stream
from attention_core.experiments.gradient_reach import LAYER_KINDS
from attention_core.experiments.needle import Needle
from tests.core.experiments.test_base import same

SMALL = Needle(steps=3, every=2, length=17, d=13, symbols=5, batch=7, evaluated=11)


@pytest.mark.slow
def test_attention_finds_the_needle() -> None:
    *_, last = Needle(length=64, batch=32, every=50, steps=600, stop_at=0.97).records()
    assert last.accuracy > 0.95


@pytest.mark.slow
def test_an_lstm_does_not_in_the_steps_attention_needs() -> None:
    *_, last = Needle(kind="lstm", length=64, batch=32, every=300, steps=300).records()
    assert last.accuracy < 0.3


@pytest.mark.parametrize("kind", LAYER_KINDS)
def test_same_seed_same_records(kind) -> None:
    config = replace(SMALL, kind=kind)
    for a, b in zip(config.records(), config.records(), strict=True):
        same(a, b)


def test_the_sizes_are_those_of_the_report() -> None:
    """LSTM 25 928, GRU 19 656, BiLSTM 51 528, BiGRU 38 984 numbers: gates of 64 units, and the read-out."""
    for kind, count in (("lstm", 25_928), ("gru", 19_656), ("bilstm", 51_528), ("bigru", 38_984)):
        assert sum(one.numel() for one in Needle(kind=kind).build().parameters()) == count


def test_the_needle_lies_in_the_central_eighth_and_is_the_answer() -> None:
    tokens, answer = Needle(length=128).draw(stream(0, "x"), 503)
    flags = tokens[..., 1]
    assert_close(flags.sum(dim=1), flags.sum(dim=1).clamp(1, 1))
    where = flags.argmax(dim=1)
    assert (int(where.min()), int(where.max())) == (56, 71)
    assert tokens[..., 0].gather(1, where[:, None])[:, 0].tolist() == answer.tolist()


def test_a_budget_ends_the_run_with_its_weights() -> None:
    records = list(replace(SMALL, steps=10**6, seconds=0.0).records())
    assert [record.step for record in records] == [0]
    assert records[-1].state.keys() == SMALL.build().state_dict().keys()


def test_what_cannot_be_built_is_refused() -> None:
    for wrong in ({"kind": "cnn"}, {"length": 7}):
        with pytest.raises(ValueError, match="must"):
            Needle(**wrong)
