# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Shares and mean context of N samples from a row of weights, both sides of the bound, gradients of the logits."""

import torch

from attention_core import attend, by, hard, sampling
from attention_core.experiments.hard import bound, bound_gradient, log_likelihood
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.normalizers import softmax

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
seed = 0
head = 0
query = 10
target = 2
temperature = 1.0
draw = 1
N = 64
# ---

layer = FromScratch(Sizes(n_head=4, seed=seed), load_embedded())
trace = layer.run(layer.tokenize(text)).layers[0].head(head)
q, k, v = (vectors[:64].double() for vectors in (trace.q, trace.k, trace.v))

scaling = by(q.shape[-1] ** -0.5 / (temperature or 1.0))
normalize = softmax if temperature else hard  # at temperature 0 all weight is on the best key
alpha = attend(q[query : query + 1], k, v, scaling=scaling, normalize=normalize).weights[0]
u = torch.rand(16, 4096, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)[draw]
samples = sampling.drawn(alpha, u)[:N]
ell = (v @ v.mT * v.shape[-1] ** -0.5).log_softmax(dim=-1)[:, target]

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print("alpha", alpha)
print("share", samples.bincount(minlength=len(k)) / N)
print("mean context", v[samples].mean(dim=0))
print("soft context", alpha @ v)
print("L_s", f"{bound(ell, alpha):.6f}", "log p", f"{log_likelihood(ell, alpha):.6f}")
print("gradient", bound_gradient(ell, alpha))
for name, estimate in zip(sampling.BASELINES, sampling.estimates(alpha, ell, samples, (N,)), strict=True):
    print(name, estimate[0])
