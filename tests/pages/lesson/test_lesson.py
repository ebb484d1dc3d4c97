"""A lesson in a link: whole on the other side, hostile until it was checked; its sheets and its editor."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention_core.lessons import KINDS, Question
from pages.lessons.lesson.editor import moved, step_of
from pages.lessons.lesson.numbers import items, shown
from pages.lessons.lesson.pictures import answers, handout
from tests.harness.training import arrived
from ui.lessons import asked
from ui.lessons.lesson import LESSONS, MOST_STEPS, SHIPPED, Lesson, Step, parsed, shipped, spelled
from ui.navigation import PAGES
from ui.packing import packed, unpacked
from ui.text import words

HOSTILE = "<img src=x onerror=alert(1)> `</p>` $x$ [a](javascript:alert(1)) 它"
LINK = "https://example.org/lesson?lesson=20"
PAGE_NAMES = sorted({entry.name for entry in PAGES} - {"lesson"})
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=99)
STEPS = st.builds(Step, page=st.sampled_from(PAGE_NAMES), query=TEXT, kind=st.sampled_from(KINDS), words=TEXT)
OWN = Lesson(title=HOSTILE, minutes=13, steps=(Step(page="pipeline", query="layer=2&head=3", words=HOSTILE),))
TEXTS = words("lesson", "en")


@given(st.builds(Lesson, title=TEXT, minutes=st.integers(1, 240), steps=st.lists(STEPS, min_size=1).map(tuple)))
def test_whatever_a_teacher_writes_comes_back_from_the_link(lesson) -> None:
    lesson = replace(lesson, steps=lesson.steps[:MOST_STEPS])
    assert parsed(unpacked(packed(spelled(lesson))), TEXTS) == lesson


def altered(**fields: object) -> str:
    title, minutes, ((page, query, kind, text),) = json.loads(spelled(OWN))
    own = {"title": title, "minutes": minutes, "page": page, "query": query, "kind": kind, "text": text} | fields
    steps = own.get("steps", [[own[name] for name in ("page", "query", "kind", "text")]])
    return json.dumps([own["title"], own["minutes"], steps])


REFUSED = {
    "no JSON": "{",
    "a number": "7",
    "null": "null",
    "an object": '{"title": "a", "minutes": 3, "steps": []}',
    "brackets without end": "[" * 99_999,
    "no steps": altered(steps=[]),
    "too many steps": altered(steps=[["pipeline", "", "open", ""]] * (MOST_STEPS + 1)),
    "a step too short": altered(steps=[["pipeline"]]),
    "steps of letters": altered(steps="pipeline"),
    "no such page": altered(page="../../etc/passwd"),
    "the page of lessons": altered(page="lesson"),
    "a list for a page": altered(page=["pipeline"]),
    "no such kind": altered(kind="exec"),
    "a number for words": altered(text=7),
    "words too long": altered(text="a" * 601),
    "a query too long": altered(query="a" * 4001),
    "a title too long": altered(title="a" * 121),
    "minutes that are true": altered(minutes=True),
    "no minutes": altered(minutes=0),
    "minutes without end": altered(minutes=1e999),
}


@pytest.mark.parametrize("spelling", REFUSED.values(), ids=REFUSED)
def test_what_is_no_lesson_is_refused(spelling) -> None:
    with pytest.raises(ValueError):
        parsed(spelling, TEXTS)


@pytest.mark.parametrize("spelling", ["{", REFUSED["no such page"], "~zAAAA", "7"])
@pytest.mark.parametrize("page", ["lesson", "pipeline"])
def test_a_damaged_lesson_is_one_sentence_and_no_page_breaks(spelling, page) -> None:
    app = arrived(page, lang="en", lesson=spelling, lesson_step="2")
    assert not app.exception and not app.error
    assert len(app.warning) == (1 if page == "lesson" or spelling.startswith("~") else 0)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", SHIPPED)
def test_every_question_of_a_shipped_lesson_has_its_answer(name, language) -> None:
    texts = words("lesson", language)
    lesson = shipped(name, texts)
    rows = items(lesson, "https://example.org", texts)
    for step, item in zip(lesson.steps, rows, strict=True):
        assert item.question.kind == step.kind
        assert (item.answer is None) == (step.kind == "open")
        assert shown(item, texts).strip() and item.text.strip()


def test_the_steps_of_the_shipped_lessons_are_all_used_and_a_longer_lesson_has_more() -> None:
    used = [set(steps) for steps in LESSONS["lessons"].values()]
    assert set().union(*used) == set(LESSONS["steps"])
    assert [len(steps) for steps in used] == sorted(len(steps) for steps in used)


@pytest.mark.parametrize(
    ("page", "query", "kinds"),
    [
        ("pipeline", "layer=2&head=3&focus=1,2", ("strongest", "weight", "change", "open")),
        ("pipeline", "layer=2&scaling=none", ("open",)),
        ("pipeline", "model=scratch", ("open",)),
        ("vanishing", "dk=64&rule=none&seed=3", ("alive", "open")),
        ("vanishing", "where=trained", ("open",)),
        ("softmax", "", ("open",)),
    ],
)
def test_an_answer_is_computed_only_where_the_link_says_nothing_else(page, query, kinds) -> None:
    step = Step(page=page, query=query, kind="weight")
    assert asked.kinds(step) == kinds
    assert (asked.question(step).kind == "open") == ("weight" not in kinds)


def test_a_question_is_read_from_the_link_of_its_view() -> None:
    query = "text=law+and+order&seed=3&dk=500&scale=4&rule=inverse_sqrt&probe_head=5"
    assert asked.question(Step(page="vanishing", query=query, kind="alive")) == Question(
        kind="alive", text="law and order", seed=3, head=4, d_k=512, input_scale=4.0, rule="inverse_sqrt"
    )


@pytest.mark.parametrize("draw", [handout, answers])
def test_what_a_teacher_types_is_inert_on_paper(draw) -> None:
    html = draw(HOSTILE, LINK, items(OWN, "https://example.org", TEXTS), TEXTS)
    assert "<img src=x" not in html and html.count("&lt;img src=x onerror=alert(1)&gt;") == 2


def test_a_link_too_long_for_a_code_is_said_so() -> None:
    html = handout(OWN.title, "https://example.org/" + "a" * 3000, [], TEXTS)
    assert TEXTS["no_code"] in html and 'class="code"' not in html


@pytest.mark.parametrize(
    ("link", "step"),
    [
        (
            "https://example.org/pipeline?layer=2&lang=zh&lesson=20&lesson_step=3",
            Step(page="pipeline", query="layer=2"),
        ),
        ("/why-sqrt", Step(page="why_sqrt")),
        ("https://example.org/?text=a+b", Step(page="start", query="text=a+b")),
        ("https://example.org/lesson?lesson=20", None),
        ("https://example.org/nowhere", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_pasted_link_is_a_view_or_nothing(link, step) -> None:
    assert step_of(link) == step


def test_a_step_moves_by_one() -> None:
    first, second, third = (Step(page=page) for page in ("start", "heads", "order"))
    assert moved((first, second, third), 2, -1) == (first, third, second)
    assert moved((first, second, third), 0, 1) == (second, first, third)


def test_the_editor_writes_the_link_and_keeps_the_rest() -> None:
    app = arrived("lesson", lang="en", lesson="20", sheet="edit")
    app.text_input(key="lesson_field_words_1").set_value(HOSTILE).run()
    app.button(key="lesson_remove_0").click().run()
    assert not app.exception and not app.error
    spelling = app.query_params["lesson"]
    spelling = spelling if isinstance(spelling, str) else spelling[-1]
    own, original = parsed(unpacked(spelling), TEXTS), shipped("20", TEXTS)
    assert own.steps == (replace(original.steps[1], words=HOSTILE), *original.steps[2:])
    assert re.match("~z", spelling)
