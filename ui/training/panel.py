"""What every page about training has: start, stop and resume, how far it is, and files to keep a run in."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TypeVar

import streamlit as st
from torch import Tensor

from attention_core.experiments.base import Experiment, Record, kept_steps
from attention_core.experiments.store import (
    LARGEST,
    StoreError,
    load_config,
    load_records,
    load_weights,
    save_records,
    save_weights,
)
from attention_core.models.trained import opens
from ui.compute.runs import MOST_BYTES, Run
from ui.controls import show
from ui.errors import fragment
from ui.layout import mode
from ui.link import publish, recall, remember, seed
from ui.navigation import PAGES
from ui.palette import hue
from ui.session import adopt, queue, visitor
from ui.text import words

T = TypeVar("T", int, float)

TICK = 0.5  # seconds between two looks at a run
MEGABYTE = 2**20
UPLOAD = 64  # MiB
MOST_FILES = 8
ARRAY_HEAD = 256  # bytes, at most, that NumPy writes before an array
COLUMNS = 4 * MEGABYTE  # what an archive holds beside arrays: numbers of every step, the configuration
MOST_SEED = 2**31
Make = Callable[[], Mapping[str, Experiment]]
Check = Callable[[Experiment], bool]

_log = logging.getLogger("headlight")
_unpacking = Lock()


def style() -> None:
    """Streamlit writes white on the button that starts, and in the dark theme that button is pale."""
    paper = hue("paper", mode())
    st.html(f'<style>[data-testid="stBaseButton-primary"] :is(p, span) {{ color: {paper}; }}</style>')


def current(key: str) -> Run | None:
    """The run of this session that goes by this key; none where the server has forgotten its records."""
    run = st.session_state.get(f"{key}_run")
    if run is not None and run.forgotten:
        del st.session_state[f"{key}_run"]
        st.session_state[f"{key}_refused"] = "forgotten"
        return None
    return run


def begin(key: str, experiments: Mapping[str, Experiment], *, in_turns: bool = True) -> Run:
    """Train these experiments; what this session trained under the key before is stopped and forgotten."""
    before = current(key)
    if before is not None:
        before.stop()
    run = Run(experiments, in_turns=in_turns)
    st.session_state[f"{key}_run"] = run
    st.session_state.pop(f"{key}_refused", None)
    queue().enter(run, visitor())
    return run


def live(key: str, draw: Callable[[Run | None], None]) -> None:
    """Draw `draw(run)`, and again twice a second while the run of this key trains or waits: looking keeps it alive."""
    run = current(key)
    if run is not None:
        run.look(visitor())
    ticking = run is not None and run.running

    def looked() -> None:
        run = current(key)
        if run is not None:
            run.look(visitor())
        draw(run)
        run = current(key)
        if (run is not None and run.running) != ticking:
            st.rerun()

    fragment(looked, every=TICK if ticking else None, key=f"training_{key}")()


def controls(key: str, make: Make, *, in_turns: bool = True, start: str = "start") -> None:
    """Buttons that start, stop and resume the run of this key."""
    common, run = words("training"), current(key)

    def started() -> None:
        begin(key, make(), in_turns=in_turns)
        remember(f"{key}_go", "1")

    running = run is not None and run.running
    st.button(
        common[start], icon=":material/play_arrow:", type="secondary" if running else "primary", on_click=started,
        key=f"{key}_start", disabled=running,
    )  # fmt: skip
    if run is not None and run.state == "stopped":
        st.button(
            common["resume"], icon=":material/resume:", on_click=run.resume, args=(visitor(),), key=f"{key}_resume"
        )
    elif run is not None:
        st.button(
            common["stop"], icon=":material/stop:", on_click=run.stop, key=f"{key}_stop",
            disabled=not running or run.stopping,
        )  # fmt: skip


def bar(
    key: str,
    run: Run | None,
    wanted: Mapping[str, Experiment],
    label: Callable[[str], str],
    *,
    empty: str,
    check: Check,
    name_of: Callable[[Experiment], str],
    in_turns: bool = True,
    told: Callable[[Run], None] | None = None,
) -> None:
    """The row every page begins its training with: buttons, files, and how far it is, or `empty` before the first run.

    `told`: what the page says of the progress in its own way.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_buttons"):
        controls(key, lambda: wanted, in_turns=in_turns)
        files(key, label, check, name_of)
        with st.container(key=f"{key}_progress", width="stretch"):
            if run is None:
                st.markdown(empty)
            elif told is None:
                progress(key, label)
            else:
                told(run)
            stale(key, wanted)
    refusal(key)


def progress(key: str, label: Callable[[str], str]) -> None:
    """How far the run of this key is: a bar and a sentence; and what went wrong."""
    common, run = words("training"), current(key)
    if run is None:
        return
    st.progress(min(1.0, run.share), text=said(run))
    for name, step in run.diverged.items():
        st.warning(
            common.data("diverged", variant=label(name), step=step, what=common[f"broke.{run.broke[name]}"]),
            icon=":material/warning:",
        )
    if run.failed:
        st.error(common["failed"], icon=":material/error:")
    if run.too_large:
        st.warning(common.format("too_large", most=MOST_BYTES // MEGABYTE), icon=":material/warning:")
    if run.crowded:
        st.warning(common.format("crowded", most=queue().limit // MEGABYTE), icon=":material/warning:")


def said(run: Run) -> str:
    """One line: where it is, how fast, how long still, what it keeps."""
    common = words("training")
    step = max((records[-1].step for name in run.experiments if (records := run.records(name))), default=0)
    steps = max(each.steps for each in run.experiments.values())
    if not run.in_turns:  # one after the other: the steps of all
        step, steps = run.steps, sum(each.steps for each in run.experiments.values())
    values = {"step": step, "steps": steps, "kept": round(run.kept / MEGABYTE, 1), "seconds": round(run.seconds, 1)}
    if run.state == "waiting":
        return common.format("waiting", position=run.position, workers=queue().workers)
    if run.state == "training" and not step:
        return common["beginning"]
    if run.state == "training":
        left = max(1, math.ceil(run.remaining))
        most = round(run.expected_bytes / MEGABYTE, 1)
        return common.format("running", rate=float(f"{run.rate:.3g}"), left=left, most=most, **values)
    return common.format("stopped" if run.state == "stopped" else "ended", **values)


def arrive(key: str, make: Make, *, in_turns: bool = True) -> None:
    """A link to a run that was started starts it, once a session."""
    started = recall(f"{key}_go", "") == "1"
    if started and current(key) is None and not st.session_state.get(f"{key}_arrived"):
        begin(key, make(), in_turns=in_turns)
    st.session_state[f"{key}_arrived"] = True


def stale(key: str, wanted: Mapping[str, Experiment]) -> None:
    """Say so where the run of this key was made with other settings than those that are chosen now."""
    run = current(key)
    if run is not None and run.experiments != dict(wanted):
        st.caption(words("training")["stale"])


def pick(key: str, options: Sequence[T], default: T, label: str, width: int, help: str | None = None) -> T:
    """One of a few numbers; it stands in the link."""
    kind = type(default)
    seed(key, default, kind, options)
    chosen = st.selectbox(label, options, format_func=lambda value: f"{value:g}", key=key, width=width, help=help)
    publish(key, f"{chosen:g}", f"{default:g}")
    return chosen


def several(
    key: str, options: Sequence[str], default: Sequence[str], label: str, name: Callable[[str], str]
) -> list[str]:
    """At least one of a few; they stand in the link, in the order of the options."""

    def read(spelling: str) -> list[str]:
        found = [each for each in options if each in spelling.split(",")]
        if not found:
            raise ValueError(spelling)
        return found

    seed(key, list(default), read)
    found = st.pills(label, options, selection_mode="multi", format_func=name, key=key)
    if found:
        st.session_state[f"{key}_last"] = found
    else:
        st.caption(f":material/edit: {words('training')['choose_one']}", width="content")
    kept = st.session_state.get(f"{key}_last", default)
    chosen = [each for each in options if each in kept]
    publish(key, ",".join(chosen), ",".join(default))
    return chosen


# --- files ---


def files(key: str, label: Callable[[str], str], check: Check, name_of: Callable[[Experiment], str]) -> None:
    """A menu with the records (NPZ) and the weights (safetensors) of every variant, and a place to load them from."""
    common, run = words("training"), current(key)
    with st.popover(common["files"], icon=":material/save:", key=f"{key}_files"):
        st.markdown(f"**{common['save']}**")
        if run is None or not any(run.records(name) for name in run.experiments):
            st.caption(common["nothing"])
        else:
            st.caption(f"{common['save_help']} {common['open_help']}")
            for name, config in run.experiments.items():
                _saves(key, run, name, config, label(name))
        st.markdown(f"**{common['load']}**")
        turn = st.session_state.setdefault(f"{key}_turn", 0)
        st.file_uploader(
            common["load_label"], ["npz", "safetensors"], accept_multiple_files=True, max_upload_size=UPLOAD,
            key=f"{key}_upload_{turn}", on_change=partial(_loaded, key, check, name_of), help=common["load_help"],
        )  # fmt: skip


def refusal(key: str) -> None:
    """Why the last file was not loaded, in one sentence."""
    refused = st.session_state.get(f"{key}_refused")
    if refused:
        st.warning(words("training")[f"refused.{refused}"], icon=":material/warning:")


def _saves(key: str, run: Run, name: str, config: Experiment, label: str) -> None:
    common, records = words("training"), run.records(name)
    if not records:
        return
    file = f"{key}_{name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(label, width=90)
        st.download_button(
            common["records"], lambda: save_records(config, records), file_name=f"{file}.npz", on_click="ignore",
            key=f"{file}_npz",
        )  # fmt: skip
        if records[-1].state:
            st.download_button(
                common["weights"], lambda: save_weights(config, records[-1].state), file_name=f"{file}.safetensors",
                on_click="ignore", key=f"{file}_safetensors",
            )  # fmt: skip
            if opens(config) and st.button(common["open"], icon=":material/visibility:", key=f"{file}_open"):
                name = adopt(_title(label), save_weights(config, records[-1].state))
                show(name)
                st.switch_page(PAGES[0].path)


def _title(variant: str) -> str:
    """What the menus of models call a layer that was trained on this page."""
    page = next(entry.name for entry in PAGES if entry.url_path == st.session_state["page"])
    return words("training").data("opened", page=words("common")[f"page.{page}.title"], variant=variant)


class _RefusedError(Exception):
    """A file that this page cannot show; the text is the key of its sentence."""


def _loaded(key: str, check: Check, name_of: Callable[[Experiment], str]) -> None:
    """Before the page runs: what was uploaded takes the place of the run, or leaves it as it is and says why."""
    turn = st.session_state[f"{key}_turn"]
    sent = st.session_state.get(f"{key}_upload_{turn}") or []
    if not sent:
        return
    st.session_state[f"{key}_turn"] = turn + 1  # an empty place for the next file, and no copy of this one
    try:
        run = _run([file.getvalue() for file in sent], check, name_of)
        queue().keep(run, visitor())
        if not queue().grants(run):
            raise _RefusedError("crowded")
        st.session_state[f"{key}_run"] = run
        st.session_state.pop(f"{key}_refused", None)
    except _RefusedError as error:
        st.session_state[f"{key}_refused"] = str(error)
    except StoreError:
        st.session_state[f"{key}_refused"] = "damaged"
    except Exception:  # nothing stands around a callback that would make a sentence of it
        _log.exception("A file could not be loaded")
        st.session_state[f"{key}_refused"] = "damaged"


def _run(sent: Sequence[bytes], check: Check, name_of: Callable[[Experiment], str]) -> Run:
    """The run in these files. All archives together unpack to LARGEST bytes at most."""
    if len(sent) > MOST_FILES or sum(map(len, sent)) > LARGEST:
        raise _RefusedError("many")
    archives = [data for data in sent if data[:2] == b"PK"]
    states = [load_weights(data) for data in sent if data[:2] != b"PK"]
    if not archives:
        raise _RefusedError("records")
    experiments, records, left = {}, {}, LARGEST
    for data in archives:
        config, rows = _unpacked(data, check, left)
        left -= sum(record.bytes() for record in rows)
        name, number = name_of(config), 2
        while name in experiments:
            name, number = f"{name_of(config)} {number}", number + 1
        state = next((state for other, state in states if other == config), {})
        if state and not _alike(state, config.build().state_dict()):
            raise _RefusedError("other")
        experiments[name], records[name] = config, [*rows[:-1], replace(rows[-1], state=state)]
    run = Run.finished(experiments, records)
    if run.kept > MOST_BYTES:
        raise _RefusedError("many")
    return run


def _unpacked(data: bytes, check: Check, most: int) -> tuple[Experiment, list[Record]]:
    """One archive: what it is of is known before it is unpacked, and the process unpacks one at a time."""
    config = load_config(data)
    if not check(config):
        raise _RefusedError("other")
    first = _first(config)  # what the records of this configuration look like
    with _unpacking:
        config, rows = load_records(data, min(most, _largest(config, first)))
    steps = [record.step for record in rows]
    if (
        not steps
        or steps != sorted(set(steps))
        or len(steps) > config.steps + 1
        or not 0 <= steps[0] <= steps[-1] <= config.steps
    ):
        raise _RefusedError("other")
    measured = {name for name, value in first.measures.items() if not math.isnan(value)}
    if any(measured - set(record.measures) or not _alike(record.arrays, first.arrays) for record in rows):
        raise _RefusedError("other")
    return config, rows


def _largest(config: Experiment, first: Record) -> int:
    """Bytes that records of this configuration unpack to at most, if the first looks like this."""
    kept = first.bytes() + ARRAY_HEAD * len(first.arrays)
    return kept * (len(kept_steps(config.steps, config.every)) + 1) + COLUMNS


def _first(config: Experiment) -> Record:
    """Step 0. What a file asks for may be impossible in ways that its numbers do not show."""
    if config.seed not in range(MOST_SEED):
        raise _RefusedError("other")
    try:
        return next(config.records())
    except Exception as error:  # whatever torch and the experiments raise
        raise _RefusedError("other") from error


def _alike(arrays: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    """Whether there are no arrays, or the same names, shapes and types."""
    kinds = [{name: (array.shape, array.dtype) for name, array in each.items()} for each in (arrays, others)]
    return not arrays or kinds[0] == kinds[1]
