"""Weights trained here: what is written is read again, and nothing else is."""

import json

import pytest
import torch
from torch.testing import assert_close

from attention_core import checkpoints
from attention_core.matching import CHECKPOINT, CHECKPOINT_SHA256


def test_tensors_and_recipe_come_back_and_the_bytes_are_the_same_every_time(tmp_path) -> None:
    tensors = {"b.weight": torch.randn(5, 7), "a": torch.arange(3)}
    sums = {checkpoints.save(tensors, {"seed": 2, "why": "学"}, tmp_path / name) for name in ("one", "two")}
    assert len(sums) == 1
    loaded, recipe = checkpoints.load(tmp_path / "one", sums.pop())
    assert recipe == {"seed": 2, "why": "学"}
    assert loaded.keys() == tensors.keys()
    for name in tensors:
        assert_close(loaded[name], tensors[name], rtol=0, atol=0)


@pytest.mark.parametrize("change", [lambda data: data, lambda data: b"", None])
def test_a_file_that_is_not_the_one_that_was_shipped_is_refused(tmp_path, change) -> None:
    file = tmp_path / "x.safetensors"
    digest = checkpoints.save({"a": torch.randn(3)}, {}, file)
    if change is None:
        file.unlink()
    else:
        file.write_bytes(change(file.read_bytes()) + b"?")
    with pytest.raises(checkpoints.DamagedError, match=r"x\.safetensors"):
        checkpoints.load(file, digest)


def test_the_shipped_file_is_small_safe_and_says_how_it_was_made() -> None:
    data = CHECKPOINT.read_bytes()
    assert len(data) < 2 * 2**20
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])  # safetensors, not pickle
    assert {"both.map.weight", "attention.map.weight"} <= header.keys()
    _, recipe = checkpoints.load(CHECKPOINT, CHECKPOINT_SHA256)
    assert recipe["seed"] == 0 and recipe["both"]["config"]["steps"] > 0
