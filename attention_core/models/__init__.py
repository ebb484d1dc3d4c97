"""Where x and the weight matrices come from: an untrained layer, or a trained transformer. One interface."""

from attention_core.models.base import LayerName, LayerTrace, Model, Projections, Run, Settings, Tokens
from attention_core.models.from_scratch import FromScratch, Sizes
from attention_core.models.pretrained import EMBEDDED, ModelError, Pretrained, load, load_embedded
from attention_core.models.trained import Trained, UnknownWords, load_pronoun

__all__ = [
    "EMBEDDED",
    "FromScratch",
    "LayerName",
    "LayerTrace",
    "Model",
    "ModelError",
    "Pretrained",
    "Projections",
    "Run",
    "Settings",
    "Sizes",
    "Tokens",
    "Trained",
    "UnknownWords",
    "load",
    "load_embedded",
    "load_pronoun",
]
