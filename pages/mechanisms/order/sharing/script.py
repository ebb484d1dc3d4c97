# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""A sentence read one token at a time with shared, cached keys and values; how far that is from the full pass."""

from attention_core.kv_cache import decode, full_pass, shared
from attention_core.models import FromScratch, Projections, Sizes, load_embedded

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
source = "embeddings"
seed = 0
key_heads = 2
# ---

sizes = Sizes(n_head=8, d_model=64, d_k=8, d_v=8, seed=seed, positions="none", source=source)
model = FromScratch(sizes, load_embedded() if source == "embeddings" else None)
drawn = model.run(model.tokenize(text)).layers[0]
assert drawn.x is not None
x = drawn.x[:64].double()
layer = Projections(**{name: getattr(drawn.projections, name).double() for name in ("W_Q", "W_K", "W_V", "W_O")})

grouped = shared(layer, key_heads)
steps, cache = decode(x, grouped)
full = full_pass(x, grouped)
print("elements", cache.elements(), "of", len(x), "tokens")
print("decode differs by", max(float((s.context[:, 0] - full.context[:, t]).abs().max()) for t, s in enumerate(steps)))
