"""What the Python side of the laboratory promises: of where its sliders stand, and of what is in sight."""

import numpy as np
import pytest
import streamlit as st

from ui.components.lab import Bars, Controls, Curves, Film, Heading, Line, Slider, checked_sight, lab, sought
from ui.components.lab.component import Put, _put
from ui.session import Question
from ui.text import words

ASKED = sought("curves", Question(text="a secret"))


def test_every_question_asks_anew_and_no_text_leaves_with_it() -> None:
    asks = [sought("curves", Question(text=text, seed=seed)) for text in ("a secret", "b") for seed in (0, 1)]
    assert len({str(ask) for ask in asks}) == len(asks)
    assert sought("curves", Question(text="a secret")) == ASKED
    assert "secret" not in str(ASKED)
    assert sought("", Question(text="a secret")) is None


def test_what_was_asked_for_is_believed() -> None:
    assert ASKED is not None
    assert checked_sight(dict(ASKED), ASKED)


@pytest.mark.parametrize(
    "sent",
    [
        None,
        True,
        "curves",
        [],
        ["panel", "ask"],
        {},
        {"panel": "curves"},
        {"panel": "curves", "ask": ""},
        {"panel": ["curves"], "ask": {}},
        sought("curves", Question(text="before")),
        sought("weights", Question(text="a secret")),
        (ASKED or {}) | {"more": "x" * 9999},
    ],
)
def test_what_was_not_asked_for_is_ignored(sent: object) -> None:
    assert not checked_sight(sent, ASKED)


def test_nobody_has_seen_what_nobody_asked_about() -> None:
    assert not any(checked_sight(sent, None) for sent in (None, {}, ASKED))


def test_only_a_plot_that_is_there_can_be_seen() -> None:
    with pytest.raises(ValueError, match="no plot called 'bands'"):
        lab([Heading(name="curves")], key="k", sliders=[], films=[], words=words("canvas"), seen="bands")


SLIDER = Slider(name="d", label="d", readings=("1", "2"), at=0)
FILM = Film("rows", np.zeros((2, 3)), ("d",))


@pytest.mark.parametrize(
    ("plot", "film", "message"),
    [
        (Bars(name="p", film="row", count=3), FILM, "the plot p asks for the film 'row'; there are rows"),
        (Bars(name="p", film="rows", count=3, ghost="x"), FILM, "the plot p asks for the film 'x'; there are rows"),
        (Controls(name="p", sliders=("d_k",)), FILM, "the plot p asks for the slider 'd_k'; there are d"),
        (
            Curves(name="p", film="rows", along="e", low=0.0, high=1.0, lines=(Line(hue="q"),)),
            FILM,
            "the plot p asks for the slider 'e'; there are d",
        ),
        (Heading(name="p"), Film("f", np.zeros(2), ("e",)), "the film f follows the slider 'e'; there are d"),
    ],
)
def test_a_film_or_a_slider_that_is_not_there_is_named(session, plot, film, message) -> None:
    with pytest.raises(ValueError, match=message):
        lab([plot], key="k", sliders=[SLIDER], films=[film], words=words("canvas"))


@pytest.fixture
def session(monkeypatch) -> dict:
    """The state of a session, with a laboratory "k"."""
    state: dict = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


def released(session: dict, puts: int, **positions: int) -> dict[str, int]:
    """A slider was let go in a browser that has seen so many puts."""
    session["k"] = {"at": {"positions": positions, "puts": puts}}
    return positions


def test_the_first_position_is_put(session) -> None:
    assert _put("k", {"d": 4}) == Put({"d": 4}, 1)
    assert _put("k", {"d": 4}) == Put({"d": 4}, 1)


def test_what_the_reader_has_chosen_is_not_put_so_the_bytes_stay_the_same(session) -> None:
    first = _put("k", {"d": 4})
    assert _put("k", released(session, 1, d=7)) == first
    assert _put("k", released(session, 1, d=2)) == first


def test_a_preset_moves_the_sliders_and_a_release_of_the_same_place_is_news_then(session) -> None:
    _put("k", {"d": 4})
    _put("k", released(session, 1, d=7))
    assert _put("k", {"d": 3}) == Put({"d": 3}, 2)
    assert _put("k", {"d": 3}) == Put({"d": 3}, 2), "once, until somebody moves a slider"
    before = session["k"]["at"]
    assert _put("k", released(session, 2, d=7)) == Put({"d": 3}, 2)
    assert session["k"]["at"] != before, "Streamlit calls back only for what has changed"


def test_a_release_that_had_not_seen_the_put_is_put_again(session) -> None:
    """The reader let go while a preset was on its way: the preset moves the slider, and this moves it back."""
    _put("k", {"d": 4})
    _put("k", {"d": 3})
    assert _put("k", released(session, 1, d=8)) == Put({"d": 8}, 3)


def test_a_position_that_python_does_not_take_is_put_back(session) -> None:
    _put("k", {"d": 4})
    released(session, 1, d=9)
    assert _put("k", {"d": 6}) == Put({"d": 6}, 2)
    assert _put("k", {"d": 6}) == Put({"d": 6}, 2)


def test_other_sliders_are_put(session) -> None:
    _put("k", {"d": 4})
    released(session, 1, d=9)
    assert _put("k", {"d": 9, "a": 0}) == Put({"d": 9, "a": 0}, 2)


def test_a_laboratory_that_comes_back_to_a_page_is_put_where_it_was(session) -> None:
    """Streamlit forgets what a browser has sent once the component is off the page."""
    _put("k", {"d": 4})
    _put("k", released(session, 1, d=7))
    del session["k"]
    assert _put("k", {"d": 7}) == Put({"d": 7}, 2)


def test_a_session_that_begins_anew_under_an_open_page_puts_its_position(session) -> None:
    released(session, 5, d=7)
    assert _put("k", {"d": 4}) == Put({"d": 4}, 6)


NONSENSE = [
    None,
    7,
    [],
    {},
    {"positions": 3},
    {"puts": 1},
    {"positions": {"d": "x"}, "puts": 1},
    {"positions": {"d": 4}},
]


@pytest.mark.parametrize("sent", [*NONSENSE, {"positions": {"d": 4}, "puts": 0}, {"positions": {"d": 4}, "puts": True}])
def test_a_browser_that_talks_nonsense_gets_the_position_put(session, sent) -> None:
    session["k"] = {"at": sent}
    assert _put("k", {"d": 4}).at == {"d": 4}
    assert _put("k", {"d": 4}).at == {"d": 4}
