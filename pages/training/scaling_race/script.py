# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains layers to sort under several scaling rules; prints what was recorded, and the fingerprints."""

import torch

from attention_core.experiments.sort import Sort
from attention_core.experiments.store import fingerprint

# --- yours ---
configs = [Sort(rule=rule, steps=20, every=10) for rule in ("none", "inverse_sqrt")]
# ---

torch.set_num_threads(1)
for config in configs:
    records = list(config.records())
    for record in records:
        measures = record.measures
        print(
            f"{config.rule} {record.step} loss {record.loss:.6f} accuracy {record.accuracy:.6f}",
            f"entropy {measures['entropy.0']:.6f} gain {measures['gain_median.0']:.3e}",
            f"SNR {measures['snr.0']:.3e}",
        )
    print(config.rule, "fingerprint", fingerprint(records))
