# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""One head under several mechanisms: entropy, distance from the reference, gradients, parameters, operations."""

from attention_core import masks, models
from attention_core.mechanisms import MECHANISMS, Options
from attention_core.mechanisms.bench import compute, entropy, head_gradient

# --- yours ---
model = models.load_embedded()
settings = models.Settings()
text = "The animal didn't cross the street because it was too tired"
memory = None
layer = 3
head = 1
mask = "own"
radius = 2
seed = 0
names = ["scaled_dot", "dot", "general"]
reference = "scaled_dot"
# ---

own = model.run(model.tokenize(text), settings).layers[layer]
other = own if memory is None else model.run(model.tokenize(memory), settings).layers[layer]
q, k, v = own.plain_q[:, :64], other.attention.k[:, :64], other.attention.v[:, :64]
n_q, n_k = q.shape[-2], k.shape[-2]
n = max(n_q, n_k)
own_mask = own.allowed if memory in (None, text) else None
allowed = {"causal": masks.causal(n, n), "window": masks.window(n, n, radius), "own": own_mask}.get(mask)
if allowed is not None:
    allowed = allowed[..., :n_q, :n_k]
options = Options(radius=radius, seed=seed)
results = {name: compute(MECHANISMS[name], q, k, v, options=options, allowed=allowed) for name in names}

print("mechanism: entropy, |c - c_ref|, |dL/dq|, |dL/dk|, parameters, operations in products")
for name, result in results.items():
    apart = (result.trace.context - results[reference].trace.context)[head].norm()
    gradient = head_gradient(MECHANISMS[name], q, k, v, head=head, options=options, allowed=allowed)
    numbers = (entropy(result.trace.weights[head]).nanmean(), apart, gradient.q.norm(), gradient.k.norm())
    counts = (int(result.learned), int(result.cost.products))
    written = [f"{float(f'{number:.4g}'):g}" for number in numbers]  # four significant digits
    print(f"{name}:", ", ".join([*written, *(f"{count:,}".replace(",", "\u202f") for count in counts)]))
