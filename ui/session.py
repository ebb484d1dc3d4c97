"""What is kept between runs: models, and what they computed. The only file with st.cache_*; every cache is bounded."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from attention_core.models import EMBEDDED, FromScratch, Model, Pretrained, Run, Settings, Sizes, load, load_embedded
from ui.runtime import settle

SCRATCH = "scratch"
OPERATOR_SETTING = "HEADLIGHT_MODELS"
KEPT_BYTES = 512 * 2**20


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
    return {EMBEDDED: "", SCRATCH: ""} | {(Path(s).name if Path(s).is_dir() else s): s for s in named if s}


def model(name: str, sizes: Sizes) -> Model:
    """The model of that name. Raises ModelError when it cannot be loaded, KeyError when it is not in the catalogue."""
    if name == SCRATCH:
        return _from_scratch(sizes)
    return _pretrained(name, catalogue()[name])


def run(study: Study) -> Run:
    """The run that answers `study`: computed once, then shared by everybody who asks the same."""
    return _recent().get(study, lambda: _compute(study))


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


@st.cache_resource(max_entries=64, show_spinner=False)
def _from_scratch(sizes: Sizes) -> FromScratch:
    return FromScratch(sizes, embedded() if sizes.source == "embeddings" else None)


class Recent:
    """The newest runs, up to a number of bytes. Runs are immutable, so readers share them without copies."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._runs: OrderedDict[Study, Run] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(os.cpu_count() or 1)  # more threads than cores only make everyone wait longer

    def get(self, study: Study, compute: Callable[[], Run]) -> Run:
        """The run of `study`, from memory or computed now."""
        with self._lock:
            if study in self._runs:
                self._runs.move_to_end(study)
                return self._runs[study]
        with self._turn:
            made = compute()
        with self._lock:
            self._runs[study] = made
            self._runs.move_to_end(study)
            while len(self._runs) > 1 and self.bytes() > self._limit:
                self._runs.popitem(last=False)
        return made

    def bytes(self) -> int:
        """Memory the kept runs hold, in bytes."""
        return sum(kept.bytes() for kept in self._runs.values())


@st.cache_resource(show_spinner=False)
def _recent() -> Recent:
    return Recent(KEPT_BYTES)
