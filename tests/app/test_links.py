"""A setting: from the session, else from the link, else the default; what goes into the link; Back and Forward."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import ui.state
from tests.harness.training import link_of
from ui.packing import LONG, packed


def script() -> None:
    import streamlit as st

    from ui.state import Setting, arrive, cut, follow_link, one_of

    number = Setting(key="n", default=7, parse=int, options=range(12))
    even = Setting(key="even", default=2, parse=int, clamp=lambda n: n - n % 2)
    rule = one_of("rule", ("first", "second"), folded=True)
    text = Setting(key="text", default="", parse=str)
    follow_link()
    arrive(st.session_state.get("where", "here"))
    was_cut = cut()
    if st.session_state.get("drawn", True):
        number.seed()
        st.number_input("n", 0, 11, key="n")
        rule.seed()
        st.selectbox("rule", rule.choices(), key="rule")
        rule.value()
    st.button("put", key="put", on_click=number.put, args=(3,))
    st.session_state["seen"] = (number.value(), even.value())
    st.session_state["read"] = (text.value(), was_cut)


def opened(**link: str) -> AppTest:
    app = AppTest.from_function(script)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def value_is_sent(app: AppTest, kind: str) -> bool:
    """Whether the browser is told the value of this widget in the newest run."""
    return getattr(app, kind)[0].proto.set_value


@pytest.mark.parametrize(
    ("link", "seen", "left"),
    [
        ({}, (7, 2), {}),
        ({"n": "4", "even": "6"}, (4, 6), {"n": "4", "even": "6"}),
        ({"n": "7"}, (7, 2), {}),
        ({"n": "99", "even": "9"}, (7, 8), {"even": "8"}),
        ({"n": "four", "even": ""}, (7, 2), {}),
        ({"other": "1"}, (7, 2), {"other": "1"}),
    ],
)
def test_a_link_is_read_checked_and_spelled_again(link, seen, left) -> None:
    app = opened(**link)
    assert app.session_state["seen"] == seen
    assert link_of(app) == left


def test_what_a_reader_sets_counts_more_than_the_link_it_came_from() -> None:
    app = opened(n="4")
    app.number_input(key="n").set_value(5).run()
    assert app.session_state["seen"][0] == 5
    assert link_of(app)["n"] == "5"


def test_a_value_that_was_put_is_told_to_the_browser_once() -> None:
    app = opened()
    app.run()
    assert not value_is_sent(app, "number_input")
    app.button(key="put").click().run()
    assert app.number_input(key="n").value == 3 and value_is_sent(app, "number_input")
    app.run()
    assert not value_is_sent(app, "number_input")


def test_a_folded_widget_is_told_its_value_with_every_run() -> None:
    app = opened(rule="second")
    app.run()
    assert app.selectbox(key="rule").value == "second" and value_is_sent(app, "selectbox")


def test_on_another_page_a_widget_is_told_its_value_again() -> None:
    app = opened(n="4")
    app.session_state["where"], app.session_state["drawn"] = "there", False
    app.run()
    app.session_state["where"], app.session_state["drawn"] = "here", True
    app.run()
    assert app.number_input(key="n").value == 4 and value_is_sent(app, "number_input")


def test_after_back_the_link_counts_and_what_it_does_not_say_is_the_default(monkeypatch) -> None:
    app = opened(n="4", even="6", rule="second")
    app.query_params.clear()
    app.query_params["even"] = "10"
    app.query_params["rule"] = "third"
    real = ui.state.get_script_run_ctx
    monkeypatch.setattr(ui.state, "get_script_run_ctx", lambda: SimpleNamespace(is_history_navigation=True))
    app.run()
    monkeypatch.setattr(ui.state, "get_script_run_ctx", real)
    assert not app.exception
    assert app.session_state["seen"] == (7, 10)
    assert (app.number_input(key="n").value, app.selectbox(key="rule").value) == (7, "first")
    assert value_is_sent(app, "number_input")
    assert link_of(app) == {"even": "10"}
    app.run()
    assert app.session_state["seen"] == (7, 10)


CHINESE = "".join(chr(0x4E00 + 7 * n % 20_000) for n in range(4000))


@pytest.mark.parametrize("spelling", [CHINESE, packed(CHINESE)])
def test_a_long_text_is_packed_in_the_link_and_an_old_link_still_opens(spelling) -> None:
    app = opened(text=spelling)
    assert app.session_state["read"] == (CHINESE, False)
    assert link_of(app) == {"text": packed(CHINESE)}
    assert opened(**link_of(app)).session_state["read"] == (CHINESE, False)


@pytest.mark.parametrize("kept", [2, 3, 100, -1])
def test_a_link_that_was_cut_off_says_so_until_something_takes_its_place(kept) -> None:
    app = opened(text=packed(CHINESE)[:kept], n="4")
    assert app.session_state["read"] == ("", True) and app.session_state["seen"][0] == 4
    assert link_of(app) == {"n": "4"}
    app.run()
    assert app.session_state["read"] == ("", True)
    app.session_state["text"] = "law"
    app.run()
    app.run()
    assert app.session_state["read"] == ("law", False)
    assert link_of(app)["text"] == "law"


@pytest.mark.parametrize("held", ["four", None, [4], {"n": 4}, b"4", object()])
def test_what_a_session_cannot_hold_is_the_default(held) -> None:
    app = opened()
    app.session_state["even"] = held  # it has no widget, whose own check would come first
    app.session_state["drawn"] = False
    app.run()
    assert not app.exception
    assert app.session_state["seen"] == (7, 2)


def test_a_short_text_stands_in_the_link_as_it_is() -> None:
    app = opened(text="a" * LONG)
    assert link_of(app) == {"text": "a" * LONG}
