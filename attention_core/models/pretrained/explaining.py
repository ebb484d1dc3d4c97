"""What transformers raises about a model, and what its config says → one of our sentences."""

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping
from inspect import signature
from typing import Any

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.recording import IMPLEMENTATION

QUOTED = 160  # characters of a message of transformers, at most
# What a model may ask for that is no text: pictures, films, sound, tables of numbers, places on a page.
NOT_TEXT = re.compile(
    r"pixel|image|video|audio|input_features|input_values|spectrogram|bbox|past_values|visual|patches"
)


@contextlib.contextmanager
def explained(name: str, otherwise: str, inputs: Collection[str] = ()) -> Iterator[None]:
    """Turn whatever is raised into one of our sentences, `otherwise` where nothing better is known; the cause stays
    attached for the log. `inputs`: what the model that runs can be given.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        kind, what = _missing(error, inputs) or _reason(error) or (otherwise, quoted(error))
        raise ModelError(kind, name, what) from error


def quoted(error: Exception) -> str:
    """The kind of an error and the first line of what it says, but no path of this machine."""
    said = str(error).strip().partition("\n")[0]
    told = said and len(said) <= QUOTED and not re.search(r"[/\\\\]", said)
    return f"{type(error).__name__}: {said}" if told else type(error).__name__


def _missing(error: Exception, inputs: Collection[str]) -> tuple[str, str] | None:
    """An input that is no text, where the error names it."""
    named = [one for one in inputs if NOT_TEXT.search(one) and re.search(rf"\b{one}\b", str(error))]
    return ("not_text", ", ".join(named)) if named else None


def _reason(error: Exception) -> tuple[str, str] | None:
    """The kind of our sentence and what it names."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from safetensors import SafetensorError

    said = str(error)
    if isinstance(error, RepositoryNotFoundError):
        return "unknown", ""
    if isinstance(error, ImportError):
        return "package", _package(error)
    if isinstance(error, SafetensorError):
        return "corrupt", ""
    if isinstance(error, KeyError) and error.args == (IMPLEMENTATION,):  # classes in a table, by implementation
        return "no_attention", ""
    if isinstance(error, ValueError) and "trust_remote_code" in said:
        return "remote_code", ""
    if isinstance(error, ValueError) and "does not support" in said and "attention" in said:
        return "no_attention", ""
    if isinstance(error, OSError):
        return _os_kind(said), ""
    return None


def _package(error: ImportError) -> str:
    """The package an ImportError misses: of Python, or of transformers, which tells how to install it."""
    install = re.search(r"pip install (?:-\S+ )*`?([\w.-]+)", str(error)) or re.search(r"`([\w.-]+)`", str(error))
    return error.name or (install[1] if install else quoted(error))


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


def inputs_of(name: str, model: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What a model can be given. Raises ModelError where none of it is text."""
    takes = tuple(signature(model.forward).parameters)
    if "input_ids" not in takes:
        raise ModelError("not_text", name, model.main_input_name)
    return takes
