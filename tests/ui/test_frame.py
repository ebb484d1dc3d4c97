"""The wire format, read back with nothing but struct and json."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ui.components.frame import encode

MATRICES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=13)) | arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=13)
)


def parts(frame: bytes) -> tuple[dict, bytes]:
    magic, version, length = struct.unpack_from("<4sII", frame)
    assert (magic, version) == (b"HDLT", 1)
    assert length % 4 == 0
    return json.loads(frame[12 : 12 + length]), frame[12 + length :]


@given(matrices=st.dictionaries(st.text(min_size=1, max_size=3), MATRICES, max_size=3), words=st.text())
def test_arrays_and_words_come_back_bit_for_bit(matrices: dict[str, np.ndarray], words: str) -> None:
    header, payload = parts(encode({"words": words}, matrices))
    assert header["meta"] == {"words": words}
    assert header["bytes"] == len(payload)
    for name, array in matrices.items():
        entry = header["arrays"][name]
        assert entry["offset"] % 4 == 0
        assert entry["dtype"] == {"float32": "f4", "uint8": "u1"}[array.dtype.name]
        start = entry["offset"]
        assert payload[start : start + array.nbytes] == array.tobytes()
        assert entry["shape"] == list(array.shape)


def test_a_lone_surrogate_survives() -> None:
    header, _ = parts(encode({"token": "a\ud800"}, {}))
    assert header["meta"]["token"] == "a\ud800"


def test_a_transposed_view_is_sent_in_reading_order() -> None:
    matrix = np.arange(15, dtype=np.float32).reshape(3, 5).T
    header, payload = parts(encode({}, {"a": matrix}))
    assert header["arrays"]["a"]["shape"] == [5, 3]
    assert payload == matrix.copy(order="C").tobytes()


@pytest.mark.parametrize("dtype", ["float64", "int64", "float16"])
def test_other_dtypes_are_refused_with_a_sentence(dtype: str) -> None:
    with pytest.raises(ValueError, match="float32 or uint8"):
        encode({}, {"a": np.zeros((2, 3), dtype)})


def test_numbers_json_has_no_word_for_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({"x": float("nan")}, {})
