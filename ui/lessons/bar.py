"""The lesson that goes with the reader from page to page: its two keys of the link, its bar, and opening a step."""

from html import escape

import streamlit as st

from ui.errors import callback
from ui.lessons import asked
from ui.lessons.lesson import LONGEST, MOST_STEPS, OWN_PAGE, Lesson, Step, entry, parsed, spelled, view
from ui.navigation import entry_of, name_of
from ui.packing import packed
from ui.present import PRESENT
from ui.state import Setting, cut, forget
from ui.text import LANGUAGE, words

LESSON = Setting(key="lesson", default="", parse=str)
STEP = Setting(key="lesson_step", default=0, parse=int, clamp=lambda step: max(0, int(step)))  # from 1; 0: none
STAYS = (LANGUAGE, PRESENT.name, LESSON.name, STEP.name)
STYLE = """<style>
.st-key-lesson_bar { padding: 0.35rem 0; border-bottom: 1px solid var(--st-border-color, #8884); }
.st-key-lesson_bar p { margin: 0; line-height: 1.35; }
@media print { .st-key-lesson_bar { display: none !important; } }
</style>"""


def current() -> Lesson | None:
    """The lesson of the link; None where there is none, or none that can be read."""
    try:
        return parsed(LESSON.peek(), words("lesson")) if LESSON.peek() else None
    except ValueError:
        return None


def address(step: Step, number: int) -> dict[str, str]:
    """The query of a step of the current lesson: its view, and the lesson itself."""
    return {**step.link(), "lesson": packed(LESSON.peek()), "lesson_step": str(number)}


def open_step(lesson: Lesson, number: int) -> None:
    """Go to this step, counted from 1; beyond the last one to the list."""
    STEP.put(number if number <= len(lesson.steps) else 0)
    forget(*STAYS)
    if STEP.peek():
        step = lesson.steps[number - 1]
        st.switch_page(entry(step).path, query_params=address(step, number))
    st.switch_page(entry_of(OWN_PAGE).path, query_params={"lesson": packed(LESSON.peek())})


def lesson_bar(page: st.Page) -> None:
    """Above every page while a lesson goes on: where one is in it, what is asked, Back and Next."""
    cut()  # before the lesson that was cut off leaves the link
    lesson, number = current(), STEP.peek()
    LESSON.value()
    STEP.value()
    if lesson is None or not 0 < number <= len(lesson.steps) or name_of(page.url_path) == OWN_PAGE:
        return
    texts, step = words("lesson"), lesson.steps[number - 1]
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="lesson_bar"):
        place = texts.data("bar.step", number=number, all=len(lesson.steps))
        if st.button(place, key="lesson_again", type="tertiary", help=texts["bar.again"]):
            open_step(lesson, number)
        st.html(f"<p>{escape(asked.sentence(step, texts))}</p>")
        if number > 1 and st.button(texts["bar.back"], key="lesson_back"):
            open_step(lesson, number - 1)
        if st.button(texts["bar.next" if number < len(lesson.steps) else "bar.end"], key="lesson_next", type="primary"):
            open_step(lesson, number + 1)
        st.button(":material/close:", key="lesson_leave", type="tertiary", help=texts["bar.leave"], on_click=leave)


@callback
def leave() -> None:
    """In a callback: the lesson is over, the view stays."""
    LESSON.reset()
    STEP.reset()


def add_view_button(name: str) -> None:
    """Puts this view at the end of the reader's lesson; of a shipped one a copy. `name`: of the menu it stands in."""
    st.button(words("lesson")["add"], icon=":material/playlist_add:", key=f"lesson_add_{name}", on_click=_add_view)


@callback
def _add_view() -> None:
    lesson, texts = current(), words("lesson")
    step = view(name_of_page(), st.query_params.to_dict())
    title, minutes, steps = (lesson.title, lesson.minutes, lesson.steps) if lesson else (texts["own"], 45, ())
    if len(steps) >= MOST_STEPS or len(step.query) > LONGEST["link"]:
        st.toast(texts.data("edit.full" if len(steps) >= MOST_STEPS else "edit.no_view", most=MOST_STEPS))
        return
    LESSON.put(spelled(Lesson(title=title, minutes=minutes, steps=(*steps, step))))
    LESSON.value()  # in the link at once: what has called may stand in a fragment, which runs without the bar
    st.toast(texts.data("added", count=len(steps) + 1))


def name_of_page() -> str:
    """The name of the page that runs."""
    return name_of(st.session_state["page"])
