"""The models of this process: names a visitor may choose from, each loaded once. The operator adds to them."""

import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Generic, TypeVar

from attention_core.checkpoints import DamagedError
from attention_core.models import (
    EMBEDDED,
    FromScratch,
    Model,
    ModelError,
    Pretrained,
    Sizes,
    Trained,
    load,
    load_embedded,
    load_pronoun,
)
from attention_core.models.pretrained import HUB_ID, folder_of

SCRATCH = "scratch"
TAUGHT = "pronoun"  # the shipped layer that was trained here
BUILT_IN = (EMBEDDED, SCRATCH, TAUGHT)
SAME = "same"  # in the menu of a second model: the first
OWN = "own-"  # begins the name of a layer that a visitor has trained
OWN_NAME = re.compile(rf"{OWN}[0-9a-f]{{32}}")
OPERATOR_SETTING = "HEADLIGHT_MODELS"
MOST_LOADED = 8  # models of the operator that are in memory at once
MOST_LAYERS = 32  # untrained layers that are; one takes 4 · d_model² numbers, 4 MB at most
# Seconds before a model that was refused is tried again: to refuse one may take as long as to load it, and every page
# that is opened with it asks.
RETRIED = 30.0
T = TypeVar("T")


class Loaded(Generic[T]):
    """Things that take long to make, made once each; the `most` that were used last stay."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._refused: dict[Hashable, tuple[float, ModelError]] = {}  # when, and why
        self._futures: OrderedDict[Hashable, Future[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: Hashable, make: Callable[[], T]) -> T:
        """What goes by this name. What could not be made is tried again by the next who asks, a model after a while."""
        mine: Future[T] = Future()
        with self._lock:
            since, why = self._refused.get(name, (0.0, None))
            if why is not None and self._clock() < since + RETRIED:
                raise why.again()
            future = self._futures.setdefault(name, mine)
            self._futures.move_to_end(name)
            while len(self._futures) > self._most:
                self._futures.popitem(last=False)
        if future is not mine:
            return future.result()
        try:
            mine.set_result(make())
        except BaseException as error:
            with self._lock:
                if self._futures.get(name) is mine:
                    del self._futures[name]
                if isinstance(error, ModelError):
                    self._refused[name] = self._clock(), error.again()
            mine.set_exception(error)
        return mine.result()


_PRETRAINED: Loaded[Pretrained] = Loaded(MOST_LOADED)
_SCRATCH: Loaded[FromScratch] = Loaded(MOST_LAYERS)
_EMBEDDED: Loaded[Pretrained] = Loaded(1)
_TAUGHT: Loaded[Trained] = Loaded(1)


def catalogue() -> dict[str, str]:
    """Names a visitor may choose from → where they load from, empty for what comes with the product.

    The operator names hub ids or folders, separated by commas: `HEADLIGHT_MODELS="gpt2, ~/models/my-bert"`. A folder
    goes by its last part; where that names another model already it is told apart by a number.
    """
    names: dict[str, str] = dict.fromkeys(BUILT_IN, "")
    for named in filter(None, (named.strip() for named in os.environ.get(OPERATOR_SETTING, "").split(","))):
        source = _source(named)
        if source not in names.values():
            names[_free(_title(source), names)] = source
    return names


def model(name: str, sizes: Sizes) -> Model:
    """The model of that name. Raises ModelError when it cannot be loaded, KeyError when it is not in the catalogue."""
    if name == SCRATCH:
        return from_scratch(sizes)
    if name == TAUGHT:
        return taught()
    if name == EMBEDDED:
        return embedded()
    source = catalogue()[name]
    return _PRETRAINED.get((name, source), lambda: load(source, name))


def embedded() -> Pretrained:
    """The model that comes with the product; its word embeddings also feed the from-scratch layer."""
    return _EMBEDDED.get(EMBEDDED, load_embedded)


def taught() -> Trained:
    """The layer that was trained here and comes with the product. Raises ModelError where its file is damaged."""
    return _TAUGHT.get(TAUGHT, _load_taught)


def from_scratch(sizes: Sizes) -> FromScratch:
    """An untrained layer."""
    vectors = embedded() if sizes.source == "embeddings" else None
    return _SCRATCH.get(sizes, lambda: FromScratch(sizes, vectors))


def _source(named: str) -> str:
    """A folder, there or not, by its whole path, links not followed; a hub id as it stands."""
    folder = folder_of(named)
    if folder is None and HUB_ID.fullmatch(named):
        return named
    path = folder or Path(named)
    return str(path.resolve() if ".." in path.parts else path.absolute())


def _title(source: str) -> str:
    """A hub id goes by itself; a folder by its last part: its path is nobody else's business."""
    path = Path(source)
    return (path.name or "model") if path.is_absolute() else source


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number that makes it nobody else's."""
    number, free = 1, name
    while free in taken or free == SAME or OWN_NAME.fullmatch(free):
        number += 1
        free = f"{name} {number}"
    return free


def _load_taught() -> Trained:
    try:
        return load_pronoun()
    except DamagedError as error:
        raise ModelError("corrupt", TAUGHT) from error
