"""What trains while the reader looks on: the skeleton of a page about training, and of a panel inside another page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

import streamlit as st

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.store import fingerprint
from ui.compute.runs import MOST_BYTES, E, Run, V
from ui.controls import whole_number
from ui.layout import Arrays, take_away, trust_line
from ui.session import answer, kept
from ui.text import Words, words
from ui.training.controls import buttons, go, watch
from ui.training.files import Kind, N, files, refusal
from ui.training.progress import MEGABYTE, progress, recorded, stale, style


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(Generic[N, E]):
    """What a page trains.

    `key`: that of its run, with which the keys of its widgets begin; `wanted`: what the button trains; `empty`: what is
    said where nothing was trained; `recording`: what is shown until the reader trains; `clock`: how the page tells how
    far a run is, if in its own way.
    """

    key: str
    kind: Kind[N, E]
    wanted: Mapping[N, E]
    empty: str
    recording: Run[N, E] | None = None
    in_turns: bool = True
    clock: Callable[[Run[N, E]], None] | None = None


def train(
    training: Training[N, E], laboratory: Callable[[Run[N, E]], None], below: Callable[[Run[N, E]], None]
) -> None:
    """Buttons, files and progress; the pictures of `laboratory`, without a run or a recording of step 0; and once there
    are records what stands `below`.
    """

    def panel(run: Run[N, E] | None) -> None:
        bar(training, run)
        if run is None or not run.begun:
            laboratory(untouched(training.wanted))
            return
        laboratory(run)
        below(run)

    watch(training.key, panel, training.recording)


def bar(training: Training[N, E], run: Run[N, E] | None) -> None:
    """The row every page begins its training with: buttons, files, and how far it is."""

    clock = training.clock or partial(progress, label=training.kind.label)
    say = partial(_standing, run, partial(st.markdown, training.empty), clock)
    _row(training.key, run, training.wanted, say, training.kind, in_turns=training.in_turns)
    refusal(training.key)


def live(
    key: str,
    page: Words,
    make: Callable[[int], Mapping[V, E]],
    label: Callable[[V], str],
    draw: Callable[[Run[V, E], Words], None],
    recording: Run[V, E] | None,
) -> None:
    """A panel inside a page: the experiments of `make(seed)`; of the recording, later of the reader's own run,
    `draw(run, page)`.

    `label` names an experiment. The page says under `{key}.idle` what to expect where there is neither.
    """
    style()
    with st.container(key=f"{key}_settings"):
        wanted = make(whole_number(f"{key}_seed", 0, 9999, 0, words("training")["seed"], 120))

    def panel(run: Run[V, E] | None) -> None:
        idle = partial(st.caption, page[f"{key}.idle"])
        _row(key, run, wanted, partial(_standing, run, idle, partial(progress, label=label)))
        if run is not None and run.begun:
            draw(run, page)

    watch(key, panel, recording)


def _standing(run: Run[V, E] | None, idle: Callable[[], Any], clock: Callable[[Run[V, E]], None]) -> None:
    """How far the run is: what `idle` says where there is none, a recording, or what the `clock` tells."""
    if run is None:
        idle()
    elif run.origin is not None:
        recorded(run)
    else:
        clock(run)


def _row(
    key: str,
    run: Run[V, E] | None,
    wanted: Mapping[V, E],
    say: Callable[[], None],
    kind: Kind[Any, Any] | None = None,
    *,
    in_turns: bool = True,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_buttons"):
        buttons(key, wanted, in_turns=in_turns, start="train_yourself" if run is not None and run.origin else "start")
        if kind is not None:
            files(key, kind)
        with st.container(key=f"{key}_progress", width="stretch"):
            say()
            stale(run, wanted, asked=bool(go(key).value()))


# --- before a run, and after it ---


def untouched(wanted: Mapping[V, E]) -> Run[V, E]:
    """Before the first run: one that has recorded step 0, whose numbers are known without training, and no more."""
    return Run.finished(wanted, {variant: [_first(config)] for variant, config in wanted.items()})


def _first(config: Experiment) -> Record:
    """The record of step 0, kept for everybody."""
    return answer(("step 0", config), lambda: next(config.records()))


def fingerprints(key: str, run: Run[V, E]) -> dict[V, str]:
    """The fingerprint of the records of every variant of a run that has ended; `key`: that of the page.

    A recording keeps a part of its arrays, and has the fingerprints of all of them.
    """
    if run.origin is not None:
        return dict(run.origin.fingerprints)
    return kept(f"{key}_hashes", run, lambda: {name: fingerprint(run.records(name)) for name in run.experiments})


def evidence(training: Training[N, E], run: Run[N, E], page: Words, trained: Sequence[str] = ()) -> None:
    """Small print: what was `trained`, the fingerprints once it has ended, how much a run keeps."""
    sentences = [*trained]
    if run.state == "ended":
        digests = fingerprints(training.key, run)
        own = " · ".join(f"{training.kind.label(variant)} `{digest}`" for variant, digest in digests.items())
        sentences.append(f"{page['identical']} {own}")
    if run.origin is None:
        sentences.append(bounded(page))
    st.caption(" ".join(sentences))


def bounded(page: Words) -> str:
    """How much memory a run keeps at most."""
    return page.format("bounded", most=MOST_BYTES // MEGABYTE)


def take_home(run: Run[Any, Any], name: str, arrays: Arrays, script: str, first: str | None = None) -> None:
    """The trust line, which may begin with a sentence of the page's own, and the menu of what can be taken away."""
    with st.container(horizontal=True, vertical_alignment="center"):
        seed = next(iter(run.experiments.values())).seed
        trust_line(first=first, seed=seed, dtype="float32", device="cpu")
        take_away(name, arrays=arrays, snippet=script)
