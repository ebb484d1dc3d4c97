"""A lesson as a value, and its spelling in a link: hostile until it was checked, and bounded. No Streamlit here."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from attention_core.lessons import KINDS, Kind
from ui.navigation import PAGES, PageEntry, entry_of
from ui.state import OF_ANY
from ui.text import Words

LESSONS = tomllib.loads((Path(__file__).parents[2] / "assets" / "lessons.toml").read_text(encoding="utf-8"))
SHIPPED = tuple(LESSONS["lessons"])  # their names: how many minutes they take
OWN_PAGE = "lesson"
MOST_STEPS = 24
LONGEST = {"title": 120, "words": 600, "link": 4000}  # characters
MINUTES = range(1, 241)
OF_LESSONS = {"sheet", "guess", *OF_ANY}  # no part of a view


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A view, by the name of its page and its query; what is asked about it; the teacher's own sentence."""

    page: str
    query: str = ""
    kind: Kind = "open"
    words: str = ""

    def link(self) -> dict[str, str]:
        """The settings of the view, as its address spells them."""
        spelled_out = parse_qsl(self.query, keep_blank_values=True)
        return {key: text for key, text in spelled_out if key.lower() not in OF_LESSONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A title, how many minutes it takes, and its steps in order."""

    title: str
    minutes: int
    steps: tuple[Step, ...]


def view(page: str, link: Mapping[str, str]) -> Step:
    """A step that opens this view."""
    return Step(page=page, query=urlencode({key: text for key, text in link.items() if key not in OF_LESSONS}))


def spelled(lesson: Lesson) -> str:
    """A lesson as a link spells it, before it is packed."""
    steps = [[step.page, step.query, step.kind, step.words] for step in lesson.steps]
    return json.dumps([lesson.title, lesson.minutes, steps], ensure_ascii=False, separators=(",", ":"))


def parsed(spelling: str, page: Words) -> Lesson:
    """The lesson of that name or spelling. Raises ValueError where it is none."""
    return shipped(spelling, page) if spelling in SHIPPED else _parsed(spelling)


def shipped(name: str, page: Words) -> Lesson:
    """A lesson that comes with Headlight, in the language of these words."""
    steps = tuple(_shipped_step(step, page) for step in LESSONS["lessons"][name])
    return Lesson(title=page[f"title.{name}"], minutes=int(name), steps=steps)


def _shipped_step(name: str, page: Words) -> Step:
    row = LESSONS["steps"][name]
    query = urlencode(row.get("link", {}))
    return Step(page=row["page"], query=query, kind=row["kind"], words=page[f"step.{name}"])


@lru_cache(maxsize=8)
def _parsed(spelling: str) -> Lesson:
    try:
        title, minutes, rows = json.loads(spelling)
        steps = tuple(_step(*row) for row in rows)
    except (RecursionError, TypeError) as error:
        raise ValueError("a lesson is a title, minutes and steps") from error
    if type(minutes) is not int or minutes not in MINUTES or not 0 < len(steps) <= MOST_STEPS:
        raise ValueError("a lesson has 1 to 240 minutes and 1 to 24 steps")
    return Lesson(title=_text("title", title), minutes=minutes, steps=steps)


def _step(page: Any, query: Any, kind: Any, words: Any) -> Step:  # noqa: ANN401 whatever a link says
    if page not in {entry.name for entry in PAGES} - {OWN_PAGE} or kind not in KINDS:
        raise ValueError("a step names a page and a kind of question")
    return Step(page=page, query=_text("link", query), kind=kind, words=_text("words", words))


def _text(name: str, text: Any) -> str:  # noqa: ANN401
    if not isinstance(text, str) or len(text) > LONGEST[name]:
        raise ValueError(f"the {name} of a lesson is text of {LONGEST[name]} characters at most")
    return text.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be sent to a browser


def entry(step: Step) -> PageEntry:
    """The page of a step."""
    return entry_of(step.page)
