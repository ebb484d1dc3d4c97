"""What the guide of this page sets, the pages it names, and what a reader can predict."""

from attention_core.shuffling import SCHEMES
from pages.mechanisms.order.reading import Reading
from pages.mechanisms.order.shuffle.numbers import COMPARED, MOVED, STOPS, compared, under_schemes
from ui.guide import Guide, Number, Prediction

GUIDE = Guide(
    tries=(
        "order_positions=none&order_swaps=reversed",
        "order_mask=causal_window&order_radius=1",
        "order_key_heads=1",
    ),
)


def prediction(reading: Reading, head: int, seed: int) -> Prediction:
    """How many weights have moved when the sentence is reversed without positions and the map put back."""
    cells = len(reading.tokens) ** 2

    def truth() -> list[float]:
        numbers = compared(under_schemes(reading, seed), head).numbers
        return [float(numbers[SCHEMES.index("none"), STOPS.index("reversed"), COMPARED.index("moved")])]

    return Prediction(
        kind=Number(tuple(float(round(cells * share / 8)) for share in range(9))),
        state="order_positions=none&order_swaps=reversed",
        truth=truth,
        values={"cells": cells, "least": MOVED},
    )
