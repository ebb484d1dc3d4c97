"""The run of a page: begun, stopped, resumed, looked at again and again; and the settings it is made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from ui.compute.runs import E, Run, V
from ui.errors import fragment
from ui.session import queue, visitor
from ui.state import Setting
from ui.text import words

T = TypeVar("T", int, float)

TICK = 0.5  # seconds between two looks at a run


def current(key: str) -> Run[Any, Any] | None:
    """The run of this session that goes by this key; none where the server has forgotten its records."""
    run = st.session_state.get(f"{key}_run")
    if run is not None and run.forgotten:
        del st.session_state[f"{key}_run"]
        st.session_state[f"{key}_refused"] = "forgotten"
        return None
    return run


def begin(key: str, experiments: Mapping[V, E], *, in_turns: bool = True) -> Run[V, E]:
    """Train these experiments; what this session trained under the key before is stopped and forgotten."""
    before = current(key)
    if before is not None:
        before.stop()
    run = Run(experiments, in_turns=in_turns)
    st.session_state[f"{key}_run"] = run
    st.session_state.pop(f"{key}_refused", None)
    queue().enter(run, visitor())
    return run


def go(key: str) -> Setting[str]:
    """ "1" where the link is to a run that was started; opening it starts nothing."""
    return Setting(key=f"{key}_go", default="", parse=str, options=("", "1"))


def watch(key: str, draw: Callable[[Run[Any, Any] | None], None], recording: Run[Any, Any] | None = None) -> None:
    """Draw `draw(run)`, and again twice a second while the run of this key trains or waits: looking keeps it alive.

    `recording`: what is drawn while there is no run of the reader's own.
    """
    run = current(key)
    if run is not None:
        run.look(visitor())
    ticking = run is not None and run.running

    def look() -> None:
        run = current(key)
        if run is not None:
            run.look(visitor())
        draw(run or recording)
        run = current(key)
        if (run is not None and run.running) != ticking:
            st.rerun()

    fragment(look, every=TICK if ticking else None, key=f"training_{key}")()


def buttons(key: str, wanted: Mapping[V, E], *, in_turns: bool = True, start: str = "start") -> None:
    """Buttons that start, stop and resume the run of this key; `start`: the words of the first.

    Only a button starts a run: a link to one that was started, whoever opens it, does not.
    """
    common, run = words("training"), current(key)

    def started() -> None:
        begin(key, wanted, in_turns=in_turns)
        go(key).put("1")

    running = run is not None and run.running
    st.button(
        common[start],
        icon=":material/play_arrow:",
        type="secondary" if running else "primary",
        on_click=started,
        key=f"{key}_start",
        disabled=running,
    )
    if run is None:
        return
    if run.state == "stopped":
        resume = common["resume"]
        st.button(resume, icon=":material/resume:", on_click=run.resume, args=(visitor(),), key=f"{key}_resume")
    else:
        idle = not running or run.stopping
        st.button(common["stop"], icon=":material/stop:", on_click=run.stop, key=f"{key}_stop", disabled=idle)


def pick(key: str, options: Sequence[T], default: T, label: str, width: int, help: str | None = None) -> T:
    """One of a few numbers; it stands in the link."""
    setting = Setting(key=key, default=default, parse=type(default), spell="{:g}".format, options=options)
    setting.seed()
    st.selectbox(label, options, format_func=setting.spell, key=setting.name, width=width, help=help)
    return setting.value()


def several(
    key: str, options: Sequence[str], default: Sequence[str], label: str, name: Callable[[str], str]
) -> list[str]:
    """At least one of a few; they stand in the link, in the order of the options."""

    def parse(spelling: str) -> list[str]:
        spelled = [option for option in options if option in spelling.split(",")]
        if not spelled:
            raise ValueError(spelling)
        return spelled

    setting = Setting(key=key, default=list(default), parse=parse, spell=",".join)
    setting.seed()
    pressed = st.pills(label, options, selection_mode="multi", format_func=name, key=setting.name)
    if pressed:
        st.session_state[f"{key}_last"] = pressed
    else:
        st.caption(f":material/edit: {words('training')['choose_one']}", width="content")
    last = st.session_state.get(f"{key}_last", default)
    chosen = [option for option in options if option in last]
    setting.publish(chosen)
    return chosen
