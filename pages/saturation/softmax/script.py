# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""One row of softmax: its probabilities, and how much of a gradient its Jacobian lets through."""

import torch

from attention_core.softmax import eigenvalues, entropy, frobenius, jacobian, spectral, trace

# --- yours ---
scores = [1.0, 1.0, 2.0]
beta = 1.0
c = 0.0
# ---

x = torch.tensor(scores, dtype=torch.float64)
p = torch.softmax(beta * (x + c), dim=-1)
print("p", *p.tolist())
print("entropy", float(entropy(p)))
print("trace", float(trace(p)))
print("frobenius", float(frobenius(p)))
print("spectral", float(spectral(p)))
print("eigenvalues", *eigenvalues(p).tolist())
for row in jacobian(p).tolist():
    print("jacobian", *row)
