# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Which heads link two tokens: all heads ranked by weight, by what they hand on, and by gradient."""

import torch

from attention_core import models
from attention_core.models.links import LINK_MEASURES, gradient_rows, links, ranked

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
model = models.load_embedded()
settings = models.Settings()
layer = 3
head = 1
query = 10
key = 2
# ---

tokens = model.tokenize(text)
run = model.run(tokens, settings)
chosen = run.layers[layer]
torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print(chosen.queries[query], "attends to", list(chosen.keys))
print(chosen.attention.weights[head, query])

numbers = models.layer_numbers(model.layers)
heads = links(run, layer, query, key, gradient_rows(model, tokens, settings, query))
for by in LINK_MEASURES:
    print(f"{chosen.queries[query]} -> {chosen.keys[key]}, by {by}")
    for link in ranked(heads, by):
        print(f"{numbers[link.layer]}.{link.head + 1} {getattr(link, by):.9g}")
