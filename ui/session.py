"""What a visitor asks of the room: runs of models, tables of saturation, and layers that they have trained."""

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from typing import TypeVar

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from attention_core import variance
from attention_core.lessons.questions import MAX_PROBED, PROBED
from attention_core.models import EMBEDDED, FromScratch, Model, Run, Settings, Sizes, Tokens, Trained
from attention_core.models.trained import from_bytes
from attention_core.saturation import D_K_STOPS, Probe, Table, collect, tabulate, untrained
from ui.compute import catalogue as models
from ui.compute import room
from ui.compute.catalogue import OWN, OWN_NAME, SAME, SCRATCH, TAUGHT, catalogue, embedded
from ui.compute.queue import Queue
from ui.sentences import SENTENCES

__all__ = ["OWN", "OWN_NAME", "SAME", "SCRATCH", "TAUGHT", "catalogue", "embedded"]

MOST_OWN = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One question to one model: everything a run depends on, by value, so it is the cache key too."""

    text: str
    model: str = EMBEDDED
    sizes: Sizes = field(default_factory=Sizes)
    settings: Settings = field(default_factory=Settings)


def visitor() -> Hashable:
    """Who asks: the session of this browser tab."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else context.session_id


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """A layer this visitor has trained, and what it is called."""

    title: str
    model: Trained


def own() -> dict[str, Own]:
    """The layers this visitor has opened as models, by name; only this visitor has them."""
    return st.session_state.setdefault("own_layers", {})


def adopt(title: str, weights: bytes) -> str:
    """Open a saved run as a model of this visitor; the oldest gives way. The name tells the weights, so what one such
    model computes is kept for everybody who has the same. Raises StoreError where the run cannot be a model.
    """
    name = OWN + blake2b(weights, digest_size=16).hexdigest()
    kept = own()
    kept.pop(name, None)
    kept[name] = Own(title, from_bytes(weights))
    while len(kept) > MOST_OWN:
        kept.pop(next(iter(kept)))
    return name


def model(name: str, sizes: Sizes) -> Model:
    """The model of that name. Raises ModelError when it cannot be loaded, KeyError when it is not in the catalogue."""
    return own()[name].model if name in own() else models.model(name, sizes)


def answer(question: Hashable, compute: Callable[[], T]) -> T:
    """What `compute` gives, kept for everybody who asks the same; `question` holds, by value, all it depends on."""
    return room().ask(question, compute)


def known(question: Hashable) -> bool:
    """Whether `answer` has this at once."""
    return room().peek(question) is not None


def queue() -> Queue:
    """The training runs and the long work of all visitors."""
    return room().queue


def run(study: Study) -> Run:
    """The run that answers `study`: computed once, then shared by everybody who asks the same."""
    chosen = model(study.model, study.sizes)
    return run_of(study, chosen, chosen.tokenize(study.text))


def run_of(study: Study, chosen: Model, tokens: Tokens) -> Run:
    """The same, where its model and its tokens are known."""
    return answer(study, lambda: chosen.run(tokens, study.settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a saturation table answers: a text, read by an untrained layer of this seed, under a loss."""

    text: str
    seed: int = 0
    target: int | None = None


def probe(question: Question) -> Probe:
    """The untrained layer of `question` on its text, of which the first MAX_PROBED tokens count."""
    layer = models.from_scratch(PROBED)
    return answer(("probe", question), lambda: _drawn(layer, question))


def _drawn(layer: FromScratch, question: Question) -> Probe:
    x = layer.embed(layer.tokenize(question.text))[:MAX_PROBED]
    return untrained(x, question.seed, question.target)


def tabulated(layer: Probe) -> Generator[float, None, Table]:
    """Every measure at every stop, one stop of d_k a piece."""
    sweeps = []
    for sweep in tabulate(layer):
        sweeps.append(sweep)
        yield len(sweeps) / len(D_K_STOPS)
    return collect(sweeps)


def bands(
    question: Question, count: int, own_table: Table, summary: Callable[[Sequence[Table]], np.ndarray]
) -> Generator[float, None, np.ndarray]:
    """`summary` of the tables of `count` seeds, of which the question's own is known; the others are not kept."""
    tables, layer = [own_table], models.from_scratch(PROBED)
    for number in range(1, count):
        work = tabulated(_drawn(layer, replace(question, seed=question.seed + number)))
        while True:
            try:
                yield (number - 1 + next(work)) / (count - 1)
            except StopIteration as end:
                tables.append(end.value)
                break
    return summary(tables)


def prepare_examples() -> None:
    """When nobody wants anything: the tables of the example sentences, which most readers open."""
    for sentence in SENTENCES:
        question = Question(text=sentence.text)
        room().prepare(question, partial(tabulated, probe(question)))


def draw(distribution: variance.Distribution, seed: int) -> variance.Sums:
    """The Monte Carlo draw of the page on √d_k: the same for everybody who chose this distribution and this seed."""
    return answer(("draw", distribution, seed), lambda: variance.draw(distribution, seed))


def kept(name: str, question: Hashable, answer: Callable[[], T]) -> T:
    """The answer to the newest question of that name, kept for this reader: a click does not compute it again."""
    known = st.session_state.get(f"answer_{name}")
    if known is None or known[0] != question:
        known = st.session_state[f"answer_{name}"] = (question, answer())
    return known[1]
