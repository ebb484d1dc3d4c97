# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Reads a sentence with a small trained layer; prints where the word in focus looks, and what the layer answers."""

import torch

from attention_core.experiments.pronoun import Pronoun
from attention_core.models import Trained, load_pronoun

# --- yours ---
text = "the king saw the law , but its city should be just ."
row = 7
layer = "shipped"
config = Pronoun()
# ---

torch.set_num_threads(1)
if layer == "shipped":
    model = load_pronoun()
else:  # "untouched", or "trained" as the configuration says
    network = config.build()
    if layer == "trained":
        *_, last = config.records()
        network.load_state_dict(dict(last.state))
    model = Trained(config, network)

tokens = model.tokenize(text)
run = model.run(tokens)
for head, weights in enumerate(run.layers[0].attention.weights[:, row], start=1):
    print(
        f"head {head}", *(f"{word} {weight:.6f}" for word, weight in zip(tokens.strings, weights.tolist(), strict=True))
    )
word, chance = model.answers(run)[row]
print(tokens.strings[row], "->", word, f"{chance:.6f}")
