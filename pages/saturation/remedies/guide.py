"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from collections.abc import Mapping

from attention_core.remedies import Remedy
from attention_core.remedy_curves import COLUMNS, Head, Place, compare
from attention_core.saturation import INPUT_SCALES
from ui.guide import Choose, Guide, Prediction
from ui.numbers import nearest_ratio
from ui.text import Words

GUIDE = Guide(
    tries=(
        "scale=16",
        "dk=1024&scale=1&remedy=inverse",
        "tokens=4&remedy=ssmax",
    ),
    pages=("vanishing",),
)


SCALE = 16.0
OFFERED = ("none", "inverse_sqrt", "qk_norm")


def prediction(head: Head, stand: Place, table: Mapping[str, Remedy], page: Words) -> Prediction:
    """Which remedy keeps the entropy highest at a large input scale."""

    def truth() -> list[float]:
        swept = compare(head, {key: table[key] for key in OFFERED}, "alpha", stand)
        return swept.table[nearest_ratio(INPUT_SCALES, SCALE), :, COLUMNS.index("entropy")].tolist()

    return Prediction(
        kind=Choose(tuple(page[f"remedy.{key}.name"] for key in OFFERED)),
        state=f"scale={SCALE:g}",
        truth=truth,
        values={"scale": SCALE},
    )
