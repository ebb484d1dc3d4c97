"""The place for files: empty where the server no longer has them, and a sentence where none can be sent."""

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

import ui.uploads
from tests.harness.training import captions
from ui.text import words
from ui.uploads import COOKIE, keeps_cookie


def script() -> None:
    import streamlit as st

    from ui.uploads import uploader

    several = st.session_state.get("several", False)
    sent = uploader("place", "A file", st.container(), most=2, types=["csv"], several=several)
    st.session_state["sent"] = [file.getvalue() for file in sent]


def opened(**state: object) -> AppTest:
    app = AppTest.from_function(script)
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


def test_a_file_that_was_sent_is_there() -> None:
    app = opened()
    assert app.session_state["sent"] == [] and not captions(app)
    app.file_uploader(key="place").upload("a.csv", b"1\n2", "text/csv").run()
    assert app.session_state["sent"] == [b"1\n2"]


@pytest.mark.parametrize("several", [False, True])
def test_a_file_that_the_server_no_longer_has_leaves_an_empty_place_and_a_sentence(several, monkeypatch) -> None:
    """After a lost connection the browser still shows its name, and the server has forgotten the session."""
    app = opened(several=several)
    app.file_uploader(key="place").upload("a.csv", b"1\n2", "text/csv").run()
    monkeypatch.setattr(MemoryUploadedFileManager, "get_files", lambda self, session_id, file_ids: [])
    app.run()
    monkeypatch.undo()
    assert app.session_state["sent"] == []
    assert words("common", "en")["upload.gone"] in captions(app)
    assert [place.key for place in app.file_uploader] == ["place_1"], "a new place, without the name of the old file"
    app.file_uploader(key="place_1").upload("b.csv", b"3", "text/csv").run()
    assert app.session_state["sent"] == [b"3"] and not captions(app)


@pytest.mark.parametrize(
    ("headers", "cookies", "keeps"),
    [
        ({}, {}, True),
        ({"host": "a"}, {COOKIE: "2|x"}, True),
        ({"host": "a"}, {}, False),
        ({"host": "a"}, {"headlight_ticket": "x"}, False),
    ],
)
def test_a_browser_that_sends_no_cookie_of_ours_keeps_none(headers, cookies, keeps) -> None:
    assert keeps_cookie(headers, cookies) == keeps


@pytest.mark.parametrize("language", ["en", "zh"])
def test_where_the_browser_keeps_no_cookie_a_sentence_says_where_to_go(language, monkeypatch) -> None:
    monkeypatch.setattr(ui.uploads, "keeps_cookie", lambda headers, cookies: False)
    app = opened(language=language)
    assert not app.exception and not app.file_uploader and app.session_state["sent"] == []
    assert words("common", language)["upload.framed"].partition("{")[0] in app.info[0].value
    assert words("common", language)["upload.open"] in str(app.get("link_button")[0].proto)
