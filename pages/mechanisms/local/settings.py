"""What the link says about local attention: D, p_t, and the mechanism whose map is shown."""

import math

from pages.mechanisms.local.numbers import MAPPED
from ui.numbers import finite
from ui.state import Setting

QUERY = "t"  # how the link says that p_t stands on the query itself


def _center(spelling: str) -> float | None:
    place = finite(spelling, math.nan)
    return None if math.isnan(place) else place


RADIUS = Setting(key="lo_D", default=3.0, parse=lambda spelling: finite(spelling, 3.0), spell=lambda D: f"{D:g}")
CENTER: Setting[float | None] = Setting(
    key="lo_p", default=None, parse=_center, spell=lambda place: QUERY if place is None else f"{place:g}"
)
KIND = Setting(key="lo_kind", default=MAPPED[0], parse=str, options=MAPPED)
