"""The settings of a page as strings and functions: what `ui.state.Setting` replaces."""

from collections.abc import Callable, Collection
from typing import TypeVar

import streamlit as st

from ui.state import Setting, kept, unsent, write

T = TypeVar("T")


def seed(name: str, default: T, read: Callable[[str], T], options: Collection[T] | None = None) -> None:
    """Before a widget with `key=name`: give it its value."""
    Setting(key=name, default=default, parse=read, options=options).seed()


def put(**values: object) -> None:
    """In a callback: these are the values of widgets, whichever run draws them."""
    st.session_state.update(values)
    unsent().update(values)


def publish(name: str, spelling: str, default: str) -> None:
    """After the widget: keep its value, and the link in step."""
    if name in st.session_state:
        kept()[name] = st.session_state[name]
    write(name, spelling, default)


def recall(name: str, default: str) -> str:
    """A value no widget owns, kept in this session and in the link."""
    return Setting(key=name, default=default, parse=str).value()


def remember(name: str, value: str) -> None:
    """Change a value no widget owns; the next `recall` puts it in the link."""
    st.session_state[name] = value
