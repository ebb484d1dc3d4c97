"""Widgets of one setting each: one of a list, one of a few, a whole number. Its value stands in the link."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from ui.state import Setting, one_of

S = TypeVar("S", bound=str)
T = TypeVar("T")
SIDE_BY_SIDE = 12  # at most


def choose(
    key: str, options: Sequence[S], label: str, name: Callable[[S], str], help: str | None = None, width: int = 0
) -> S:
    """One of a list; the first is the default."""
    return dropdown(one_of(key, options), label, name, help, width)


def switch(
    key: str,
    options: Sequence[S],
    label: str,
    name: Callable[[S], str],
    help: str | None = None,
    *,
    folded: bool = False,
) -> S:
    """One of two or three, all in sight; the first is the default. `folded`: the label is heard, not seen."""
    return pills(one_of(key, options), label, name, help, folded=folded)


def whole_number(key: str, low: int, high: int, default: int, label: str, width: int = 0) -> int:
    """A whole number between two bounds."""
    return number(whole(key, range(low, high + 1), default), label, width)


def whole(key: str, options: range, default: int, *, folded: bool = False) -> Setting[int]:
    """The setting of a whole number."""
    return Setting(key=key, default=default, parse=int, clamp=int, options=options, folded=folded)


def dropdown(setting: Setting[T], label: str, name: Callable[[T], str], help: str | None = None, width: int = 0) -> T:
    """A list of a setting's options."""
    setting.seed()
    st.selectbox(label, setting.choices(), format_func=name, key=setting.name, help=help, width=width or "stretch")
    return setting.value()


def pills(
    setting: Setting[S], label: str, name: Callable[[S], str], help: str | None = None, *, folded: bool = False
) -> S:
    """A setting's options side by side."""
    setting.seed()
    st.segmented_control(
        label,
        setting.choices(),
        format_func=name,
        required=True,
        key=setting.name,
        help=help,
        label_visibility="collapsed" if folded else "visible",
    )
    return setting.value()


def number(setting: Setting[int], label: str, width: int = 0) -> int:
    """A whole number; the options of the setting are a range."""
    assert isinstance(setting.options, range)
    setting.seed()
    st.number_input(label, setting.options[0], setting.options[-1], key=setting.name, width=width or "stretch")
    return setting.value()


def one_of_row(setting: Setting[int], label: str, name: Callable[[int], str]) -> int:
    """One of a row of things, side by side; from thirteen on a list."""
    setting.seed()
    options = setting.choices()
    if len(options) <= SIDE_BY_SIDE:
        st.segmented_control(label, options, format_func=name, required=True, key=setting.name)
    else:
        st.selectbox(label, options, format_func=name, key=setting.name, width=160)
    return setting.value()
