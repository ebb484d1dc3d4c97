# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains two layers to copy what followed last time; prints what was recorded, and the fingerprints."""

import torch

from attention_core.experiments.induction import Induction
from attention_core.experiments.store import fingerprint

# --- yours ---
configs = [Induction(rule=rule, steps=10, every=5) for rule in ("none", "inverse_sqrt")]
kinds = ("previous", "induction")
# ---

torch.set_num_threads(1)
for config in configs:
    records = list(config.records())
    for record in records:
        scores = {kind: record.arrays[kind].flatten().tolist() for kind in kinds if record.arrays}
        print(
            f"{config.rule}-{config.seed} {record.step}",
            f"loss {record.loss:.6f} accuracy {record.accuracy:.6f}",
            *(f"{kind} {[round(score, 4) for score in heads]}" for kind, heads in scores.items()),
        )
    print(f"{config.rule}-{config.seed} fingerprint", fingerprint(records))
