"""What the scores are multiplied by."""

import pytest
import torch
from torch.testing import assert_close

from attention_core import INVERSE, INVERSE_SQRT, NONE, SCALINGS, by

Q, K = torch.zeros(2, 3, 64), torch.zeros(2, 5, 64)
SCORES = torch.arange(30.0).reshape(2, 3, 5)


@pytest.mark.parametrize(("rule", "factor"), [(NONE, 1.0), (INVERSE_SQRT, 0.125), (INVERSE, 1 / 64), (by(-3.5), -3.5)])
def test_each_rule_multiplies_by_its_factor(rule, factor):
    assert_close(rule.factor(64), factor)
    assert_close(rule.apply(SCORES, Q, K), SCORES * factor)


def test_the_factor_follows_d_k():
    assert_close([rule.factor(9) for rule in (NONE, INVERSE_SQRT, INVERSE)], [1.0, 1 / 3, 1 / 9])


def test_a_factor_of_one_copies_nothing():
    assert NONE.apply(SCORES, Q, K) is SCORES


def test_the_table_holds_the_rules():
    assert {"none": NONE, "inverse_sqrt": INVERSE_SQRT, "inverse": INVERSE}.items() <= SCALINGS.items()
    for rule in SCALINGS.values():
        assert rule.title and rule.formula and rule.reference
