# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains small layers to tell what its, his and her stand for; prints what was recorded, and the fingerprints."""

import torch

from attention_core.experiments.pronoun import Pronoun
from attention_core.experiments.store import fingerprint

# --- yours ---
configs = [Pronoun(rule=rule, steps=20, every=10) for rule in ("none", "inverse_sqrt")]
# ---

torch.set_num_threads(1)
for config in configs:
    records = list(config.records())
    for record in records:
        print(
            f"{config.rule} {record.step} loss {record.loss:.6f} accuracy {record.accuracy:.6f}",
            f"unseen {record.measures['unseen']:.6f} far {record.measures['far']:.6f}",
        )
    print(config.rule, "fingerprint", fingerprint(records))
