"""What is kept between runs: models, and what they computed. The only file with st.cache_*; every cache is bounded."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, TypeVar, cast, runtime_checkable

import numpy as np
import streamlit as st

from attention_core import variance
from attention_core.checkpoints import DamagedError
from attention_core.models import (
    EMBEDDED,
    FromScratch,
    Model,
    ModelError,
    Pretrained,
    Run,
    Settings,
    Sizes,
    Trained,
    load,
    load_embedded,
    load_pronoun,
)
from attention_core.models.trained import from_bytes
from attention_core.saturation import D_K_STOPS, Probe, Table, collect, tabulate, untrained
from ui.runtime import settle
from ui.training.runs import Queue

SCRATCH = "scratch"
TAUGHT = "pronoun"  # the shipped layer that was trained here
OWN = "own-"  # begins the name of a layer this visitor has trained
MOST_OWN = 4
OPERATOR_SETTING = "HEADLIGHT_MODELS"
KEPT_BYTES = 512 * 2**20
WORKERS = 2  # cores that one table takes
PROBED = Sizes(n_head=1, d_model=64, d_k=1, d_v=1)  # only its tokens and its x are used
MAX_PROBED = 48  # tokens: so many heads of so many tokens still fit one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One question to one model: everything a run depends on, by value, so it is the cache key too."""

    text: str
    model: str = EMBEDDED
    sizes: Sizes = field(default_factory=Sizes)
    settings: Settings = field(default_factory=Settings)


def catalogue() -> dict[str, str]:
    """Names a visitor may choose from → where they load from. The operator adds models in HEADLIGHT_MODELS.

    Hub ids or folders, separated by commas: `HEADLIGHT_MODELS="gpt2, /models/my-bert"`; a folder goes by its last part.
    """
    named = (source.strip() for source in os.environ.get(OPERATOR_SETTING, "").split(","))
    return {EMBEDDED: "", SCRATCH: "", TAUGHT: ""} | {(Path(s).name if Path(s).is_dir() else s): s for s in named if s}


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
    name = OWN + blake2b(weights, digest_size=8).hexdigest()
    kept = own()
    kept.pop(name, None)
    kept[name] = Own(title, from_bytes(weights))
    while len(kept) > MOST_OWN:
        kept.pop(next(iter(kept)))
    return name


def model(name: str, sizes: Sizes) -> Model:
    """The model of that name. Raises ModelError when it cannot be loaded, KeyError when it is not in the catalogue."""
    if name == SCRATCH:
        return _from_scratch(sizes)
    if name == TAUGHT:
        return _taught()
    if name in own():
        return own()[name].model
    return _pretrained(name, catalogue()[name])


def run(study: Study) -> Run:
    """The run that answers `study`: computed once, then shared by everybody who asks the same."""
    return answer(study, lambda: _compute(study))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a saturation table answers: a text, read by an untrained layer of this seed, under a loss."""

    text: str
    seed: int = 0
    target: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """An untrained layer that knows its size."""

    probe: Probe

    def bytes(self) -> int:
        """Memory it holds, in bytes."""
        return sum(part.nbytes for part in (self.probe.q, self.probe.k, self.probe.v, self.probe.W_O, self.probe.x))


def probe(question: Question) -> Probe:
    """The untrained layer of `question` on its text, of which the first MAX_PROBED tokens count."""

    def compute() -> Drawn:
        layer = FromScratch(PROBED, embedded())
        x = layer.embed(layer.tokenize(question.text))[:MAX_PROBED]
        return Drawn(untrained(x, question.seed, question.target))

    return answer(("probe", question), compute).probe


def table(question: Question, progress: Callable[[float], None] = lambda share: None) -> Table:
    """Every measure at every stop. `progress` is told the share that is done, and may raise to stop it."""

    return answer(question, lambda: tabulated(question, progress))


def tabulated(question: Question, progress: Callable[[float], None]) -> Table:
    """The same, computed now and not kept."""
    sweeps = []
    for done, each in enumerate(tabulate(probe(question), WORKERS), start=1):
        sweeps.append(each)
        progress(done / len(D_K_STOPS))
    return collect(sweeps)


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """What the tables of several seeds say together; the tables are a hundred times as large and are not kept."""

    numbers: np.ndarray

    def bytes(self) -> int:
        """Memory it holds, in bytes."""
        return self.numbers.nbytes


def bands(
    question: Question,
    seeds: int,
    summary: Callable[[Sequence[Table]], np.ndarray],
    progress: Callable[[int, float], None],
) -> Bands:
    """`summary` of the tables of `seeds` seeds, the question's own first. `progress`: how many are done, and the share
    of the next.
    """

    def compute() -> Bands:
        tables = [table(question)]
        for done in range(1, seeds):
            other = replace(question, seed=question.seed + done)
            tables.append(tabulated(other, lambda share, done=done: progress(done, share)))
        return Bands(summary(tables))

    return answer(("bands", question, seeds), compute)


def known_bands(question: Question, seeds: int) -> Bands | None:
    """What `bands` would answer at once."""
    return cast(Bands | None, _recent().peek(("bands", question, seeds)))


def known(question: Hashable) -> bool:
    """Whether `answer` has this at once."""
    return _recent().peek(question) is not None


def draw(distribution: variance.Distribution, seed: int) -> variance.Sums:
    """The Monte Carlo draw of the page on √d_k: the same for everybody who chose this distribution and this seed."""
    return answer(("draw", distribution, seed), lambda: variance.draw(distribution, seed))


def embedded() -> Pretrained:
    """The model that comes with the product; its word embeddings also feed the from-scratch layer."""
    return _pretrained(EMBEDDED, "")


def _compute(study: Study) -> Run:
    chosen = model(study.model, study.sizes)
    return chosen.run(chosen.tokenize(study.text), study.settings)


@st.cache_resource(max_entries=8, show_spinner=False)
def _pretrained(name: str, source: str) -> Pretrained:
    loaded = load(source, name) if source else load_embedded()
    loaded.run(loaded.tokenize("warm"))  # the first pass allocates; do it before anyone waits for it
    settle()
    return loaded


@st.cache_resource(show_spinner=False)
def _taught() -> Trained:
    try:
        return load_pronoun()
    except DamagedError as error:
        raise ModelError("corrupt", TAUGHT) from error


@st.cache_resource(max_entries=8, show_spinner=False)
def _from_scratch(sizes: Sizes) -> FromScratch:
    return FromScratch(sizes, embedded() if sizes.source == "embeddings" else None)


@runtime_checkable
class Kept(Protocol):
    """Something immutable that knows its size."""

    def bytes(self) -> int:
        """Memory it holds, in bytes."""
        ...


K = TypeVar("K", bound=Kept)


class Recent:
    """The newest results, up to a number of bytes. They are immutable, so readers share them without copies."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._results: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._asked: dict[Hashable, threading.Lock] = {}  # what is being computed now: others who ask the same wait
        self._turn = threading.Semaphore(os.cpu_count() or 1)  # more threads than cores only make everyone wait longer

    def get(self, question: Hashable, compute: Callable[[], K]) -> K:
        """The answer to `question`, from memory or computed now."""
        found = self.peek(question)
        if found is not None:
            return cast(K, found)
        with self._lock:
            asked = self._asked.setdefault(question, threading.Lock())
        with asked:
            found = self.peek(question)  # somebody else may have had the answer computed meanwhile
            if found is not None:
                return cast(K, found)
            try:
                with self._turn:
                    made = compute()
            finally:
                with self._lock:
                    self._asked.pop(question, None)
            with self._lock:
                self._results[question] = made
                while len(self._results) > 1 and self.bytes() > self._limit:
                    self._results.popitem(last=False)
        return made

    def peek(self, question: Hashable) -> Kept | None:
        """The answer to `question` if it is in memory."""
        with self._lock:
            if question in self._results:
                self._results.move_to_end(question)
            return self._results.get(question)

    def bytes(self) -> int:
        """Memory the kept results hold, in bytes."""
        return sum(kept.bytes() for kept in self._results.values())


@st.cache_resource(show_spinner=False)
def queue() -> Queue:
    """The training runs of all visitors."""
    return Queue()


@st.cache_resource(show_spinner=False)
def _recent() -> Recent:
    return Recent(KEPT_BYTES)


def answer(question: Hashable, compute: Callable[[], K]) -> K:
    """What `compute` finds, kept for everybody who asks the same; `question` holds, by value, all it depends on."""
    return _recent().get(question, compute)
