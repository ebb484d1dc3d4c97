# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""The numbers of one head of a trained model, under every rule and input scale."""

from dataclasses import replace

from attention_core import models
from attention_core.models.strain import HEAD_MEASURES, strain

# --- yours ---
model = models.load_embedded()
text = "The animal didn't cross the street because it was too tired"
settings = models.Settings()
scalings = ("model", "none")
scales = (0.5, 1.0, 2.0)
target = None
layer = 0
head = 0
# ---

tokens = model.tokenize(text)
stops = [replace(settings, scaling=scaling, input_scale=scale) for scaling in scalings for scale in scales]
for stop, strained in zip(stops, strain(model, tokens, stops, target=target), strict=True):
    numbers = dict(zip(HEAD_MEASURES, strained.heads[:, layer, head].tolist(), strict=True))
    print(stop.scaling, stop.input_scale, numbers, "cosine", strained.cosine)
