"""A place for files: a sentence where none can be sent, and empty where the server no longer has what was sent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit import config
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from ui.layout import link
from ui.text import words

COOKIE = "_streamlit_xsrf"  # what a browser must send along with a file


def uploader(
    key: str,
    label: str,
    place: DeltaGenerator,
    *,
    most: int,
    types: Sequence[str] | None = None,
    several: bool = False,
    help: str | None = None,
    on_change: Callable[[], None] | None = None,
) -> list[UploadedFile]:
    """The files that were chosen, of `most` MB at most. `on_change` finds them with `chosen(key)`."""
    common = words("common")
    if not keeps_cookie(st.context.headers.to_dict(), st.context.cookies.to_dict()):
        place.info(common.format("upload.framed", address=st.context.url or ""), icon=":material/open_in_new:")
        place.link_button(common["upload.open"], link())
        return []
    slot = place.empty()
    options: dict[str, Any] = {"max_upload_size": most, "help": help, "on_change": on_change}
    slot.file_uploader(label, types, accept_multiple_files=several, key=_widget(key), **options)
    if any(isinstance(file, DeletedFile) for file in _held(key)):
        renew(key)
        st.session_state[f"{key}_gone"] = True
        slot.file_uploader(label, types, accept_multiple_files=several, key=_widget(key), **options)
    files = chosen(key)
    if files:
        st.session_state.pop(f"{key}_gone", None)
    elif st.session_state.get(f"{key}_gone"):
        place.caption(f":material/upload_file: {common['upload.gone']}")
    return files


def chosen(key: str) -> list[UploadedFile]:
    """The files in the place of this key that the server has."""
    return [file for file in _held(key) if isinstance(file, UploadedFile)]


def renew(key: str) -> None:
    """An empty place for the next file; the one before is forgotten."""
    st.session_state[f"{key}_turn"] = _turn(key) + 1


def _held(key: str) -> Sequence[UploadedFile | DeletedFile]:
    held = st.session_state.get(_widget(key))
    return held if isinstance(held, list) else [] if held is None else [held]


def _widget(key: str) -> str:
    turn = _turn(key)
    return f"{key}_{turn}" if turn else key


def _turn(key: str) -> int:
    return st.session_state.get(f"{key}_turn", 0)


def keeps_cookie(headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
    """Whether who asked with these keeps our cookie, which Streamlit has offered before the page begins. No headers: no
    browser, and nobody to be told.
    """
    return not headers or not config.get_option("server.enableXsrfProtection") or COOKIE in cookies
