"""What a reader can set: its key in the link, what it is when the link says nothing, and how a link spells it.

The view stands in its address, one stable spelling per value whatever the language of the labels: Streamlit's own
binding writes the label a reader sees, so a link made in Chinese would not open in English. A value is taken from the
session, else from the link, else it is the default; after Back or Forward the session forgets and the link counts.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.packing import packed, readable, unpacked

S = TypeVar("S", bound=str)
T = TypeVar("T")
KEPT = "kept"  # the last value of every setting by its name: Streamlit forgets a widget that was not drawn
UNSENT = "unsent"  # the names of those that the browser has yet to be told
OF_PAGE = "of_page"  # by page, the settings that its link can say, by name
CUT = "cut"  # the keys whose value in the link could not be unpacked
# What a link to any page may say that says nothing about what is looked at.
OF_ANY = frozenset({"lang", "present", "lesson", "lesson_step", "embed", "embed_options"})
STEPS = "steps"  # how often the reader has gone back or forward

_log = logging.getLogger("headlight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One value in the session and in the link.

    `parse` reads a spelling and raises ValueError where it is none; `clamp` moves a value to one that can be had; what
    then is not among `options` gives way to `default`. A default is left out of the link, unless it is to be
    `spelled_out`. `widget`: the key of its widget, where that is not `key`. `folded`: its widget stands in a menu.
    """

    key: str
    default: T
    parse: Callable[[str], T]
    spell: Callable[[T], str] = str
    clamp: Callable[[T], T] | None = None
    options: Collection[T] | None = None
    widget: str = ""
    folded: bool = False
    spelled_out: bool = False

    @property
    def name(self) -> str:
        """Its key in the session."""
        return self.widget or self.key

    def value(self) -> T:
        """What it is now; the link is in step afterwards. After the widget, where there is one."""
        if self.name not in st.session_state:
            self.seed()
        value = self.peek()
        self.publish(value)
        return value

    def publish(self, shown: T) -> None:
        """Keep its value, and the link in step with what is shown of it; a default is left out of the link."""
        kept()[self.name] = st.session_state[self.name]
        _belongs(self)
        write(self.key, self.spell(shown), "" if self.spelled_out else self.spell(self.default))

    def seed(self) -> None:
        """Before its widget: give it its value.

        Streamlit tells the browser of a value only in the run that sets it. It is set again where the browser meets the
        widget later than that: in a menu that unfolds, on another page, in a run other than the callback's own.
        """
        held, name, value = st.session_state, self.name, self.peek()
        if name not in held or value != held[name] or self.folded or name in unsent():
            held[name] = value
        unsent().discard(name)
        _belongs(self)

    def peek(self) -> T:
        """What it would be, for who comes before its widget: nothing is set."""
        known = st.session_state.get(self.name)
        if known is None:
            known = st.session_state.get(KEPT, {}).get(self.name)
        return self._possible(self._linked(st.query_params) if known is None else known)

    def put(self, value: T) -> None:
        """In a callback: this is its value, whichever run draws it next."""
        st.session_state[self.name] = value
        unsent().add(self.name)

    def reset(self) -> None:
        """In a callback: back to the default."""
        self.put(self.default)

    def choices(self) -> list[T]:
        """Its options, for a widget."""
        return list(self.options or ())

    def among(self, options: Sequence[T]) -> "Setting[T]":
        """The same, where only these are to be had: its default, else the last of them."""
        return replace(self, options=options, default=self.default if self.default in options else options[-1])

    def _possible(self, value: T) -> T:
        """The value, or one that can be had. A browser may send anything: what is of no use is logged."""
        try:
            if self.clamp is not None:
                value = self.clamp(value)
            return value if self.options is None or value in self.options else self.default
        except (ArithmeticError, TypeError, ValueError):
            _log.warning("%s cannot be a %s of that kind", self.name, type(value).__name__)
            return self.default

    def read(self, link: Mapping[str, str]) -> T:
        """What a link by itself says, whatever the session holds."""
        return self._possible(self._linked(link))

    def _linked(self, link: Mapping[str, str]) -> T:
        spelling = link.get(self.key)
        try:
            return self.default if spelling is None else self.parse(unpacked(spelling))
        except (ArithmeticError, LookupError, ValueError):
            return self.default


def one_of(key: str, options: Sequence[S], *, folded: bool = False) -> Setting[S]:
    """A setting with a few values, which a link spells as they are; the first is the default."""
    return Setting(key=key, default=options[0], parse=cast(Callable[[str], S], str), options=options, folded=folded)


def write(key: str, spelling: str, default: str) -> None:
    """Keep the link in step; a default is left out of it, and what is long is packed."""
    if spelling == default:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != (address := packed(spelling)):
        st.query_params[key] = address
        _cut().discard(key)


def cut() -> bool:
    """Whether the link was cut off: a packed value of it cannot be unpacked, and nothing has taken its place yet."""
    link = st.query_params.to_dict()
    _cut().update(key for key, spelling in link.items() if not readable(spelling))
    return bool(_cut())


def follow_link(*names: str) -> None:
    """Once a run, before these are read: after Back or Forward the session forgets them, and the link counts."""
    if _stepped():
        st.session_state[STEPS] = steps() + 1
        _forget(names)


def forget(*but: str) -> None:
    """Before another view is opened in this session: its link counts, as after Back; what these names hold stays."""
    st.session_state[STEPS] = steps() + 1
    _forget({*kept(), *unsent()} - set(but))


def arrive(page: str) -> None:
    """Once a run, before the page: after Back or Forward its link counts, and what only other pages say stays. To the
    browser, the widgets of another page are new ones without a value.
    """
    if _stepped():
        _forget(_by_page().get(page, {*kept(), *unsent()}))
    if st.session_state.get("page", page) != page:
        unsent().update(kept())
    st.session_state["page"] = page


def go(state: str) -> None:
    """In a callback: what these words of a link say, as if the reader had stepped there; all else stays. The whole page
    runs.
    """
    names = {setting.key: name for name, setting in of_page().items()}
    for key, spelling in parse_qsl(state, keep_blank_values=True):
        st.query_params[key] = packed(spelling)
        _forget([names.get(key, key)])
    st.session_state[STEPS] = steps() + 1


def steps() -> int:
    """How often the reader has gone back or forward: what the browser has moved by itself it is then told again."""
    return st.session_state.get(STEPS, 0)


def _stepped() -> bool:
    run = get_script_run_ctx()
    return run is not None and bool(run.is_history_navigation)


def _forget(names: Iterable[str]) -> None:
    for name in tuple(names):
        st.session_state.pop(name, None)
        kept().pop(name, None)
        unsent().discard(name)


def of_page() -> dict[str, Setting[Any]]:
    """What the link of this page can say, by name."""
    return _by_page().setdefault(st.session_state.get("page", ""), {})


def _belongs(setting: Setting[Any]) -> None:
    """The link of this page can say it."""
    of_page()[setting.name] = setting


def _by_page() -> dict[str, dict[str, Setting[Any]]]:
    return st.session_state.setdefault(OF_PAGE, {})


def _cut() -> set[str]:
    return st.session_state.setdefault(CUT, set())


def kept() -> dict[str, Any]:
    """The values of this session's settings."""
    return st.session_state.setdefault(KEPT, {})


def unsent() -> set[str]:
    """The names of the settings that `seed` has to send again."""
    return st.session_state.setdefault(UNSENT, set())
