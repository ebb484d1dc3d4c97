# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Local attention learns to copy and to reverse: its accuracy, the last p_t of a sequence, a fingerprint of the run."""

import torch

from attention_core.experiments.alignment import TASKS, Alignment
from attention_core.experiments.store import fingerprint

# --- yours ---
seed = 0
# ---

torch.set_num_threads(1)
for task in TASKS:
    for mode in ("local_m", "local_p"):
        records = list(Alignment(task=task, mode=mode, steps=500, every=25, seed=seed).records())
        for record in records:
            print(task, mode, record.step, f"{record.accuracy:.6f}")
        print("p_t", [round(p, 3) for p in records[-1].arrays["center"][0].tolist()])
        print("fingerprint", fingerprint(records))
