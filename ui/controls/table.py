"""The table of what makes a study: every key of the link that the bar of a page, its menus and its sizes set."""

import re
from collections.abc import Sequence

from attention_core import SCALINGS
from attention_core.models import Settings, Sizes
from attention_core.models.base import MASKS
from attention_core.models.from_scratch import Positions, Source
from ui.controls.widgets import whole
from ui.sentences import SENTENCES
from ui.session import catalogue, own
from ui.state import Setting, one_of

DEFAULT_SENTENCE = SENTENCES[0].text
INPUT_SCALES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
RULES = ("model", *SCALINGS)
NORMALIZERS = ("softmax", "hard")  # of the core's, those that the page on every step explains
WHERES = ("here", "all")
POSITIONS: tuple[Positions, ...] = ("sinusoidal", "none", "rope", "alibi")
SOURCES: tuple[Source, ...] = ("embeddings", "digest")

Head = tuple[int, int]  # layer and head, counted from 0; from 1 in the link and on the screen


def head_name(head: Head, numbers: Sequence[int] = ()) -> str:
    """ "2.5": the fifth head of the second layer, or of the layer that `numbers` calls 2."""
    layer, index = head
    return f"{numbers[layer] if numbers else layer + 1}.{index + 1}"


def heads_of(spelling: str, numbers: Sequence[int] | range = range(1, 10**6)) -> list[Head]:
    """The heads of "2.5,3.1", of the layers that these numbers call so."""
    pairs = re.findall(r"(?:^|,)(\d{1,6})\.(\d{1,6})(?=,|$)", spelling, re.ASCII)
    return [(numbers.index(int(layer)), int(head) - 1) for layer, head in pairs if int(layer) in numbers]


TEXT = Setting(key="text", default=DEFAULT_SENTENCE, parse=str)

SCALING = one_of("scaling", RULES, folded=True)
INPUT_SCALE = Setting(key="alpha", default=1.0, parse=float, options=INPUT_SCALES, folded=True)
NORMALIZER = one_of("normalizer", NORMALIZERS, folded=True)
MASK = one_of("mask", MASKS, folded=True)
RADIUS = whole("radius", range(65), Settings().radius, folded=True)  # tokens, of the window
WHERE = one_of("where", WHERES, folded=True)
OFF: Setting[list[Head]] = Setting(
    key="off", default=[], parse=heads_of, spell=lambda heads: ",".join(map(head_name, heads)), folded=True
)

SIZES = {  # of the from-scratch layer
    "n_head": whole("n_head", range(1, 13), Sizes().n_head),
    "d_model": whole("d_model", range(1, 513), Sizes().d_model),
    "d_k": whole("d_k", range(1, 257), Sizes().d_k),
    "d_v": whole("d_v", range(1, 257), Sizes().d_v),
    "seed": whole("seed", range(10_000), Sizes().seed),
}
POSITION = one_of("positions", POSITIONS)
SOURCE = one_of("source", SOURCES)


def model_names() -> list[str]:
    """What the menu of models offers: the catalogue, and the layers this visitor has trained."""
    return [*catalogue(), *own()]


def model() -> Setting[str]:
    """The model; what there is depends on the visitor."""
    return one_of("model", model_names())
