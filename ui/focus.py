"""Where a reader looks: a head of a layer and two tokens, all counted from 0, at a temperature of the softmax."""

import re
from dataclasses import dataclass
from math import isfinite

import streamlit as st

from ui.numbers import nearest
from ui.sentences import SENTENCES
from ui.state import Setting

ROUND = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
# Fine enough that every frame of a drag finds a new stop: 160 to a factor of 100, and round numbers between them.
TEMPERATURES = tuple(sorted({*ROUND, *(float(f"{10 ** (k / 80):.3g}") for k in range(-104, 105))}))
DEFAULT_LAYER, DEFAULT_HEAD, *DEFAULT_TOKENS = SENTENCES[0].look  # of the default sentence; the first two from 1


def _pair(spelling: str) -> tuple[int, int]:
    numbers = re.fullmatch(r"(\d{1,6}),(\d{1,6})", spelling, re.ASCII)
    if numbers is None:
        raise ValueError(f"{spelling!r} is not two numbers")
    return int(numbers[1]), int(numbers[2])


def _temperature(spelling: str) -> float:
    number = float(spelling)
    if not isfinite(number):
        raise ValueError(f"{spelling!r} is not finite")
    return number


def counted(key: str, default: int) -> Setting[int]:
    """One of a row of things: counted from 0 here, from 1 in the link."""
    return Setting(
        key=key, default=default - 1, parse=lambda spelling: int(spelling) - 1, spell=lambda index: str(index + 1)
    )


LAYER, HEAD = counted("layer", DEFAULT_LAYER), counted("head", DEFAULT_HEAD)
TOKENS = Setting(
    key="focus",
    default=(DEFAULT_TOKENS[0], DEFAULT_TOKENS[1]),
    parse=_pair,
    spell=lambda pair: ",".join(map(str, pair)),
)
TEMPERATURE = Setting(
    key="temperature",
    default=1.0,
    parse=_temperature,
    clamp=lambda wanted: TEMPERATURES[nearest(TEMPERATURES, wanted)],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """A head of a layer, a query token and a key token, and the temperature that was last released on a slider."""

    layer: int
    head: int
    query: int
    key: int
    temperature: float

    @classmethod
    def now(cls) -> "Focus":
        """What the session and the link say; the tokens may lie beyond the sentence."""
        query, key = TOKENS.value()
        return cls(layer=LAYER.peek(), head=HEAD.peek(), query=query, key=key, temperature=TEMPERATURE.value())

    def tokens(self, n_q: int, n_k: int) -> tuple[int, int]:
        """Query and key within a sentence of this length; the one in the middle for one beyond it."""
        return self.query if self.query < n_q else n_q // 2, self.key if self.key < n_k else n_k // 2


def look(
    *,
    layer: int | None = None,
    head: int | None = None,
    query: int | None = None,
    key: int | None = None,
    temperature: float | None = None,
) -> None:
    """In a callback: look here from the next run on; what is None stays."""
    for setting, index in ((LAYER, layer), (HEAD, head)):
        if index is not None:
            setting.put(index)
    if (query, key) != (None, None):
        old_query, old_key = TOKENS.peek()
        TOKENS.put((old_query if query is None else query, old_key if key is None else key))
    if temperature is not None:
        TEMPERATURE.put(temperature)


def focus(n_q: int, n_k: int) -> tuple[int, int]:
    """The query token and the key token in focus, within a sentence of this length. The link carries them."""
    return Focus.now().tokens(n_q, n_k)


def set_focus(query: int, key: int) -> None:
    """In a callback: look at these tokens."""
    look(query=query, key=key)


def temperature() -> float:
    """The temperature that was last released on a slider: one of TEMPERATURES."""
    return TEMPERATURE.value()


def set_temperature(value: float) -> None:
    """In a callback: use this temperature. The whole page runs, also where the slider stands in a fragment: the
    temperature is part of the study.
    """
    look(temperature=value)
    st.rerun()
