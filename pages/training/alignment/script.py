# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains encoders and decoders; prints accuracies, the last p_t of one sequence, and the fingerprints."""

import torch

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.store import fingerprint

# --- yours ---
configs = [Alignment(mode=mode, steps=20, every=10) for mode in ("global", "local_p")]
# ---

torch.set_num_threads(1)
for config in configs:
    records = list(config.records())
    for record in records:
        print(config.task, config.mode, record.step, f"{record.accuracy:.6f}")
    print("p_t", [round(p, 3) for p in records[-1].arrays["center"][0].tolist()])
    print("fingerprint", fingerprint(records))
