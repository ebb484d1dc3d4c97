"""A saved run comes back bit for bit, and what is not one is refused with a sentence."""

import contextlib
import io
import json
import struct
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load as safetensors_load
from safetensors.torch import save as safetensors_save
from torch.testing import assert_close

from attention_core.experiments import store
from attention_core.experiments.hard import Hard
from attention_core.experiments.induction import Induction
from attention_core.experiments.sort import Sort
from attention_core.experiments.store import StoreError, load_records, load_weights, save_records, save_weights
from tests.core.experiments.test_base import same

SMALL = Sort(steps=4, every=3, batch=7, symbols=5, length=5, d_model=11, d_k=3, evaluated=13, softcap=30.0)


@pytest.fixture(scope="module")
def records():
    return list(SMALL.records())


def test_records_come_back_bit_for_bit(records) -> None:
    config, loaded = load_records(save_records(SMALL, records))
    assert config == SMALL
    for a, b in zip(records, loaded, strict=True):
        same(replace(a, state={}), b)


def test_weights_come_back_and_are_plain_safetensors(records) -> None:
    data = save_weights(SMALL, records[-1].state)
    config, state = load_weights(data)
    assert config == SMALL
    assert_close(state, dict(records[-1].state), rtol=0, atol=0)
    assert_close(safetensors_load(data), state, rtol=0, atol=0)
    config.build().load_state_dict(state)


@pytest.mark.parametrize(
    "config", [Induction(periods=(3, 5), stop_at=1.0), Hard(mode="hard"), Sort(softcap=None, lr=1.0)]
)
def test_every_configuration_comes_back(config) -> None:
    assert load_records(save_records(config, []))[0] == config
    assert load_weights(save_weights(config, {"W": torch.ones(3)}))[0] == config


def test_whatever_is_cut_off_is_refused(records) -> None:
    for data, load in (
        (save_records(SMALL, records), load_records),
        (save_weights(SMALL, records[-1].state), load_weights),
    ):
        for length in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
            with pytest.raises(StoreError, match="cannot be read as a saved run: it is damaged"):
                load(data[:length])


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\xff" * 4096, b"{}", struct.pack("<Q", 2**62) + b"{}"])
def test_bytes_that_are_no_run_are_refused(data) -> None:
    for load in (load_records, load_weights):
        with pytest.raises(StoreError):
            load(data)


def test_nothing_is_unpickled() -> None:
    stream = io.BytesIO()
    np.savez(stream, config=np.array([print], dtype=object))
    with pytest.raises(StoreError):
        load_records(stream.getvalue())


def test_what_unpacks_to_too_much_is_refused(records, monkeypatch) -> None:
    with pytest.raises(StoreError, match="more than"):
        load_records(save_records(SMALL, records), most=1000)
    monkeypatch.setattr(store, "LARGEST", 1000)
    with pytest.raises(StoreError, match="more than"):
        load_weights(save_weights(SMALL, records[-1].state))


def written(method: int = zipfile.ZIP_DEFLATED, **columns: bytes) -> bytes:
    """An archive with the configuration, and these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in {
            "config": npy(np.frombuffer(store._describe(SMALL).encode(), np.uint8)),
            **columns,
        }.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def claims(count: int) -> bytes:
    """The head of an array of so many numbers, and none."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (count,)})
    return stream.getvalue()


def lying(data: bytes, unpacked: int, claimed: int) -> bytes:
    """The sizes of the one member that unpacks to `unpacked` bytes are written as `claimed`, in both of its places."""
    assert data.count(struct.pack("<I", unpacked)) == 2
    return data.replace(struct.pack("<I", unpacked), struct.pack("<I", claimed))


def listing(count: int) -> bytes:
    """A zip file that is nothing but its own list, of so many empty members."""
    entries = (b"PK\1\2" + bytes(42)) * count
    return entries + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(entries), 0, 0)


ZEROS = npy(np.zeros(2**23))  # 64 MiB
COLUMNS = {name: npy(np.zeros(2**21, np.int8)) for name in ("step", "loss", "accuracy")}
BOMBS = {
    "it says how much it unpacks to": lambda: written(loss=ZEROS),
    "it says that it unpacks to little": lambda: lying(written(loss=ZEROS), len(ZEROS), 1000),
    "a method that unpacks block by block": lambda: lying(written(zipfile.ZIP_BZIP2, loss=ZEROS), len(ZEROS), 1000),
    "an array that claims to be long": lambda: written(loss=claims(10**9)),
    "many members": lambda: listing(10**5),
    "columns that become a million Python numbers": lambda: written(**COLUMNS),
    "a long configuration": lambda: written(config=npy(np.full(2**25, ord("1"), np.uint8))),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_an_archive_that_unpacks_to_far_more_than_it_is_costs_little_memory_and_is_refused(kind: str) -> None:
    most = 2**24
    data = BOMBS[kind]()
    tracemalloc.start()
    try:
        for load in (store.load_config, lambda data: load_records(data, most)):
            with contextlib.suppress(StoreError):
                load(data)
        assert tracemalloc.get_traced_memory()[1] < 2 * most
    finally:
        tracemalloc.stop()
    with pytest.raises(StoreError):
        load_records(data, most)


def test_a_name_that_stands_twice_is_refused(records) -> None:
    """Each of a thousand small members would be read as the last one, which is large."""
    stream = io.BytesIO(save_records(SMALL, records))
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("loss.npy", npy(np.zeros(len(records))))
    with pytest.raises(StoreError):
        load_records(stream.getvalue())


def test_the_configuration_is_read_alone(records) -> None:
    assert store.load_config(save_records(SMALL, records)) == SMALL
    assert store.load_config(written(loss=ZEROS)) == SMALL
    with pytest.raises(StoreError):
        store.load_config(b"PK")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 2}, "format is 2"),
        ({"experiment": "os"}, "no experiment 'os'"),
        ({"config": {"d_k": "64"}}, "d_k cannot be '64'"),
        ({"config": {"periods": [3, "x"]}, "experiment": "induction"}, "periods cannot be 'x'"),
        ({"config": {"d_k": True}}, "d_k cannot be True"),
        ({"config": {"password": 1}}, "password cannot be 1"),
        ({"config": {"lr": None}}, "lr cannot be None"),
        ({"experiment": "series", "config": {"values": [0] * (store.LONGEST // 2)}}, "too long"),
    ],
)
def test_a_configuration_that_is_none_is_refused(change, why) -> None:
    described = {"format": 1, "experiment": "sort", "config": {}} | change
    data = safetensors_save({"W": torch.ones(3)}, metadata={"experiment": json.dumps(described)})
    with pytest.raises(StoreError, match=why):
        load_weights(data)


def test_a_whole_number_stands_for_a_real_one() -> None:
    described = {"format": 1, "experiment": "sort", "config": {"lr": 1, "softcap": 30}}
    config, _ = load_weights(safetensors_save({"W": torch.ones(3)}, metadata={"experiment": json.dumps(described)}))
    assert config == Sort(lr=1.0, softcap=30.0)
    assert isinstance(config.lr, float)


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(StoreError, match="not finite"):
        load_weights(save_weights(SMALL, {"W": torch.tensor([1.0, torch.nan])}))
