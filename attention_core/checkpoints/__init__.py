"""Weights trained here, as safetensors: never pickle, the recipe in the file, the file's SHA-256 pinned in the code."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

FOLDER = Path(__file__).parent


class DamagedError(Exception):
    """A checkpoint that is missing, or not the one that was shipped."""


def save(tensors: Mapping[str, Tensor], recipe: Mapping[str, Any], path: Path) -> str:
    """Write the file; its SHA-256. The same tensors and recipe give the same bytes."""
    from safetensors.torch import save as encode

    metadata = {"recipe": json.dumps(dict(recipe), sort_keys=True)}
    data = encode({name: value.contiguous() for name, value in tensors.items()}, metadata)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_verified(path: Path, sha256: str) -> bytes:
    """The file. Raises DamagedError unless it is there and has this SHA-256."""
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DamagedError(f"{path.name} is not the file that was shipped: its SHA-256 differs")
    return data


def load(path: Path, sha256: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the recipe of what `save` wrote. Raises DamagedError as `read_verified` does."""
    from safetensors.torch import load as decode

    data = read_verified(path, sha256)
    length = int.from_bytes(data[:8], "little")
    recipe = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["recipe"])
    return decode(data), recipe
