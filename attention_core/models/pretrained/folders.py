"""What a folder has to hold before a model is loaded from it, looked at without reading a weight."""

import json
from pathlib import Path

from attention_core.models.pretrained.errors import ModelError

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
ADAPTER = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
READ = (".json", ".txt", ".model")  # besides weights
POINTER = b"version https://git-lfs"  # how a file begins that git has not fetched


def folder_of(source: str) -> Path | None:
    """The folder of this name, `~` being one's home; None where there is none, or none that may be looked into."""
    try:
        folder = Path(source).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):
        return None


def check_folder(folder: Path, name: str) -> None:
    """Raise ModelError, which names what is missing or damaged, where no model can be loaded from this folder."""
    config = folder / "config.json"
    if any((folder / file).is_file() for file in ADAPTER):  # also beside whole weights, which it was made to change
        raise ModelError("adapter", name)
    if not config.is_file():
        raise ModelError("unknown", name)
    for file in sorted(folder.iterdir()):
        if file.suffix in READ and file.is_file():
            _check_fetched(file, name)
    if not isinstance(_read(config, name), dict):
        raise ModelError("damaged", name, config.name)
    for file in _weights(folder, name):
        _check_header(folder / file, name)


def _weights(folder: Path, name: str) -> list[str]:
    """The files of the weights, as transformers chooses them."""
    if (folder / WEIGHTS).is_file():
        return [WEIGHTS]
    if (folder / INDEX).is_file():
        return _shards(folder / INDEX, name)
    if any(folder.glob("*-of-*.safetensors")):
        raise ModelError("missing", name, INDEX)
    if any(file.suffix in PICKLED for file in folder.iterdir()):
        raise ModelError("pickle", name)
    raise ModelError("missing", name, WEIGHTS)


def _shards(index: Path, name: str) -> list[str]:
    match _read(index, name):
        case {"weight_map": {**files}} if files and all(isinstance(file, str) for file in files.values()):
            return sorted(set(files.values()))
        case _:
            raise ModelError("damaged", name, index.name)


def _check_header(file: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise ModelError("missing", name, file.name)
    _check_fetched(file, name)
    try:
        with safe_open(file, framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelError("damaged", name, file.name) from error


def _check_fetched(file: Path, name: str) -> None:
    with file.open("rb") as start:
        if start.read(len(POINTER)) == POINTER:
            raise ModelError("pointer", name, file.name)


def _read(file: Path, name: str) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError("damaged", name, file.name) from error
