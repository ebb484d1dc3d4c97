# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""The numbers of one head of a trained model, under every rule and input scale."""

from dataclasses import replace
from pathlib import Path

from attention_core.models import EMBEDDED, Model, Settings, load, load_embedded, load_pronoun
from attention_core.models.strain import HEAD_MEASURES, strain
from attention_core.models.trained import from_bytes

# --- yours ---
name = "all-MiniLM-L6-v2"
text = "The animal didn't cross the street because it was too tired"
settings = Settings()
scalings = ("model", "none")
scales = (0.5, 1.0, 2.0)
target = None
layer = 0
head = 0
# ---


def loaded(name: str) -> Model:
    """The model of that name: one that comes along, the file that the page of a training saves, or your own folder."""
    if name == EMBEDDED:
        return load_embedded()
    if name == "pronoun":
        return load_pronoun()
    return from_bytes(Path(name).read_bytes()) if name.endswith(".safetensors") else load(name)


model = loaded(name)
tokens = model.tokenize(text)
stops = [replace(settings, scaling=scaling, input_scale=scale) for scaling in scalings for scale in scales]
for stop, strained in zip(stops, strain(model, tokens, stops, target=target), strict=True):
    numbers = dict(zip(HEAD_MEASURES, strained.heads[:, layer, head].tolist(), strict=True))
    print(stop.scaling, stop.input_scale, numbers, "cosine", strained.cosine)
