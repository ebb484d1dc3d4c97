"""What a link to the Softmax page says: where its sliders stand, the reader's row, and the cell in focus."""

import re
from collections.abc import Sequence

from pages.saturation.softmax.numbers import A_STOPS, BETAS, GAPS, H_STOPS, MOST, SHIFTS, stepped
from ui.numbers import finite, nearest
from ui.state import Setting

Scores = tuple[float, ...]
Cell = tuple[int, int]


def _slider(key: str, stops: Sequence[float], default: float, form: str = "g") -> Setting[float]:
    """Any number a link spells means the nearest stop."""

    def parsed(spelling: str) -> float:
        number = float(spelling)
        if not abs(number) < 1e9:
            raise ValueError(f"no stop is near {number}")
        return stops[nearest(stops, number)]

    return Setting(key=key, default=default, parse=parsed, spell=lambda stop: format(stop, form))


A = _slider("sm_a", A_STOPS, 1.0)
BETA = _slider("sm_beta", BETAS, 1.0)
SHIFT = _slider("sm_c", SHIFTS, 0.0)
H = _slider("sm_h", H_STOPS, H_STOPS[40], ".3g")
GAP = _slider("sm_gap", GAPS, 5.0, ".4g")
SUBTRACT_MAX = Setting(
    key="sm_max", default=True, parse=lambda spelling: spelling != "0", spell=lambda yes: str(int(yes))
)


def _scores(spelling: str) -> Scores:
    return tuple(stepped(finite(number, 0.0)) for number in spelling.split(",")[:MOST])


def _spelled_scores(scores: Scores) -> str:
    return ",".join(f"{score:g}" for score in scores)


def _cell(spelling: str) -> Cell:
    numbers = re.fullmatch(r"([0-9]{1,2}),([0-9]{1,2})", spelling)
    if not numbers:
        raise ValueError(f"{spelling!r} is no cell of a matrix")
    return int(numbers[1]) - 1, int(numbers[2]) - 1


SCORES: Setting[Scores] = Setting(key="sm_x", default=(1.0, 1.0, 2.0), parse=_scores, spell=_spelled_scores)
CELL: Setting[Cell] = Setting(
    key="sm_pair", default=(2, 0), parse=_cell, spell=lambda cell: f"{cell[0] + 1},{cell[1] + 1}"
)
COUNT = "sm_n"  # the widget that says how many scores there are

PRESETS: dict[str, tuple[Scores, float]] = {  # name → scores, c
    "article": ((1.0, 1.0, 2.0), 0.0),
    "small": ((0.0, 0.0, 1.0), 0.0),
    "large": ((0.0, 0.0, 1.0), 100.0),
    "equal": ((0.0, 0.0, 0.0), 100.0),
    "tie": ((4.0, 4.0, 0.0, 0.0), 0.0),
    "sixteen": (
        (0.5, -1.25, 2.0, 0.0, -0.75, 1.5, -2.0, 0.25, 3.0, -0.5, 1.0, -1.5, 0.75, -0.25, 1.25, -1.0),
        0.0,
    ),
}


def scores_of(n: int) -> Scores:
    """The reader's row, cut or filled up with zeros to n scores."""
    return (*SCORES.value()[:n], *[0.0] * (n - len(SCORES.value())))


def cell_of(n: int) -> Cell:
    """The cell (i, j) of the Jacobian that is in focus, counted from 0; the last row or column where it is outside."""
    i, j = CELL.value()
    return i if 0 <= i < n else n - 1, j if 0 <= j < n else n - 1
