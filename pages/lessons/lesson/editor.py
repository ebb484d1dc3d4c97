"""A teacher changes a lesson: every change is a new link."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from ui.errors import callback
from ui.lessons import asked
from ui.lessons.bar import LESSON
from ui.lessons.lesson import LONGEST, MINUTES, MOST_STEPS, OWN_PAGE, Lesson, Step, spelled, view
from ui.navigation import address_of, name_of
from ui.text import Words, words

PASTED, REFUSED = "lesson_pasted", "lesson_refused"  # the link of a view, and the key of why it is not taken


def editor(lesson: Lesson, page: Words) -> None:
    """Title and minutes, each step, and a place for the link of another view."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _field("title", lesson.title, partial(_with, lesson), page)
        key = _held("minutes", lesson.minutes)
        changed = partial(_changed, key, lambda minutes: replace(lesson, minutes=int(minutes)))
        st.number_input(page["edit.minutes"], MINUTES[0], MINUTES[-1], key=key, on_change=changed, width=120)
    for at, step in enumerate(lesson.steps):
        _step(lesson, at, step, page)
    key = _held(PASTED, "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(page["edit.paste"], key=key, help=page["edit.paste_help"], max_chars=LONGEST["link"])
        st.button(page["edit.add"], key="lesson_paste", on_click=partial(_paste, lesson, key))
    if reason := st.session_state.pop(REFUSED, ""):
        st.warning(page.format(reason, most=MOST_STEPS), icon=":material/link_off:")


def moved(steps: Sequence[Step], at: int, by: int) -> tuple[Step, ...]:
    """The steps with one of them further up (−1) or down (1)."""
    others = [step for place, step in enumerate(steps) if place != at]
    others.insert(at + by, steps[at])
    return tuple(others)


def step_of(link: str) -> Step | None:
    """The view that a link opens; None where it opens no page of Headlight that a lesson can show."""
    try:
        parts = urlsplit(link.strip())
        address = address_of(parts.path)
        page = "" if address is None else name_of(address.removeprefix("/"))
        return None if page in ("", OWN_PAGE) else view(page, dict(parse_qsl(parts.query)))
    except ValueError:
        return None


def _step(lesson: Lesson, at: int, step: Step, page: Words) -> None:
    with st.container(border=True, gap="small", key=f"lesson_edit_{at}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{at + 1}** · {words('common')[f'page.{step.page}.title']}")
            _buttons(lesson, at, page)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _field("words", step.words, lambda text: _replaced(lesson, at, words=text), page, at)
            _kind(lesson, at, step, page)


def _buttons(lesson: Lesson, at: int, page: Words) -> None:
    ways = {"up": (-1, at > 0, "arrow_upward"), "down": (1, at < len(lesson.steps) - 1, "arrow_downward")}
    for name, (by, possible, icon) in ways.items():
        steps = moved(lesson.steps, at, by)
        act = partial(_write, replace(lesson, steps=steps))
        _button(name, at, icon, act, possible, page)
    rest = lesson.steps[:at] + lesson.steps[at + 1 :]
    _button("remove", at, "delete", partial(_write, replace(lesson, steps=rest)), bool(rest), page)


def _button(name: str, at: int, icon: str, act: Callable[[], None], possible: bool, page: Words) -> None:
    key, sign = f"lesson_{name}_{at}", f":material/{icon}:"
    st.button(sign, key=key, type="tertiary", help=page[f"edit.{name}"], on_click=act, disabled=not possible)


def _kind(lesson: Lesson, at: int, step: Step, page: Words) -> None:
    options = asked.kinds(step)
    key = _held(f"kind_{at}", step.kind if step.kind in options else "open")
    changed = partial(_changed, key, lambda kind: _replaced(lesson, at, kind=kind))
    label = page["edit.kind"]
    st.selectbox(label, options, format_func=lambda kind: page[f"kinds.{kind}"], key=key, on_change=changed, width=280)


def _field(name: str, text: str, act: Callable[[str], Lesson], page: Words, at: int = 0) -> None:
    key = _held(f"{name}_{at}", text)
    changed = partial(_changed, key, act)
    st.text_input(page[f"edit.{name}"], key=key, max_chars=LONGEST[name], on_change=changed, width="stretch")


def _held(name: str, value: str | int) -> str:
    """The key of a widget that shows this value."""
    key = f"lesson_field_{name}"
    st.session_state[key] = value
    return key


def _with(lesson: Lesson, title: str) -> Lesson:
    return replace(lesson, title=title)


def _replaced(lesson: Lesson, at: int, **fields: str) -> Lesson:
    steps = list(lesson.steps)
    steps[at] = replace(steps[at], **fields)  # type: ignore[arg-type]
    return replace(lesson, steps=tuple(steps))


@callback
def _changed(key: str, act: Callable[..., Lesson]) -> None:
    _write(act(st.session_state[key]))


@callback
def _write(lesson: Lesson) -> None:
    LESSON.put(spelled(lesson))


@callback
def _paste(lesson: Lesson, key: str) -> None:
    step = step_of(st.session_state[key])
    if step is None or len(step.query) > LONGEST["link"]:
        st.session_state[REFUSED] = "edit.no_view"
    elif len(lesson.steps) >= MOST_STEPS:
        st.session_state[REFUSED] = "edit.full"
    else:
        _write(replace(lesson, steps=(*lesson.steps, step)))
