"""Where a reader looks: a head of a layer and two tokens, all counted from 0, at a temperature of the softmax."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from ui.carrying import Spot, carried, settled
from ui.numbers import nearest
from ui.sentences import SENTENCES
from ui.state import Setting, kept, steps

ROUND = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
# Fine enough that every frame of a drag finds a new stop: 160 to a factor of 100, and round numbers between them.
TEMPERATURES = tuple(sorted({*ROUND, *(float(f"{10 ** (k / 80):.3g}") for k in range(-104, 105))}))
DEFAULT_LAYER, DEFAULT_HEAD, *DEFAULT_TOKENS = SENTENCES[0].look  # of the default sentence; the first two from 1
DEFAULT_QUERY, DEFAULT_KEY = (Spot((word,), 0) for word in ("it", "animal"))  # these tokens, as every model reads them
SEEN = "focus_seen"  # the sentence on screen, and where in which sentence the words in focus were chosen


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
        query, key = _tokens().value()
        return cls(layer=LAYER.peek(), head=HEAD.peek(), query=query, key=key, temperature=TEMPERATURE.value())

    def tokens(self, n_q: int, n_k: int) -> tuple[int, int]:
        """Query and key within a sentence of this length; the one in the middle for one beyond it."""
        return self.query if self.query < n_q else n_q // 2, self.key if self.key < n_k else n_k // 2


@dataclass(frozen=True, slots=True)
class Seen:
    """The tokens on screen, and the words that were chosen last, in the sentence in which they were."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    query: Spot
    key: Spot
    steps: int  # how often the reader had gone back or forward

    @classmethod
    def at(cls, queries: tuple[str, ...], keys: tuple[str, ...], query: int, key: int) -> "Seen":
        """Both chosen in the tokens on screen."""
        return cls(queries, keys, Spot(queries, query), Spot(keys, key), steps())


def settle(queries: Sequence[str], keys: Sequence[str], weights: Callable[[], Float[Tensor, "*batch n_q n_k"]]) -> None:
    """Before a page asks for the tokens in focus: where the tokens on screen are others than before, the words stay in
    focus, not their places. What a link says are places in the sentence that it opens.
    """
    before, after = st.session_state.get(SEEN), (tuple(queries), tuple(keys))
    stepped = before is not None and before.steps != steps()
    held = not stepped and (TOKENS.name in st.session_state or TOKENS.name in kept())
    if held and before is not None:
        if (before.queries, before.keys) == after:
            return
        seen = replace(before, queries=after[0], keys=after[1])
    elif held or TOKENS.key in st.query_params:
        seen = Seen.at(*after, *TOKENS.peek())
    else:
        seen = Seen(*after, DEFAULT_QUERY, DEFAULT_KEY, steps())
    st.session_state[SEEN] = seen
    TOKENS.put(settled(seen.query, seen.key, *after, weights))


def _tokens() -> Setting[tuple[int, int]]:
    """The tokens in focus; a link leaves out what whoever opens it would see anyway."""
    seen = st.session_state.get(SEEN)
    if seen is None:
        return TOKENS
    query, key = carried(DEFAULT_QUERY, seen.queries), carried(DEFAULT_KEY, seen.keys)
    if query is None or key is None:
        return replace(TOKENS, spelled_out=True)
    return replace(TOKENS, default=(query, key))


def look(
    *,
    layer: int | None = None,
    head: int | None = None,
    query: int | None = None,
    key: int | None = None,
    temperature: float | None = None,
    tokens: tuple[str, ...] | None = None,
) -> None:
    """In a callback: look here from the next run on; what is None stays. `tokens`: those that query and key count,
    where they are not on screen yet.
    """
    for setting, index in ((LAYER, layer), (HEAD, head)):
        if index is not None:
            setting.put(index)
    if (query, key) != (None, None):
        old_query, old_key = TOKENS.peek()
        TOKENS.put((old_query if query is None else query, old_key if key is None else key))
        _remember(query, key, tokens)
    if temperature is not None:
        TEMPERATURE.put(temperature)


def _remember(query: int | None, key: int | None, tokens: tuple[str, ...] | None) -> None:
    """Which words these are, so that they can be found again in another sentence."""
    seen = st.session_state.get(SEEN)
    if tokens is not None and query is not None and key is not None:
        st.session_state[SEEN] = Seen.at(tokens, tokens, query, key)
    elif seen is not None:
        asks = seen.query if query is None else Spot(seen.queries, query)
        st.session_state[SEEN] = replace(seen, query=asks, key=seen.key if key is None else Spot(seen.keys, key))


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
