"""Numbers that come from a link."""

import math


def finite(spelling: str, otherwise: float) -> float:
    """A finite number, else the other."""
    try:
        found = float(spelling[:12])
    except ValueError:
        return otherwise
    return found if math.isfinite(found) else otherwise
