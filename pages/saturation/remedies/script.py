# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""The table of all remedies for one head of an untrained layer, its gradients by autograd."""

import torch

from attention_core import MultiHeadAttention
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.remedies import REMEDIES, Spectra, qk_norm, remedied, softcap, spectral_norm, ssmax, temperature
from attention_core.saturation import D_V, DEAD, N_HEAD, untrained
from attention_core.softmax import entropy

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
seed = 0
head = 0
d_k = 64
alpha = 1.0
n = 13
T = 1.0
g = None
c = 50.0
s = 0.43
titles = ("peak", "entropy", "row gain, median", "‖∂L/∂S‖", "dead rows", "row sum")
# ---

MOST = 48  # tokens
table = REMEDIES | {
    "temperature": temperature(T),
    "qk_norm": qk_norm(g),
    "softcap": softcap(c),
    "ssmax": ssmax(s),
}

layer = FromScratch(Sizes(n_head=1, d_model=64, d_k=1, d_v=1), load_embedded())
probe = untrained(layer.embed(layer.tokenize(text))[:MOST], seed)
d_model = probe.x.shape[-1]
drawn = MultiHeadAttention(d_model=d_model, n_head=N_HEAD, d_k=d_k, d_v=D_V, seed=seed)
sigma_q, sigma_k = (spectral_norm(W[head].detach().double()) for W in (drawn.W_Q, drawn.W_K))
q = (alpha * probe.q[head, :n, :d_k].double()).requires_grad_()
k, v = alpha * probe.k[head, :n, :d_k].double(), probe.v[head, :n].double()
d_weights = (probe.direction[:n] @ probe.W_O[head].mT).double() @ v.mT
apart = d_weights - d_weights.mean(dim=-1, keepdim=True)

print("remedy", *titles, sep="\t")
for name, remedy in table.items():
    trace = remedied(remedy, q, k, v, d_model=d_model, spectra=Spectra(q=sigma_q, k=sigma_k))
    through_apart, d_scores = (
        torch.autograd.grad(trace.weights, trace.scaled_scores, slope, retain_graph=True)[0]
        for slope in (apart, d_weights)
    )
    gains = (through_apart.norm(dim=-1) / apart.norm(dim=-1)).sort().values
    gain = (gains[(n - 1) // 2] * gains[n // 2]).sqrt()
    weights = trace.weights.detach()
    dead = (gains < DEAD).double().mean()
    nats, row_sum = entropy(weights / weights.sum(dim=-1, keepdim=True)).mean(), weights.sum(dim=-1).mean()
    numbers = (weights.amax(dim=-1).mean(), nats, gain, d_scores.norm(), dead, row_sum)
    print(name, *map(float, numbers), sep="\t")
