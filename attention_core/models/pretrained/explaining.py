"""What transformers raises about a model, and what its config says → one of our sentences."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

import torch

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.recording import IMPLEMENTATION

QUOTED = 160  # characters of a message of transformers, at most
# What a model may ask for that is no text: pictures, films, sound, tables of numbers, places on a page.
NOT_TEXT = re.compile(
    r"pixel|image|video|audio|input_features|input_values|spectrogram|bbox|past_values|visual|patches"
)
PACKAGE = (
    r"install ([\w.-]+) to use",
    r"requires the ([\w.-]+) library",
    r"package for ([\w.-]+)",
    r"pip install (?:-\S+ )*[`'\"]?([\w.-]+)",
)


@contextlib.contextmanager
def explained(name: str, otherwise: str) -> Iterator[None]:
    """Turn whatever is raised into one of our sentences, `otherwise` where nothing better is known; the cause stays
    attached for the log.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        kind, what = _reason(error) or (otherwise, quoted(error))
        raise ModelError(kind, name, what) from error


def quoted(error: Exception) -> str:
    """The kind of an error and the first line of what it says, but no path of this machine."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = next((line for line in lines if not line.endswith(":")), "")  # after "Validation error for …:"
    fits = first and len(first) <= QUOTED and not re.search(r"[/\\\\]", first)
    return f"{type(error).__name__}: {first}" if fits else type(error).__name__


def _reason(error: Exception) -> tuple[str, str] | None:
    """The kind of our sentence and what it names."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from safetensors import SafetensorError

    message = str(error)
    if isinstance(error, RepositoryNotFoundError):
        return "unknown", ""
    if isinstance(error, ImportError):
        return "package", _package(error)
    if isinstance(error, SafetensorError):
        return "corrupt", ""
    if isinstance(error, KeyError) and error.args == (IMPLEMENTATION,):  # classes in a table, by implementation
        return "no_attention", ""
    if isinstance(error, ValueError) and "trust_remote_code" in message:
        return "remote_code", ""
    if isinstance(error, ValueError) and "does not support" in message and "attention" in message:
        return "no_attention", ""
    if "ignore_mismatched_sizes" in message:
        return "mismatch", ""
    if isinstance(error, OSError):
        return _os_kind(message), ""
    return None


def _package(error: ImportError) -> str:
    """The package that is missing, as Python names it, or transformers where it tells what to install."""
    named = next(filter(None, (re.search(words, str(error)) for words in PACKAGE)), None)
    return error.name or (named[1] if named else quoted(error))


def _os_kind(message: str) -> str:
    if "safetensors" in message:
        return "pickle"
    offline = ("couldn't connect", "offline", "cannot find the requested files", "internet connection")
    return "network" if any(sign in message.lower() for sign in offline) else "unknown"


def check_config(name: str, source: str, raw: Mapping[str, Any]) -> None:
    """Raises ModelError where the config says that the weights are quantized, or nothing that transformers takes."""
    from transformers import CONFIG_MAPPING, AutoConfig

    quantization = raw.get("quantization_config")
    if quantization:
        method = quantization.get("quant_method") if isinstance(quantization, dict) else None
        raise ModelError("quantized", name, str(method or "quantization_config"))
    try:
        AutoConfig.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        if "trust_remote_code" in str(error):
            raise
        kind = raw.get("model_type")
        if isinstance(kind, str) and kind not in CONFIG_MAPPING:
            raise ModelError("architecture", name, kind) from error
        raise ModelError("config", name, _field(error) if isinstance(kind, str) else "model_type") from error


def _field(error: Exception) -> str:
    """Which value it is about: transformers names the fields of a config it has checked."""
    field = re.search(r"[Ff]ield '(\w+)'", str(error))
    return field[1] if field else quoted(error)


def check_input(name: str, model: Any) -> None:  # noqa: ANN401
    """Raises ModelError where text alone does not go in: pictures, sound or the like are asked for."""
    takes = signature(model.forward).parameters
    if "input_ids" not in takes:
        raise ModelError("not_text", name, model.main_input_name)
    others = [one for one in takes if NOT_TEXT.search(one)]
    if not others:
        return
    try:
        with torch.no_grad():
            model(input_ids=torch.tensor([_plain_ids(model.config)]))
    except Exception as error:  # what is wrong beside that is told when a sentence goes in
        named = [one for one in others if re.search(rf"\b{one}\b", str(error))]
        if named or "NoneType" in str(error):
            raise ModelError("not_text", name, ", ".join(named or others)) from error


def _plain_ids(config: Any) -> list[int]:  # noqa: ANN401
    """Three ids that stand for no picture, sound or the like."""
    special = {
        value
        for key, value in config.to_dict().items()
        if key.endswith(("token_id", "token_index")) and isinstance(value, int)
    }
    return [one for one in range(3 + len(special)) if one not in special][:3]
