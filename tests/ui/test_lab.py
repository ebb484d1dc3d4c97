"""What the Python side of the laboratory promises of what is in sight: asked by digest, and nothing else believed."""

import pytest

from ui.components.lab import Heading, checked_sight, lab, sought
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
