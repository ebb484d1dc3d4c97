# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains models to find a needle, each for as long; prints what was recorded.

Step by step the numbers are those of the page; how many steps fit in the seconds depends on the machine.
"""

import torch

from attention_core.experiments.needle import Needle

# --- yours ---
configs = [Needle(kind=kind, length=64, seconds=1.0, steps=20, every=10) for kind in ("attention", "gru")]
# ---

torch.set_num_threads(1)
for config in configs:
    for record in config.records():
        seconds = record.measures["seconds"]
        print(config.kind, record.step, f"{seconds:.2f} s loss {record.loss:.6f} accuracy {record.accuracy:.6f}")
