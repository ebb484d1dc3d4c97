# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""One query under local-p attention: its row, the sum of the row, the loss, and the gradient to p_t in three ways."""

from functools import partial

import torch

from attention_core import attend
from attention_core.mechanisms.local import bell, near, weighted
from attention_core.models import FromScratch, Sizes, load_embedded

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
seed = 0
head = 0
query = 10
target = 2
D = 3
place = 10.0
# ---

layer = FromScratch(Sizes(n_head=4, seed=seed), load_embedded())
trace = layer.run(layer.tokenize(text)).layers[0].head(head)
q, k, v = (vectors[:64].double() for vectors in (trace.q, trace.k, trace.v))
n = len(k)

p_t = torch.tensor([place], dtype=torch.float64, requires_grad=True)
asks, window = q[query : query + 1], near(p_t, n, D)
trace = attend(asks, k, v, normalize=partial(weighted, center=p_t, radius=D), allowed=window)
loss = 0.5 * (trace.context[0] - v[target]).square().sum()
weights, context = trace.weights[0].detach(), trace.context[0].detach()

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print("gaussian", bell(p_t, n, D)[0].detach())
print("weights", weights)
print("row sum", f"{weights.sum():.6f}")
print("loss", f"{loss.item():.6f}")

inside = attend(asks, k, v, allowed=window).weights[0].detach()
toward, h = (context - v[target]) @ v.mT, 1e-5


def moved(step: float) -> torch.Tensor:
    """The loss with the Gaussian so far from p_t, the tokens of the window held."""
    return 0.5 * ((inside * bell(p_t.detach() + step, n, D)[0]) @ v - v[target]).square().sum()


closed = (toward * weights * (torch.arange(n) - p_t.detach())).sum() / (D / 2) ** 2
print("dL/dp_t, autograd", f"{torch.autograd.grad(loss, p_t)[0].item():.6e}")
print("dL/dp_t, closed form", f"{closed.item():.6e}")
print("dL/dp_t, differences", f"{(moved(h) - moved(-h)).item() / (2 * h):.6e}")
