# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Trains models that forecast one series; prints their errors, and that of repeating the season.

`saved`: where the arrays of the page stand, if the series is your own.
"""

from dataclasses import replace

import numpy
import torch

from attention_core.experiments.series import Series, seasonal_naive

# --- yours ---
base = Series(past=24, horizon=12, steps=20, every=10, world=1, slope=1.0)
saved = None
period = 24
trained = [("linear", 0, 20), ("frequency", 0, 20)]
# ---

torch.set_num_threads(1)
if saved is not None:
    base = replace(base, values=tuple(map(float, numpy.load(saved)["series"])))
_, (past, future), _ = base.windows()
naive = seasonal_naive(past, base.horizon, period)
print(f"naive {float((naive - future).square().mean()) * base.unit() ** 2:.6f}")
for model, seed, step in trained:
    records = replace(base, model=model, seed=seed).records()
    last = next(record for record in records if record.step == step)
    print(f"{model} {seed} MSE {last.accuracy:.6f} MAE {last.measures['mae']:.6f}")
