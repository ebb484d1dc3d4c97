"""Long answers on a page: the answer where it is known, else its work with progress and Stop until it has ended."""

import math
from collections.abc import Hashable
from typing import TypeVar, cast

import streamlit as st

from ui.compute import Work, room
from ui.compute.room import Pieces
from ui.errors import fragment
from ui.session import visitor
from ui.text import words

T = TypeVar("T")

TICK = 0.5  # seconds between two looks
STYLE = """<style>
[class*="st-key-working_"] [data-testid="stProgress"] p { font-variant-numeric: tabular-nums; }
</style>"""
CORNER = """<style>
:is(WORKING, GO_ON) {
  position: fixed; right: 1.2rem; bottom: 1.2rem; z-index: 900;
  background: light-dark(#fffffd, #141413); border-radius: 4px;
}
:is(WORKING) {
  width: min(27rem, calc(100vw - 2.4rem)); padding: 0.6rem 0.9rem;
  border: 1px solid light-dark(#dedcd5, #3a3835);
}
[data-testid="stLayoutWrapper"]:has(> :is(WORKING)) { display: contents; }
[data-testid="stLayoutWrapper"]:has(> :is(AROUND)) { position: absolute; }
</style>"""


def style(*corner: str) -> None:
    """Once a page: how work under way looks. That of the topics in `corner` is said in a corner of the window, where
    it moves nothing on the page; the page calls `awaited` for each in a container with the key awaited_<topic>.
    """
    rules = CORNER if corner else ""
    for word, key in (("WORKING", "working"), ("GO_ON", "go_on"), ("AROUND", "awaited")):
        rules = rules.replace(word, ", ".join(f".st-key-{key}_{topic}" for topic in corner))
    st.html(STYLE + rules)


def awaited(question: Hashable, pieces: Pieces[T], *, topic: str, what: str, idle: bool = False) -> T | None:
    """The answer to `question`; None while it is on its way, and then what is under way stands where this is called.

    `pieces` has its inputs already. A reader has one question a topic; another one takes its place. `what` says what
    is computed. `idle`: only by a core that nobody else wants. When the answer is there the page runs again.
    """
    answer = cast(T | None, room().peek(question))
    if answer is not None:
        return answer
    if _halted(topic, question):
        return None
    work = room().work(question, pieces, visitor=visitor(), topic=topic, idle=idle)
    fragment(lambda: _watch(work, topic, what), every=TICK, key=f"watch_{topic}")()
    return None


def _halted(topic: str, question: Hashable) -> bool:
    """Whether the reader has stopped this, or it has failed; then a button begins it again. Until somebody presses it
    nothing asks: what has failed once would most likely fail at every click on the page.
    """
    halted, failed = st.session_state.get(_key(topic), (None, False))
    if halted != question:
        return False
    common = words("common")
    if failed:
        st.error(common["error.unexpected"], icon=":material/error:")
    st.button(common["waiting.go_on"], icon=":material/play_arrow:", key=f"go_on_{topic}", on_click=_forget,
              args=(topic,))  # fmt: skip
    return True


def _watch(work: Work, topic: str, what: str) -> None:
    if work.failed:
        st.session_state[_key(topic)] = work.question, True
    if work.ended or work.failed:
        st.rerun()
    work.look(visitor())
    with st.container(horizontal=True, vertical_alignment="center", key=f"working_{topic}"):
        st.progress(min(1.0, work.share), text=_progress(work, what))
        st.button(words("common")["waiting.stop"], key=f"stop_{topic}", on_click=_stop, args=(work, topic))


def _progress(work: Work, what: str) -> str:
    common = words("common")
    if work.state == "waiting":
        line = "waiting.idle" if work.idle else "waiting.line"
        return common.data(line, what=what, position=work.position)
    left = work.remaining
    return common.data("waiting.left", what=what, seconds=max(1, round(left))) if math.isfinite(left) else what


def _stop(work: Work, topic: str) -> None:
    """The button stands in a fragment of its own: the page that draws another in its place has to run too."""
    work.leave(visitor())
    st.session_state[_key(topic)] = work.question, False
    st.rerun()


def _forget(topic: str) -> None:
    st.session_state.pop(_key(topic), None)


def _key(topic: str) -> str:
    return f"stopped_{topic}"
