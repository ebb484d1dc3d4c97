"""Arrays to bytes for the browser: magic, version, a JSON header, then the arrays as they are. See ARCHITECTURE.md."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"HDLT"
VERSION = 1
DTYPES = {"f4": np.dtype("<f4"), "u1": np.dtype("u1")}


def encode(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """One frame: `meta` is anything JSON can hold (no NaN), each array float32 or uint8.

    Raises ValueError for another dtype or a number JSON has no word for.
    """
    header: dict[str, Any] = {"meta": meta, "arrays": {}}
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        code = next((code for code, dtype in DTYPES.items() if array.dtype == dtype), None)
        if code is None:
            raise ValueError(f"the array {name} must be float32 or uint8, not {array.dtype}")
        header["arrays"][name] = {"dtype": code, "shape": list(array.shape), "offset": offset}
        raw = np.ascontiguousarray(array).tobytes()
        parts += [raw, b"\0" * (-len(raw) % 4)]
        offset += len(raw) + (-len(raw) % 4)
    header["bytes"] = offset
    # ASCII only: a lone surrogate in a token survives as an escape, where UTF-8 has no bytes for it.
    text = json.dumps(header, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 4)
    return b"".join([MAGIC, struct.pack("<II", VERSION, len(text)), text, *parts])
