"""Numbers as a reader wants them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.numbers import SUPERSCRIPTS, significant


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (0.5, "0.5"),
        (0.123456, "0.1235"),
        (-12.3456, "−12.35"),
        (9.99996, "10"),
        (0.00123456, "0.001235"),
        (-1e-17, "−1·10⁻¹⁷"),
        (1.2e-7, "1.2·10⁻⁷"),
        (123456.0, "123500"),
        (999999.0, "1·10⁶"),
        (-2.5e9, "−2.5·10⁹"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "undefined"),
    ],
)
def test_examples(x, text):
    assert significant(x) == text


def test_the_word_for_nan_is_the_callers():
    assert significant(math.nan, undefined="无定义") == "无定义"


def read(text):
    mantissa, _, power = text.replace("−", "-").partition("·10")
    ascii_power = power.translate({new: old for old, new in SUPERSCRIPTS.items()})
    return float(f"{mantissa}e{ascii_power or 0}")


@given(st.floats(-1e300, 1e300, allow_subnormal=False), st.integers(1, 7))
def test_what_is_read_back_is_within_half_a_unit_of_the_last_digit(x, digits):
    assert abs(read(significant(x, digits)) - x) <= 0.5000001 * 10 ** (1 - digits) * abs(x)
    assert significant(x, digits) not in {"-0", "−0", "−0.000"}
