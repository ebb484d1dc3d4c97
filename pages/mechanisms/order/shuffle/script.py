# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""How far self-attention of a shuffled sentence is from the shuffled self-attention, without and with positions."""

import torch

from attention_core.models import FromScratch, Projections, Sizes, load_embedded
from attention_core.shuffling import SCHEMES, output, self_attention, swaps

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
source = "embeddings"
seed = 0
shuffle = 0
# ---

sizes = Sizes(n_head=8, d_model=64, d_k=8, d_v=8, seed=seed, positions="none", source=source)
model = FromScratch(sizes, load_embedded() if source == "embeddings" else None)
drawn = model.run(model.tokenize(text)).layers[0]
assert drawn.x is not None
x = drawn.x[:64].double()
layer = Projections(**{name: getattr(drawn.projections, name).double() for name in ("W_Q", "W_K", "W_V", "W_O")})

n = len(x)
print("max |Attn(PX) - P Attn(X)| after 0 to 6 swaps, then reversed")
orders = torch.cat((swaps(n, 6, seed=shuffle), torch.arange(n).flip(0)[None]))
for scheme in SCHEMES:
    expected = output(self_attention(x, layer, scheme), layer)[orders]
    shuffled = output(self_attention(x[orders], layer, scheme), layer)
    print(scheme, *(f"{value:.3e}" for value in (shuffled - expected).abs().amax(dim=(1, 2))))
