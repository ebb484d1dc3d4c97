# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Under one mask: how many pairs are allowed, how many are reached in 1 to 6 layers, and what a suffix changes."""

from attention_core.hearing import heard_through, mask, pairs, prefix_change
from attention_core.models import FromScratch, Projections, Sizes, load_embedded

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
source = "embeddings"
seed = 0
kind = "causal"
radius = 2
length = 7
# ---

sizes = Sizes(n_head=8, d_model=64, d_k=8, d_v=8, seed=seed, positions="none", source=source)
model = FromScratch(sizes, load_embedded() if source == "embeddings" else None)
drawn = model.run(model.tokenize(text)).layers[0]
assert drawn.x is not None
x = drawn.x[:64].double()
layer = Projections(**{name: getattr(drawn.projections, name).double() for name in ("W_Q", "W_K", "W_V", "W_O")})

allowed = mask(kind, len(x), radius)
print("allowed", int(allowed.sum()), "formula", pairs(kind, len(x), radius))
print("reached", *(int(reached.sum()) for reached in heard_through(allowed, 6)))
print("suffix changes", float(prefix_change(x, layer, kind, radius, length).max()))
