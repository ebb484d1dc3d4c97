"""How much memory a value keeps alive, measured and not guessed."""

import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from functools import partial

import numpy as np
from torch import Tensor, nn

from attention_core.models import Projections
from attention_core.models.base import Recomputed

SHARED = (Projections, nn.Module)  # what belongs to a model is alive anyway


def size(value: object) -> int:
    """Bytes that are freed when nobody holds `value` any more; what it holds twice counts once.

    Weights of a model do not count. Of a view of an array the whole array does.
    """
    return sum(_sizes(value, set()))


def _sizes(value: object, seen: set[int]) -> Iterator[int]:
    if isinstance(value, SHARED):
        return
    if isinstance(value, Tensor):
        storage = value.untyped_storage()
        yield from _once(storage.data_ptr(), storage.nbytes(), seen)
        return
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        yield from _once(value.ctypes.data, value.nbytes, seen)
        return
    yield from _once(id(value), sys.getsizeof(value), seen)
    for part in _parts(value):
        if id(part) not in seen:
            yield from _sizes(part, seen)


def _once(key: int, count: int, seen: set[int]) -> Iterator[int]:
    if key not in seen:
        seen.add(key)
        yield count


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, Recomputed):
        yield from value.parts
    elif isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | range):
        yield from value
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from (getattr(value, field.name) for field in fields(value))
