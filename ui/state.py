"""A setting of a page: its key in the link, what it is when the link says nothing, and how a link spells it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from ui.link import publish, seed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One value in the session and in the link; `key` is also that of its widget, where it has one.

    `parse` reads a spelling and raises ValueError where it is none; what is not among `options` gives way to `default`.
    """

    key: str
    default: T
    parse: Callable[[str], T]
    spell: Callable[[T], str] = str
    options: Collection[T] | None = None

    def value(self) -> T:
        """What it is now; the link is in step afterwards. After the widget, where there is one."""
        if self.key not in st.session_state:  # Streamlit lets nobody set the value of a widget that has been drawn
            self.seed()
        value = st.session_state[self.key]
        publish(self.key, self.spell(value), self.spell(self.default))
        return value

    def seed(self) -> None:
        """Before its widget: give it its value from the session, else from the link, else the default."""
        seed(self.key, self.default, self.parse, self.options)

    def put(self, value: T) -> None:
        """In a callback: this is its value from the next run on."""
        st.session_state[self.key] = value
