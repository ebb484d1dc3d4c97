"""Numbers as a reader wants them: 4 significant digits, a true minus sign, powers of ten with superscripts."""

import math
from collections.abc import Sequence

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def significant(x: float, digits: int = 4, *, undefined: str = "undefined") -> str:
    """`x` to `digits` significant digits: 0.1235, 12.35, −3, 1.2·10⁻⁷, −∞, `undefined` for NaN.

    Never −0; trailing zeros carry no information and are dropped. Powers of ten below 10⁻³ and from 10⁶ on.
    """
    if math.isnan(x):
        return undefined
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0:
        return "0"
    mantissa, exponent = f"{abs(x):.{digits - 1}e}".split("e")
    power = int(exponent)
    sign = "−" if x < 0 else ""
    if -3 <= power < 6:
        return sign + _trim(f"{float(f'{mantissa}e{power}'):.{max(digits - 1 - power, 0)}f}")
    return f"{sign}{_trim(mantissa)}·10{str(power).translate(SUPERSCRIPTS)}"


def whole(x: int | float) -> str:
    """A count, exact, in groups of three: 12 288 with thin spaces that do not break."""
    return f"{int(x):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def nearest(stops: Sequence[int] | Sequence[float], value: float) -> int:
    """The index of the stop closest to a value."""
    return min(range(len(stops)), key=lambda index: abs(stops[index] - value))


def nearest_ratio(stops: Sequence[int] | Sequence[float], value: float) -> int:
    """The index of the stop whose ratio to a positive value is closest to 1."""
    return min(range(len(stops)), key=lambda index: abs(math.log(stops[index] / value)))


def finite(spelling: str, otherwise: float) -> float:
    """The finite number a link spells, else the other."""
    try:
        number = float(spelling[:12])
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


def positive(spelling: str, otherwise: float) -> float:
    """The positive, finite number a link spells, else the other."""
    number = finite(spelling, otherwise)
    return number if number > 0 else otherwise


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
