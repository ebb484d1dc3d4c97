"""How far a run is: a bar and a sentence, and what went wrong."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from ui.compute.runs import MOST_BYTES, E, Run, V
from ui.layout import mode
from ui.numbers import significant
from ui.palette import hue
from ui.session import queue
from ui.text import words

MEGABYTE = 2**20


def style(key: str = "") -> None:
    """Streamlit writes white on the button that starts, and in the dark theme that button is pale.

    With the `key` of a page: room for the bar and its sentence, so that nothing jumps when they come, and digits that
    keep their places.
    """
    rules = [f'[data-testid="stBaseButton-primary"] :is(p, span) {{ color: {hue("paper", mode())}; }}']
    if key:
        bar = f".st-key-{key}_progress"
        rules.append(f"{bar} {{ min-height: 3rem; justify-content: center; }}")
        rules.append(f'{bar} [data-testid="stProgress"] p {{ font-variant-numeric: tabular-nums; }}')
    st.html(f"<style>{' '.join(rules)}</style>")


def progress(run: Run[V, E], label: Callable[[V], str]) -> None:
    """A bar and a sentence; and what went wrong."""
    common = words("training")
    st.progress(min(1.0, run.share), text=sentence(run))
    for variant, step in run.diverged.items():
        what = common[f"broke.{run.broke[variant]}"]
        st.warning(common.data("diverged", variant=label(variant), step=step, what=what), icon=":material/warning:")
    if run.failed:
        st.error(common["failed"], icon=":material/error:")
    if run.too_large:
        st.warning(common.format("too_large", most=MOST_BYTES // MEGABYTE), icon=":material/warning:")
    if run.crowded:
        st.warning(common.format("crowded", most=queue().limit // MEGABYTE), icon=":material/warning:")


def sentence(run: Run[Any, Any]) -> str:
    """One line: where it is, how fast, how long still, what it keeps."""
    common = words("training")
    step = max((records[-1].step for variant in run.experiments if (records := run.records(variant))), default=0)
    steps = max(experiment.steps for experiment in run.experiments.values())
    if not run.in_turns:  # one after the other: the steps of all
        step, steps = run.steps, sum(experiment.steps for experiment in run.experiments.values())
    values = {"step": step, "steps": steps, "kept": round(run.kept / MEGABYTE, 1), "seconds": round(run.seconds, 1)}
    if run.state == "waiting":
        return common.format("waiting", position=run.position, workers=queue().workers)
    if run.state == "training" and not step:
        return common["beginning"]
    if run.state == "training":
        left = max(1, math.ceil(run.remaining))
        most = round(run.expected_bytes / MEGABYTE, 1)
        return common.format("running", rate=float(f"{run.rate:.3g}"), left=left, most=most, **values)
    if run.elsewhere:  # a file does not say how long it took
        return common.format("loaded", **values)
    return common.format("stopped" if run.state == "stopped" else "ended", **values)


def recorded(run: Run[Any, Any]) -> None:
    """One line: that it is a recording, how long it took, when and on what."""
    assert run.origin is not None
    values = {"day": run.origin.day, "processor": run.origin.processor, "steps": run.steps}
    st.markdown(words("training").data("recorded", seconds=significant(run.seconds, 3), **values))


def stale(run: Run[V, E] | None, wanted: Mapping[V, E], *, asked: bool = False) -> None:
    """Say so where what is drawn was made with other settings than those that are chosen now; and where nothing is
    drawn, though the link is to a run that was started (`asked`).
    """
    common = words("training")
    if run is None:
        if asked:
            st.caption(common["asked"])
    elif run.origin is not None:
        if not wanted.items() <= run.experiments.items():
            st.caption(f":material/info: {common['recorded_other']}")
    elif run.experiments != dict(wanted):
        st.caption(common["stale"])
