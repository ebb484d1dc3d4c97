"""The state of a page in its address, one stable spelling per value whatever the language of the labels.

Streamlit's own binding writes the label a reader sees, so a link made in Chinese would not open in English.
"""

from collections.abc import Callable, Collection
from typing import TypeVar

import streamlit as st

T = TypeVar("T")
ARRIVED = "arrived"  # True during the first run of a page after another one
PUT = "put"  # names of widgets that a callback has given a value, and the browser does not know of it yet


def seed(name: str, default: T, read: Callable[[str], T], options: Collection[T] | None = None) -> None:
    """Before a widget with `key=name`: give it its value from this session, else from the link, else the default.

    What the link or an earlier page holds is checked: `read` may raise ValueError, and a value outside `options` is
    replaced by the default. Streamlit forgets a widget that was not drawn, so the last published value is kept beside
    it. On another page the widget is new to Streamlit and would start empty: it is given its value again, once.
    """
    if name not in st.session_state:
        kept = st.session_state.get(f"kept_{name}")
        st.session_state[name] = _from_link(name, default, read) if kept is None else kept
    elif st.session_state.get(ARRIVED) or name in st.session_state.get(PUT, ()):
        st.session_state[name] = st.session_state[name]
        st.session_state[PUT] = st.session_state.get(PUT, frozenset()) - {name}
    if options is not None and st.session_state[name] not in options:
        st.session_state[name] = default


def put(**values: object) -> None:
    """In a callback that asks for another run than its own: give widgets these values, whichever run draws them.

    Streamlit tells the browser of a value only in the run that set it; without that the browser's old one comes back.
    """
    st.session_state.update(values)
    st.session_state[PUT] = st.session_state.get(PUT, frozenset()) | values.keys()


def resend(names: Collection[str]) -> None:
    """Before widgets that may be folded away: the browser meets them when they unfold, and must then know their values.

    Streamlit sends a value only in the run that set it; a widget drawn for the first time later would show its default.
    """
    for name in names:
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def publish(name: str, spelling: str, default: str) -> None:
    """After the widget: keep its value, and the link in step. A default is left out of the link."""
    if name in st.session_state:
        st.session_state[f"kept_{name}"] = st.session_state[name]
    if spelling == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != spelling:
        st.query_params[name] = spelling


def arrive(page: str) -> None:
    """Once a run, before the page: note whether the reader has just come from another page."""
    st.session_state[ARRIVED] = st.session_state.get("page", page) != page
    st.session_state["page"] = page


def recall(name: str, default: str) -> str:
    """A value no widget owns, kept in this session and in the link."""
    seed(name, default, str)
    publish(name, st.session_state[name], default)
    return st.session_state[name]


def remember(name: str, value: str) -> None:
    """Change a value no widget owns; the next `recall` puts it in the link."""
    st.session_state[name] = value


def _from_link(name: str, default: T, read: Callable[[str], T]) -> T:
    spelling = st.query_params.get(name)
    if spelling is None:
        return default
    try:
        return read(spelling)
    except ValueError:
        return default
