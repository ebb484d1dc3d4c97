"""What the link says about hard and soft attention: where four sliders stand, each at its nearest stop.

Sequence 2 happens to end on the least likely token, so the page opens with it.
"""

from collections.abc import Sequence

from attention_core.sampling import BASELINES
from pages.mechanisms.hard_soft.draws import COUNTS, DRAWS
from pages.mechanisms.hard_soft.numbers import TEMPERATURES
from ui.components.lab import Positions
from ui.numbers import finite, nearest
from ui.state import Setting

SEQUENCES = range(1, DRAWS + 1)


def _stop(key: str, stops: Sequence[int] | Sequence[float], default: float) -> Setting[int]:
    """The index of one of these stops; the link spells the stop itself."""
    return Setting(
        key=key,
        default=nearest(stops, default),
        parse=lambda spelling: nearest(stops, finite(spelling, default)),
        spell=lambda at: f"{stops[at]:g}",
    )


SETTINGS = {  # by the name of its slider
    "temperature": _stop("hs_T", TEMPERATURES, 1.0),
    "count": _stop("hs_N", COUNTS, 64.0),
    "draw": _stop("hs_draw", SEQUENCES, 2.0),
    "baseline": Setting(key="hs_baseline", default=1, parse=BASELINES.index, spell=BASELINES.__getitem__),
}


def moved(at: Positions) -> None:
    """Released sliders, of either picture: their values go into the link."""
    for name, index in at.items():
        SETTINGS[name].put(index)
