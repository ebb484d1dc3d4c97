"""Any transformers model, with `attend` inside it: q, k, v, scores, weights and context of every layer, as computed.

Read model.py first, then recording.py (how `attend` gets inside), matrices.py (which W gave which q), tokenizing.py and
spelling.py (text to tokens, and those to what a person can read), loading.py with folders.py and vocabulary.py (what is
looked at before). transformers is imported where it is used, so that the rest of the core does without it.
"""

from attention_core.models.pretrained.errors import ModelError
from attention_core.models.pretrained.folders import folder_of
from attention_core.models.pretrained.loading import EMBEDDED, HUB_ID, embedded_folder, load, load_embedded
from attention_core.models.pretrained.model import Pretrained
from attention_core.models.pretrained.recording import register

__all__ = [
    "EMBEDDED",
    "HUB_ID",
    "ModelError",
    "Pretrained",
    "embedded_folder",
    "folder_of",
    "load",
    "load_embedded",
    "register",
]
