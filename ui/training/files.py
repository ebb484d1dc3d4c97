"""Files to keep a run in: records (NPZ) and weights (safetensors) of every variant, and a place to load them from."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Generic, TypeGuard, TypeVar

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
from ui.compute.runs import MOST_BYTES, E, Run, Variant
from ui.controls import show
from ui.navigation import PAGES, entry_of
from ui.session import adopt, queue, visitor
from ui.text import words
from ui.training.controls import current
from ui.uploads import chosen, renew, uploader

UPLOAD = 64  # MiB
MOST_FILES = 8
ARRAY_HEAD = 256  # bytes, at most, that NumPy writes before an array
COLUMNS = 4 * 2**20  # what an archive holds beside arrays: numbers of every step, the configuration
MOST_SEED = 2**31
N = TypeVar("N", bound=Variant)
Weights = tuple[Experiment, dict[str, Tensor]]

_log = logging.getLogger("headlight")
_unpacking = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[N, E]):
    """The experiments a page trains and shows, also from a file: which these are, and what one is called."""

    known: Callable[[Experiment], TypeGuard[E]]
    variant: Callable[[E], N]
    label: Callable[[N], str]


class RefusedError(Exception):
    """A file that this page cannot show; the text is the key of its sentence."""


def files(key: str, kind: Kind[N, E]) -> None:
    """A menu with the files of every variant, and a place to load them from."""
    common, run = words("training"), current(key)
    with st.popover(common["files"], icon=":material/save:", key=f"{key}_files"):
        st.markdown(f"**{common['save']}**")
        if run is None or not run.begun:
            st.caption(common["nothing"])
        else:
            st.caption(f"{common['save_help']} {common['open_help']}")
            for variant, config in run.experiments.items():
                _saves(key, f"{key}_{variant}", config, run.records(variant), kind.label(variant))
        st.markdown(f"**{common['load']}**")
        uploader(
            f"{key}_upload",
            common["load_label"],
            st.container(),
            most=UPLOAD,
            types=["npz", "safetensors"],
            several=True,
            on_change=partial(_load, key, kind),
            help=common["load_help"],
        )


def refusal(key: str) -> None:
    """Why the last file was not loaded, in one sentence."""
    refused = st.session_state.get(f"{key}_refused")
    if refused:
        st.warning(words("training")[f"refused.{refused}"], icon=":material/warning:")


def loaded(sent: Sequence[bytes], kind: Kind[N, E]) -> Run[N, E]:
    """The run in these files. Archives unpack to LARGEST bytes at most, together. Raises RefusedError, StoreError."""
    return _joined(*_parted(sent), kind)


def _parted(sent: Sequence[bytes]) -> tuple[list[bytes], list[Weights]]:
    """Archives of records, and weights with the configuration they were trained in."""
    if len(sent) > MOST_FILES or sum(map(len, sent)) > LARGEST:
        raise RefusedError("many")
    archives = [data for data in sent if data[:2] == b"PK"]
    states = [load_weights(data) for data in sent if data[:2] != b"PK"]
    if not archives:
        raise RefusedError("records")
    return archives, states


def _strays(states: Sequence[Weights], run: Run[N, E]) -> bool:
    """Whether some of the weights belong to none of the records."""
    return not all(any(config == own for own in run.experiments.values()) for config, _ in states)


def _joined(archives: Sequence[bytes], states: Sequence[Weights], kind: Kind[N, E]) -> Run[N, E]:
    """Every archive with the weights that belong to it."""
    experiments: dict[N, E] = {}
    records: dict[N, list[Record]] = {}
    left = LARGEST
    for data in archives:
        config, rows = _unpacked(data, kind, left)
        left -= sum(record.bytes() for record in rows)
        state = next((state for other, state in states if other == config), {})
        if state and not _alike(state, config.build().state_dict()):
            raise RefusedError("other")
        variant = kind.variant(config)
        while variant in experiments:
            variant = replace(variant, number=variant.number + 1)
        experiments[variant], records[variant] = config, [*rows[:-1], replace(rows[-1], state=state)]
    run = Run.finished(experiments, records)
    if run.kept > MOST_BYTES:
        raise RefusedError("many")
    return run


def _saves(key: str, file: str, config: Experiment, records: Sequence[Record], label: str) -> None:
    """The downloads of one variant, and the button that opens its last weights as a model."""
    if not records:
        return
    common = words("training")

    def saved() -> bytes:
        return save_weights(config, records[-1].state)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(label, width=90)
        _download(common["records"], lambda: save_records(config, records), f"{file}.npz", f"{file}_npz")
        if records[-1].state:
            _download(common["weights"], saved, f"{file}.safetensors", f"{file}_safetensors")
            if opens(config) and st.button(common["open"], icon=":material/visibility:", key=f"{file}_open"):
                show(adopt(_title(label), saved()))
                st.switch_page(entry_of("pipeline").path)


def _download(label: str, data: Callable[[], bytes], name: str, key: str) -> None:
    st.download_button(label, data, file_name=name, on_click="ignore", key=key)


def _title(variant: str) -> str:
    """What the menus of models call a layer that was trained on this page."""
    page = next(entry.name for entry in PAGES if entry.url_path == st.session_state["page"])
    return words("training").data("opened", page=words("common")[f"page.{page}.title"], variant=variant)


def _load(key: str, kind: Kind[N, E]) -> None:
    """Before the page runs: what was uploaded takes the place of the run, or leaves it as it is and says why."""
    sent = chosen(f"{key}_upload")
    if not sent:
        return
    renew(f"{key}_upload")  # an empty place for the next file, and no copy of this one
    try:
        archives, states = _parted([file.getvalue() for file in sent])
        run = _joined(archives, states, kind)
        queue().keep(run, visitor())
        if not queue().grants(run):
            raise RefusedError("crowded")
        st.session_state[f"{key}_run"] = run
        st.session_state[f"{key}_refused"] = "stray" if _strays(states, run) else ""
    except RefusedError as error:
        st.session_state[f"{key}_refused"] = str(error)
    except StoreError:
        st.session_state[f"{key}_refused"] = "damaged"
    except Exception:  # nothing stands around a callback that would make a sentence of it
        _log.exception("A file could not be loaded")
        st.session_state[f"{key}_refused"] = "damaged"


def _unpacked(data: bytes, kind: Kind[N, E], most: int) -> tuple[E, list[Record]]:
    """One archive: what it is of is known before it is unpacked, and the process unpacks one at a time."""
    config = load_config(data)
    if not kind.known(config):
        raise RefusedError("other")
    first = _first(config)  # what the records of this configuration look like
    with _unpacking:
        _, rows = load_records(data, min(most, _largest(config, first)))
    steps = [record.step for record in rows]
    if (
        not steps
        or steps != sorted(set(steps))
        or len(steps) > config.steps + 1
        or not 0 <= steps[0] <= steps[-1] <= config.steps
    ):
        raise RefusedError("other")
    measured = {name for name, value in first.measures.items() if not math.isnan(value)}
    if any(measured - set(record.measures) or not _alike(record.arrays, first.arrays) for record in rows):
        raise RefusedError("other")
    return config, rows


def _largest(config: Experiment, first: Record) -> int:
    """Bytes that records of this configuration unpack to at most, if the first looks like this."""
    kept = first.bytes() + ARRAY_HEAD * len(first.arrays)
    return kept * (len(kept_steps(config.steps, config.every)) + 1) + COLUMNS


def _first(config: Experiment) -> Record:
    """Step 0. What a file asks for may be impossible in ways that its numbers do not show."""
    if config.seed not in range(MOST_SEED):
        raise RefusedError("other")
    try:
        return next(config.records())
    except Exception as error:  # whatever torch and the experiments raise
        raise RefusedError("other") from error


def _alike(arrays: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    """Whether there are no arrays, or the same names, shapes and types."""
    one, other = ({name: (array.shape, array.dtype) for name, array in group.items()} for group in (arrays, others))
    return not arrays or one == other
