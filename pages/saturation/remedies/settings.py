"""What a link to the Remedies page says besides d_k, the input scale and the head: how many tokens, what is learned."""

import math

from pages.saturation.remedies.numbers import PARAMETERS
from ui.numbers import positive
from ui.state import Setting

ALL = math.inf  # tokens of the sentence


def _tokens(spelling: str) -> float:
    """How many a link spells; what is no positive number means all."""
    return positive(spelling, ALL)


TOKENS = Setting(
    key="tokens", default=ALL, parse=_tokens, spell=lambda count: "all" if count == ALL else f"{count:.12g}"
)
LEARNED = {
    key: Setting(
        key=f"remedy_{parameter.letter}",
        default=parameter.start,
        parse=float,
        spell=lambda number: f"{number:g}",
        options=parameter.stops,
    )
    for key, parameter in PARAMETERS.items()
}


def tokens_of(n: int) -> int:
    """How many tokens of n are looked at: two at least."""
    return round(min(max(TOKENS.value(), 2), n))
