"""What failed becomes one sentence in the reader's language; the traceback goes to the server's log."""

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, ParamSpec

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.text import words

P = ParamSpec("P")

_log = logging.getLogger("headlight")


class ReaderError(Exception):
    """Something the reader can put right. `key` names its sentence in assets/text/*/common.toml under [error]."""

    def __init__(self, key: str, **values: str | int | float) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@contextmanager
def guarded() -> Iterator[None]:
    """Show one sentence in place of what failed inside. Streamlit's own stop and rerun signals pass through."""
    try:
        yield
    except ReaderError as error:
        st.warning(words("common").format(f"error.{error.key}", **error.values), icon=":material/edit:")
    except Exception:
        _log.exception("A page failed")
        st.error(words("common")["error.unexpected"], icon=":material/error:")


def callback(act: Callable[P, None]) -> Callable[P, None]:
    """What a widget or a component calls, guarded: it runs before app.py, so that otherwise there would be no page."""

    @functools.wraps(act)
    def acted(*args: P.args, **kwargs: P.kwargs) -> None:
        with guarded():
            act(*args, **kwargs)

    return acted


def refuse(key: str, what: str, sent: object) -> None:
    """Ignore what a browser has told of the component of this key: it cannot be true. Its kind stands in the log, never
    what it says.
    """
    if sent is not None:
        _log.warning("A browser told of %s what cannot be a %s: %s", key, what, type(sent).__name__)


def run_again(*fragments: str) -> NoReturn:
    """For callbacks: run these fragments alone; where the page has not drawn them yet, all of it."""
    with suppress(StreamlitAPIException):
        st.rerun(list(fragments))
    st.rerun()


def fragment(draw: Callable[P, None], *, every: float | None = None, key: str | None = None) -> Callable[P, None]:
    """`st.fragment`, guarded: a fragment reruns without app.py, so it needs its own net. `every`: seconds."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        with guarded():
            draw(*args, **kwargs)

    return st.fragment(drawn, run_every=every, key=key)
