# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""The read-outs of one head of an untrained layer, under the names they have on the page."""

from attention_core import SCALINGS
from attention_core.models import FromScratch, Sizes, load_embedded
from attention_core.saturation import sweep, untrained

# --- yours ---
text = "The animal didn't cross the street because it was too tired"
seed = 0
target = None
rule = "none"
d_k = 64
alpha = 1.0
head = 0
labels = {"peak": "peak", "log_gain": "row gain, median", "dead": "dead rows", "log_d_W_Q": "dW_Q"}
# ---

MOST = 48  # tokens

layer = FromScratch(Sizes(n_head=1, d_model=64, d_k=1, d_v=1), load_embedded())
x = layer.embed(layer.tokenize(text))[:MOST]
probe = untrained(x, seed=seed, target=target)
factor = alpha**2 * SCALINGS[rule].factor(d_k)
measures = sweep(probe, d_k, [factor]).measures
for name, label in labels.items():
    number = float(getattr(measures, name)[0, head])
    if name.startswith("log_"):  # what was computed is log10; far below what a float holds it stays one
        number = 10**number if number > -300 else f"10^{number:.4f}"
    print(label, number, sep="\t")
