"""Lessons: a list of steps from one link, its sheets for paper, its files, and the editor."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from attention_core.lessons import gift, moodle, notebook
from pages.lessons.lesson import pictures
from pages.lessons.lesson.editor import editor
from pages.lessons.lesson.guide import GUIDE
from pages.lessons.lesson.numbers import items
from pages.lessons.lesson.settings import SHEET
from ui.controls.widgets import pills
from ui.errors import callback
from ui.layout import page_header, style
from ui.lessons import asked
from ui.lessons.bar import LESSON, current, open_step
from ui.lessons.lesson import SHIPPED, Lesson, parsed
from ui.packing import packed
from ui.state import cut
from ui.text import Words, reader_language, words

CHOICE, OWN = "lesson_choice", "own"


@callback
def chosen() -> None:
    """Another of the lessons that come with Headlight."""
    LESSON.put(st.session_state[CHOICE])


def shown(page: Words) -> Lesson:
    """The lesson of the link, else the shortest."""
    if LESSON.peek() and current() is None and not cut():
        st.warning(page["damaged"], icon=":material/link_off:")
    if current() is None:
        LESSON.put(SHIPPED[0])
    LESSON.value()
    return parsed(LESSON.peek(), page)


def menu(page: Words) -> str:
    """Which lesson, and which of its sheets."""
    name = LESSON.peek()
    options = (*SHIPPED,) if name in SHIPPED else (*SHIPPED, OWN)
    st.session_state[CHOICE] = name if name in SHIPPED else OWN
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_menu"):
        st.segmented_control(
            page["choose"],
            options,
            format_func=lambda name: page["own"] if name == OWN else page.data("minutes", minutes=name),
            required=True,
            key=CHOICE,
            on_change=chosen,
        )
        return pills(SHEET, page["sheet"], lambda sheet: page[f"sheets.{sheet}"])


def root() -> str:
    """The address of the app, as the reader has it."""
    return (st.context.url or "").rpartition("/")[0]


def link(page: Words) -> str:
    """The address that opens this lesson."""
    return f"{root()}/lesson?{urlencode({'lang': reader_language(), 'lesson': packed(LESSON.peek())})}"


def steps(lesson: Lesson, page: Words) -> None:
    """What happens, in order, each with its way in."""
    st.html(f"<h2>{escape(lesson.title)}</h2>")
    if st.button(page["start"], type="primary", icon=":material/play_arrow:", key="lesson_begin"):
        open_step(lesson, 1)
    for number, step in enumerate(lesson.steps, start=1):
        with st.container(horizontal=True, vertical_alignment="center", key=f"lesson_row_{number}"):
            title = f"{number} · {words('common')[f'page.{step.page}.title']}"
            if st.button(title, key=f"lesson_open_{number}", type="tertiary", width=210):
                open_step(lesson, number)
            st.html(f"<p>{escape(asked.sentence(step, page))}</p>")
    st.markdown(f"**{page['link']}**")
    st.code(link(page), language=None, wrap_lines=True)


def sheet(draw: Callable[..., str], lesson: Lesson, page: Words) -> None:
    """A sheet for paper, and the same as files."""
    rows = items(lesson, root(), page)
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_files"):
        st.markdown(page["export"], width="content")
        for name, make in (
            ("Moodle XML", lambda: moodle(rows)),
            ("GIFT", lambda: gift(rows)),
            ("JSON", lambda: notebook(lesson.title, rows)),
        ):
            ending = {"Moodle XML": "xml", "GIFT": "gift.txt", "JSON": "json"}[name]
            file = f"lesson.{ending}"
            st.download_button(name, lambda make=make: make().encode(), file, on_click="ignore", key=f"file_{ending}")
        st.caption(page["print"])
    st.html(draw(lesson.title, link(page), rows, page))


page = words("lesson")
style(Path(__file__).with_name("style.css"))
page_header(page, GUIDE)
lesson = shown(page)
kind = menu(page)
match kind:
    case "steps":
        steps(lesson, page)
    case "handout":
        sheet(pictures.handout, lesson, page)
    case "answers":
        sheet(pictures.answers, lesson, page)
    case _:
        editor(lesson, page)
