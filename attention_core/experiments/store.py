"""A finished run as bytes and back: its records as NPZ, its weights as safetensors, the configuration as JSON in both.

Nothing is pickled. What is damaged, truncated, too large or not ours raises `StoreError` with one sentence.
"""

import contextlib
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attention_core.experiments.base import Experiment, Record
from attention_core.experiments.table import EXPERIMENTS

FORMAT = 1
LARGEST = 2**27  # bytes a file may unpack to
LONGEST = 2**18  # characters of a configuration
MOST_ENTRIES = 2**13  # arrays; the longest run of a page writes about 1,700
MOST_NUMBERS = 2**18  # steps, losses, accuracies and measures; the longest run of a page has about 50,000


class StoreError(ValueError):
    """A file that is not a saved run, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"This file cannot be read as a saved run: {why}.")


def save_records(config: Experiment, records: Sequence[Record]) -> bytes:
    """NPZ: `config` (JSON), `step`, `loss`, `accuracy`, `measure/NAME` (NaN where absent), `array/STEP/NAME`."""
    names = sorted({name for record in records for name in record.measures})
    columns: dict[str, np.ndarray] = {
        "config": np.frombuffer(_describe(config).encode(), dtype=np.uint8),
        "step": np.array([record.step for record in records], dtype=np.int64),
        "loss": np.array([record.loss for record in records]),
        "accuracy": np.array([record.accuracy for record in records]),
    }
    columns |= {f"measure/{name}": np.array([r.measures.get(name, math.nan) for r in records]) for name in names}
    for record in records:
        columns |= {f"array/{record.step}/{name}": array.numpy() for name, array in record.arrays.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **columns)
    return stream.getvalue()


def load_config(data: bytes) -> Experiment:
    """The configuration of saved records, without unpacking them. Raises StoreError."""
    with _explained(), _opened(data) as archive:
        return _config(archive)


def load_records(data: bytes, most: int = LARGEST) -> tuple[Experiment, list[Record]]:
    """The configuration and the records (without the state, which is a file of its own). Raises StoreError.

    `most`: bytes the archive may unpack to; what it declares decides, and no more than that is ever unpacked.
    """
    with _explained(), _opened(data) as archive:
        listed = archive.infolist()
        if sum(entry.file_size for entry in listed) > most:
            raise StoreError(f"it would unpack to more than {most >> 20} MiB")
        config = _config(archive)
        columns = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in listed}
        del columns["config"]
        if sum(column.size for name, column in columns.items() if not name.startswith("array/")) > MOST_NUMBERS:
            raise StoreError(f"it holds more than {MOST_NUMBERS} measured numbers")
        return config, _records(columns)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Whatever zip, NumPy, safetensors and JSON raise on bytes that anyone may send becomes one sentence."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreError("it is damaged or incomplete, or no run of Headlight") from error


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[zipfile.ZipFile]:
    """The archive. Its list is as long as the file says, so it is counted before it is read; each name stands once.

    Only what deflate or nothing has packed: the other methods unpack a whole block at a time, however large.
    """
    if data.count(b"PK\1\2") > MOST_ENTRIES:
        raise StoreError(f"it holds more than {MOST_ENTRIES} arrays")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        methods = {entry.compress_type for entry in listed}
        if len(listed) > len(archive.NameToInfo) or not methods <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise StoreError("its list of arrays was not written by Headlight")
        yield archive


def _config(archive: zipfile.ZipFile) -> Experiment:
    entry = archive.getinfo("config.npy")
    if entry.file_size > 5 * LONGEST:  # bytes: four a character, and room for the head
        raise StoreError("its configuration is too long")
    return _restore(_array(archive, entry).tobytes().decode())


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """Its numbers, as many as there are: NumPy's own reader makes room for as many as the array claims to have."""
    with archive.open(entry) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise StoreError("an array is of another version of NumPy's format")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
        return np.frombuffer(stream.read(), dtype).copy().reshape(shape, order="F" if by_columns else "C")


def _records(columns: dict[str, np.ndarray]) -> list[Record]:
    steps, losses, accuracies = (_numbers(columns.pop(name)) for name in ("step", "loss", "accuracy"))
    measures: list[dict[str, float]] = [{} for _ in steps]
    arrays: dict[int, dict[str, Tensor]] = {int(step): {} for step in steps}
    for name, column in columns.items():
        kind, _, rest = name.partition("/")
        if kind == "measure":
            for at, value in enumerate(_numbers(column)[: len(steps)]):
                measures[at] |= {} if math.isnan(value) else {rest: value}
        elif kind == "array":
            step, _, rest = rest.partition("/")
            arrays[int(step)][rest] = torch.from_numpy(column)
    return [
        Record(step=int(step), loss=loss, accuracy=right, measures=numbers, arrays=arrays[int(step)])
        for step, loss, right, numbers in zip(steps, losses, accuracies, measures, strict=True)
    ]


def fingerprint(records: Sequence[Record]) -> str:
    """BLAKE2 of every number of the records but the final weights: equal on one machine for one configuration.

    A saved run that is loaded has the same.
    """
    digest = blake2b(digest_size=8)
    for record in records:
        measures = {name: value for name, value in record.measures.items() if not math.isnan(value)}
        numbers = (record.step, record.loss, record.accuracy, *(measures[name] for name in sorted(measures)))
        digest.update(np.array(numbers, dtype=np.float64).tobytes())
        for name in sorted(record.arrays):
            digest.update(np.ascontiguousarray(record.arrays[name].numpy()).tobytes())
    return digest.hexdigest()


def save_weights(config: Experiment, state: Mapping[str, Tensor]) -> bytes:
    """Safetensors; the metadata holds the configuration."""
    from safetensors.torch import save

    return save({name: value.contiguous() for name, value in state.items()}, metadata={"experiment": _describe(config)})


def load_weights(data: bytes) -> tuple[Experiment, dict[str, Tensor]]:
    """The configuration and the weights, which fit its model. Raises StoreError."""
    from safetensors.torch import load

    with _explained():
        length = int.from_bytes(data[:8], "little")
        if length > 2 * LONGEST:
            raise StoreError("its header is too long")
        header = json.loads(data[8 : 8 + length])
        config, state = _restore(header["__metadata__"]["experiment"]), load(data)
        # The shapes of a file decide how much is built, not the numbers in its configuration.
        if sum(value.nbytes for value in state.values()) > LARGEST:
            raise StoreError(f"its weights take more than {LARGEST >> 20} MiB")
    if not all(bool(value.isfinite().all()) for value in state.values() if value.is_floating_point()):
        raise StoreError("some of its weights are not finite numbers")
    return config, state


def _describe(config: Experiment) -> str:
    name = next(name for name, kind in EXPERIMENTS.items() if type(config) is kind)
    return json.dumps({"format": FORMAT, "experiment": name, "config": asdict(config)})  # type: ignore[call-overload]


def _restore(text: str) -> Experiment:
    """The configuration; every value has to have the type of the default."""
    if len(text) > LONGEST:
        raise StoreError("its configuration is too long")
    described: dict[str, Any] = json.loads(text)
    if described["format"] != FORMAT:
        raise StoreError(f"its format is {described['format']!r}, and this version reads {FORMAT}")
    if described["experiment"] not in EXPERIMENTS:
        raise StoreError(f"there is no experiment {described['experiment']!r}")
    kind = EXPERIMENTS[described["experiment"]]
    defaults = {one.name: one.default for one in fields(kind)}
    return kind(
        **{name: _fit(name, value, defaults.get(name, StoreError)) for name, value in described["config"].items()}
    )


def _fit(name: str, value: Any, default: Any) -> Any:  # noqa: ANN401 whatever JSON holds
    """The value as the type of the default; a default of None stands for an optional float."""
    if isinstance(default, float) or default is None:
        if default is None and value is None:
            return None
        if type(value) in (int, float):
            return float(value)
    elif default == () and isinstance(value, list):  # any number of floats
        return tuple(_fit(name, one, 0.0) for one in value)
    elif isinstance(default, tuple) and isinstance(value, list):
        return tuple(_fit(name, one, other) for one, other in zip(value, default, strict=True))
    elif type(value) is type(default):
        return value
    raise StoreError(f"{name} cannot be {value!r}")


def _numbers(column: np.ndarray) -> list[float]:
    if column.ndim != 1 or column.dtype.kind not in "if":
        raise StoreError("a column does not hold numbers")
    return [float(value) for value in column]
