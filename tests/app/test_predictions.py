"""A prediction: the question, then what the reader said and the truth beside each other, and why."""

import re
from math import e
from urllib.parse import parse_qsl

import pytest
import torch

from tests.app.test_guides import spelled
from tests.harness.training import opened
from ui.guide import Choose, Number, Row
from ui.guide.kinds import gaps
from ui.navigation import PAGES
from ui.state import go
from ui.text import words

# The steps of a lesson ask by themselves.
ASKING = tuple(entry for entry in PAGES if entry.name != "lesson")
PREDICTED = tuple(entry.name for entry in ASKING)


def table(app):
    """The cells under “You”, “Computed” and “Gap”."""
    body = next((html.body for html in app.get("html") if 'class="guide-gap"' in html.body), "")
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(<td>.*?)</tr>", body)]


def see(app, page):
    return next((button for button in app.button if button.key == f"guess_{page}_see"), None)


@pytest.mark.parametrize("page", PREDICTED)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_asks_and_tells_nothing_before_an_answer(page, language):
    app = opened(page, lang=language)
    title = words("common", language)["predict.title"]
    assert len([text for text in app.markdown if text.value.startswith(f"**{title}**")]) == 1
    assert see(app, page) and not table(app)
    assert words(page, language)["predict.why"] not in [text.value for text in app.markdown]


@pytest.mark.parametrize("entry", ASKING, ids=lambda entry: entry.name)
def test_what_is_predicted_can_be_computed_and_happens_on_the_page(entry, monkeypatch):
    states = []
    monkeypatch.setattr("ui.guide.question.go", lambda state: (states.append(state), go(state)))
    app = opened(entry.name, lang="en")
    if app.button(key=f"guess_{entry.name}_see").disabled:
        app.session_state[f"guess_{entry.name}_draft"] = 1
        app.run()
    app.button(key=f"guess_{entry.name}_see").click().run()
    assert not app.exception and not app.error and not app.warning
    assert "guess" in app.query_params
    assert table(app) and words(entry.name, "en")["predict.why"] in [text.value for text in app.markdown]
    (state,) = states
    wanted = dict(parse_qsl(state))
    assert {key: spelled(app, entry).get(key) for key in wanted} == wanted


def test_an_answer_brings_the_truth_the_gap_and_the_state_it_is_about():
    app = opened("softmax", lang="en")
    app.button(key="guess_softmax_see").click().run()
    assert not app.exception and not app.error
    assert app.query_params["sm_x"] == "0,1,3"
    assert app.query_params["guess"] == "0.5,0.5,0.5"
    right = [e**score / (1 + e + e**3) for score in (0, 1, 3)]
    computed, apart = (torch.tensor([float(cells[column]) for cells in table(app)]) for column in (1, 2))
    torch.testing.assert_close(computed, torch.tensor(right), atol=6e-4, rtol=0.006)
    torch.testing.assert_close(apart, (torch.tensor(right) - 0.5).abs(), atol=6e-4, rtol=0.006)
    assert words("softmax", "en")["predict.why"] in [text.value for text in app.markdown]
    app.button(key="guess_softmax_again").click().run()
    assert "guess" not in app.query_params and see(app, "softmax") and not table(app)


def test_a_link_opens_with_the_answer_it_holds():
    app = opened("why_sqrt", lang="en", guess="64")
    ((yours, computed, gap),) = table(app)
    assert yours == "64"
    torch.testing.assert_close(float(computed), 16.0, atol=0.2, rtol=0)
    torch.testing.assert_close(float(gap), 48.0, atol=0.2, rtol=0)


@pytest.mark.parametrize("spelling", ["", "nan", "1,2", "<b>", "1e99", "9999"])
def test_an_answer_to_no_such_question_is_none(spelling):
    app = opened("heads", lang="en", guess=spelling)
    assert see(app, "heads") and not table(app)


def test_another_sentence_takes_the_answer_back():
    app = opened("heads", lang="en", guess="3")
    assert table(app)
    app.text_input(key="text").set_value("two cats <b>sleep</b> | here").run()
    assert not app.exception
    assert see(app, "heads") and not table(app)


def test_gaps_are_distances_and_of_an_option_what_it_lacks_to_the_best():
    assert gaps(Number((0.0, 3.0, 7.0)), (3.0,), (5.0,)) == [2.0]
    assert gaps(Row(names=("a", "b")), (0.5, 0.25), (0.25, 0.75)) == [0.25, 0.5]
    assert gaps(Choose(("it", "cat", "sat")), (2.0,), (0.5, 0.125, 0.375)) == [0.375]


def test_only_answers_to_the_question_fit_it():
    assert Choose(("it", "cat")).fits((2.0,)) and not Choose(("it", "cat")).fits((0.0,))
    assert not Choose(("it", "cat")).fits((1.5,)) and not Choose(("it", "cat")).fits(())
    assert Number((0.0, 7.0)).fits((7.0,)) and not Number((0.0, 7.0)).fits((3.0,))
    assert Row(names=("a", "b")).fits((0.0, 1.0)) and not Row(names=("a", "b")).fits((0.0, 1.5))
    assert not Row(names=("a", "b")).fits((0.5,))
