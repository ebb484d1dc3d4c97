"""What is computed of a run once, when it has ended: the fingerprints of its records."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from attention_core.experiments.store import fingerprint
from ui.compute.runs import Run

T = TypeVar("T")


def fingerprints(key: str, run: Run) -> dict[str, str]:
    """The fingerprint of the records of every variant of a run that has ended; `key`: that of the page."""
    return once(f"{key}_hashes", run, lambda: {name: fingerprint(run.records(name)) for name in run.experiments})


def once(key: str, run: Run, compute: Callable[[], T]) -> T:
    """What `compute` makes of this run, kept in the session under the key until it is asked of another run."""
    kept = st.session_state.get(key)
    if kept is None or kept[0] is not run:
        kept = run, compute()
        st.session_state[key] = kept
    return kept[1]
