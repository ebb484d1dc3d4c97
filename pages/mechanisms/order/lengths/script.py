# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""The first tokens of a sentence through a fully connected layer, made for one length, and through self-attention."""

from attention_core.fully_connected import applied, fully_connected
from attention_core.models import FromScratch, Projections, Sizes, load_embedded
from attention_core.shuffling import output, self_attention

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
source = "embeddings"
seed = 0
built = 10
length = 13
# ---

sizes = Sizes(n_head=8, d_model=64, d_k=8, d_v=8, seed=seed, positions="none", source=source)
model = FromScratch(sizes, load_embedded() if source == "embeddings" else None)
drawn = model.run(model.tokenize(text)).layers[0]
assert drawn.x is not None
x = drawn.x[:64].double()
layer = Projections(**{name: getattr(drawn.projections, name).double() for name in ("W_Q", "W_K", "W_V", "W_O")})

linear = fully_connected(built, sizes.d_model, seed=seed)
print("parameters", sum(p.numel() for p in linear.parameters()))
print("fully connected", *applied(linear, x[:length].float()))
print("attention", tuple(output(self_attention(x[:length], layer), layer).shape))
