"""Where x and the weight matrices come from: an untrained layer, a trained transformer, a layer trained here.

One interface, `Model` (base.py), is all that the rest asks for.
"""

from attention_core.models.base import (
    LayerName,
    LayerTrace,
    Model,
    Projections,
    Run,
    Settings,
    Tokens,
    UnknownWords,
    layer_numbers,
)
from attention_core.models.from_scratch import FromScratch, Sizes
from attention_core.models.pretrained import EMBEDDED, ModelError, Pretrained, load, load_embedded
from attention_core.models.remarks import Remarks, Unreadable
from attention_core.models.trained import Trained, load_pronoun, load_trained

__all__ = [
    "EMBEDDED",
    "FromScratch",
    "LayerName",
    "LayerTrace",
    "Model",
    "ModelError",
    "Pretrained",
    "Projections",
    "Remarks",
    "Run",
    "Settings",
    "Sizes",
    "Tokens",
    "Trained",
    "UnknownWords",
    "Unreadable",
    "layer_numbers",
    "load",
    "load_embedded",
    "load_pronoun",
    "load_trained",
]
