"""What fails becomes one sentence, and Streamlit's own signals pass."""

import math

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui.components import canvas
from ui.components.lab import component as lab
from ui.text import words

UNEXPECTED = words("common", "en")["error.unexpected"]


def test_a_failing_fragment_is_one_sentence_and_the_rest_of_the_page_stands():
    def script():
        import streamlit as st

        from ui.errors import fragment

        @fragment
        def broken():
            raise ValueError("secret detail")

        broken()
        st.text("after")

    app = AppTest.from_function(script).run()
    assert not app.exception
    assert [error.value for error in app.error] == [UNEXPECTED]
    assert [text.value for text in app.text] == ["after"]


def test_stop_and_rerun_are_no_errors():
    def script():
        import streamlit as st

        from ui.errors import guarded

        with guarded():
            if "again" not in st.session_state:
                st.session_state.again = True
                st.rerun()
            st.text("second run")
            st.stop()

    app = AppTest.from_function(script).run()
    assert not app.exception and not app.error
    assert [text.value for text in app.text] == ["second run"]


def test_a_failing_callback_is_one_sentence_and_the_page_stands():
    def script():
        import streamlit as st

        from ui.errors import callback

        @callback
        def broken():
            raise ValueError("secret detail")

        st.button("press", on_click=broken)
        st.text("after")

    app = AppTest.from_function(script).run()
    app.button[0].click().run()
    assert not app.exception
    assert [error.value for error in app.error] == [UNEXPECTED]
    assert [text.value for text in app.text] == ["after"]


FORGED = ({}, [], "x", None, 0, True, math.nan, math.inf, -1, 10**400, [10**400], {"a": 10**400}, [[]], {"panel": {}})


def ignored(caplog) -> int:
    """How often the log says that something was ignored; that nothing failed, and nothing of what was sent is in it."""
    assert all(record.levelname == "WARNING" and not record.exc_info for record in caplog.records)
    assert "000" not in caplog.text and "[[" not in caplog.text
    return len(caplog.records)


@pytest.mark.parametrize("values", FORGED, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("panel", ["p", [], {}, None, 7])
def test_whatever_a_browser_says_was_edited_is_numbers_of_a_panel_or_nothing(panel, values, monkeypatch, caplog):
    called = []
    monkeypatch.setattr(st, "session_state", {"k": {"edited": {"panel": panel, "values": values}}})
    lab._edited("k", {"p": 1}, lambda *sent: called.append(sent))
    assert not called and ignored(caplog) == 1


@pytest.mark.parametrize("value", FORGED, ids=lambda value: repr(value)[:20])
def test_whatever_a_browser_says_was_released_or_picked_is_a_stop_or_a_cell_or_nothing(value, monkeypatch, caplog):
    called = []
    state = {"temperature": value, "at": value, "pick": value, "edited": value}
    monkeypatch.setattr(st, "session_state", {"k": state})
    canvas._released("k", canvas.Live(2.0, (0.5, 2.0), "T"), called.append)
    canvas.picked("k", {"p": (2, 3)}, called.append)
    lab._moved("k", {"a": 5}, called.append)
    lab.picked("k", {"p": (2, 3)}, called.append)
    lab._edited("k", {"p": 1}, lambda *sent: called.append(sent))
    assert not called and ignored(caplog) == (0 if value is None else 5)


def test_what_can_be_true_arrives(monkeypatch):
    called = []
    edited = {"panel": "p", "values": [1e300, -3]}
    state = {"temperature": 2, "at": {"positions": {"a": 4}, "puts": 1}, "edited": edited}
    monkeypatch.setattr(st, "session_state", {"k": state})
    canvas._released("k", canvas.Live(2.0, (0.5, 2.0), "T"), called.append)
    lab._moved("k", {"a": 5}, called.append)
    lab._edited("k", {"p": 2}, lambda *sent: called.append(sent))
    assert called == [2.0, {"a": 4}, ("p", [1e300, -3.0])]
