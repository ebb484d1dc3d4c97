"""Masks as literal matrices: True may attend, rows are queries, columns are keys."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from attention_core.masks import causal, kind, padding, window

SIZES = st.integers(1, 9)


def matrix(*rows):
    """1 may attend, 0 may not."""
    return torch.tensor([[character == "1" for character in row] for row in rows])


def test_causal_square():
    assert_close(causal(3, 3), matrix("100", "110", "111"))


def test_causal_for_a_query_block_at_the_end_of_more_keys():
    assert_close(causal(2, 5), matrix("11110", "11111"))
    assert_close(causal(1, 5), matrix("11111"))


def test_causal_with_more_queries_than_keys_leaves_the_first_queries_nothing():
    assert_close(causal(5, 3), matrix("000", "000", "100", "110", "111"))


def test_window_square():
    assert_close(window(5, 5, 1), matrix("11000", "11100", "01110", "00111", "00011"))
    assert_close(window(3, 3, 0), matrix("100", "010", "001"))
    assert_close(window(3, 3, 7), matrix("111", "111", "111"))


def test_window_that_is_causal():
    assert_close(window(5, 5, 2, causal=True), matrix("10000", "11000", "11100", "01110", "00111"))
    assert_close(window(3, 3, 0, causal=True), matrix("100", "010", "001"))


def test_window_for_a_query_block_at_the_end_of_more_keys():
    assert_close(window(2, 5, 1), matrix("00111", "00011"))
    assert_close(window(2, 5, 1, causal=True), matrix("00110", "00011"))


def test_window_refuses_a_negative_radius():
    with pytest.raises(ValueError, match="not -1"):
        window(3, 3, -1)


def test_padding_closes_the_keys_after_each_length():
    allowed = padding(torch.tensor([2, 0, 5]), 5)
    assert allowed.shape == (3, 1, 1, 5)
    assert_close(allowed[:, 0, 0], matrix("11000", "00000", "11111"))


@given(SIZES, SIZES)
def test_causal_is_torchs_lower_triangle(n_q, n_k):
    assert_close(causal(n_q, n_k), torch.ones(n_q, n_k, dtype=torch.bool).tril(n_k - n_q))


@given(SIZES, SIZES, st.integers(0, 10))
def test_window_is_a_band_and_its_causal_half(n_q, n_k, radius):
    full = torch.ones(n_q, n_k, dtype=torch.bool)
    band = full.tril(n_k - n_q + radius).triu(n_k - n_q - radius)
    assert_close(window(n_q, n_k, radius), band)
    assert_close(window(n_q, n_k, radius, causal=True), band & causal(n_q, n_k))


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (matrix("111", "111"), ("none", 0)),
        (matrix("1"), ("none", 0)),
        (matrix("1000", "1100", "1110", "1111"), ("causal", 0)),
        (matrix("00111", "00011"), ("window", 1)),
        (matrix("11110", "11111"), ("causal", 0)),
        (matrix("1000", "1100", "0110", "0011"), ("causal_window", 1)),
        (matrix("100", "010", "001"), ("window", 0)),
        (matrix("11000", "11100", "01110", "00111", "00011"), ("window", 1)),
        (matrix("1010", "0101", "1010", "0101"), ("other", 0)),
        (matrix("000", "000"), ("other", 0)),
        (matrix("0111", "0111", "0111", "0111"), ("other", 0)),  # a first token that nobody may read
    ],
)
def test_a_mask_is_called_what_it_is(allowed, expected):
    assert kind(allowed) == expected


@given(st.integers(3, 9), st.integers(0, 8), st.booleans())
def test_every_window_is_found_again(n, radius, ahead):
    name, half_width = kind(window(n, n, radius, causal=ahead))
    if radius >= n - 1:
        assert name == ("causal" if ahead else "none")
    elif radius:
        assert (name, half_width) == ("causal_window" if ahead else "window", radius)
