"""What the bench calls mechanisms and how they differ. Pure.

No mechanism is named here: a row of MECHANISMS without words of its own keeps those of its row.
"""

import re
from collections.abc import Sequence
from functools import reduce

from attention_core.mechanisms import Mechanism, moved
from ui.text import Words


def title(key: str, mechanism: Mechanism, page: Words) -> str:
    """Its name in the reader's language, else that of its row."""
    return page.get(f"mechanism.{key}.title", mechanism.title)


def short(key: str, mechanism: Mechanism, page: Words) -> str:
    """The name without what stands in brackets, for the head of a small map."""
    return re.split(r" ?[(（]", title(key, mechanism, page))[0]


def gradient(key: str, mechanism: Mechanism, page: Words) -> str:
    """What reaches q and k, in the reader's language, else as its row says it."""
    return page.get(f"mechanism.{key}.gradient", mechanism.gradient)


def differences(mechanism: Mechanism, reference: Mechanism, page: Words) -> str:
    """On which axes it differs, and how: "score: dot → general"."""
    steps = [
        page.data(
            "from_to",
            axis=page[f"axis.{axis}"],
            before=_value(reference, axis, page),
            after=_value(mechanism, axis, page),
        )
        for axis in moved(reference, mechanism)
    ]
    return _joined("then", steps, page) if steps else page["nothing_moved"]


def axes_moved(mechanism: Mechanism, reference: Mechanism, page: Words) -> str:
    """On which axes it differs, by their names alone."""
    axes = [page[f"axis.{axis}"] for axis in moved(reference, mechanism)]
    return _joined("between", axes, page) if axes else page["nothing_moved"]


def _value(mechanism: Mechanism, axis: str, page: Words) -> str:
    """What stands on an axis, in the reader's language where there are words for it."""
    value = getattr(mechanism, axis)
    return page.get(f"value.{value}", value)


def _joined(key: str, texts: Sequence[str], page: Words) -> str:
    return reduce(lambda one, other: page.data(key, one=one, other=other), texts)


def formula(mechanism: Mechanism, page: Words) -> str:
    """Its formula, the words in it in the reader's language."""

    def translated(word: re.Match[str]) -> str:
        return rf"\text{{ {page[f'cite.{word[1]}']} }}"

    return re.sub(r"\\text\{ (where|unless) \}", translated, mechanism.formula)


def subscripts(text: str) -> str:
    """Plain text as Markdown in which d_k and p_t have real subscripts."""
    return re.sub(r"([A-Za-zΑ-Ωα-ω])_([a-z](?![a-z])|\{[^}]*\})", r"$\1_\2$", text)
