"""What a link to the first page says besides the sentence, the word that asks, and the sliders."""

from ui import stops
from ui.state import Setting


def _head(spelling: str) -> tuple[int, int]:
    layer, _, head = spelling.partition(".")
    return int(layer) - 1, int(head) - 1


# The head the reader has chosen; (-1, -1): the one that reads most from the asking word.
CHOSEN = Setting(
    key="shown", default=(-1, -1), parse=_head, spell=lambda head: ".".join(str(index + 1) for index in head)
)

D_K, SCALE = stops.START_D_K, stops.START_SCALE
