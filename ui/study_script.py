# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""One head as a page shows it: the shapes of its stages, and where one token looks."""

import torch

from attention_core import models

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
model = models.load_embedded()
settings = models.Settings()
layer = 0
head = 0
query = 0
# ---

chosen = model.run(model.tokenize(text), settings).layers[layer]
trace = chosen.head(head)
for name in ("q", "k", "v", "scores", "weights", "context"):
    print(name, tuple(getattr(trace, name).shape))

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print(chosen.queries[query], "attends to", list(chosen.keys))
print(trace.weights[query])
