# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Soft attention, sampled attention, and sampled attention with a moving baseline learn to recall; what is recorded."""

import torch

from attention_core.experiments.hard import MODES, Hard

# --- yours ---
seed = 0
# ---

torch.set_num_threads(1)
for mode in MODES:
    for record in Hard(mode=mode, steps=400, every=20, seed=seed).records():
        sides = record.measures["bound"], record.measures["log_likelihood"]
        print(mode, record.step, f"{record.accuracy:.6f} {sides[0]:.6f} {sides[1]:.6f}")
