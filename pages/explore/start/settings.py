"""What a link to the first page says besides the sentence, the word that asks, and the sliders."""

from dataclasses import replace

from ui import stops
from ui.state import Setting


def _head(spelling: str) -> tuple[int, int]:
    layer, _, head = spelling.partition(".")
    return int(layer) - 1, int(head) - 1


# The head the reader has chosen; (-1, -1): the one that reads most from the asking word.
CHOSEN = Setting(
    key="shown", default=(-1, -1), parse=_head, spell=lambda head: ".".join(str(index + 1) for index in head)
)

# The sliders open where the head is soft: elsewhere they open where unscaled attention is in trouble already.
D_K, SCALE = replace(stops.D_K, key="soft_dk", default=8.0), replace(stops.SCALE, key="soft_scale")
