# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Prints how much of a gradient is left at every distance, log₁₀, the median of the seeds."""

import torch

from attention_core.experiments.gradient_reach import GradientReach, gradient_reach
from attention_core.models import FromScratch, Sizes, load_embedded

# --- yours ---
text = None
n = 8
seeds = range(0, 5)
kinds = ("attention", "lstm_forget", "gru", "lstm", "bilstm", "rnn")
d = 64
batch = 4
# ---

x = None  # N(0, 1)
if text is not None:
    layer = FromScratch(Sizes(n_head=1, d_model=d, d_k=1, d_v=1), load_embedded())
    x = layer.embed(layer.tokenize(text))[None, :n]
for kind in kinds:
    curves = [gradient_reach(GradientReach(kind=kind, length=n, d=d, batch=batch, seed=seed), x) for seed in seeds]
    logs = torch.stack(curves).log10().quantile(0.5, dim=0)
    for distance, log in enumerate(logs.tolist()):
        print(kind, distance, f"{log:.6f}")
