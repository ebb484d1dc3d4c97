# Needs attention_core: pip install . in the folder of Headlight; then python this_file.py
"""Mean, variance and excess kurtosis of q·k under these assumptions: from the same samples as on the page."""

from attention_core.variance import Assumptions, draw, law, moments, products

# --- yours ---
assumed = Assumptions(distribution="normal", mean=0.0, correlation=0.0, initialisation="unit")
d_k = 64
seed = 0
# ---

sums = draw(assumed.distribution, seed=seed)
measured = moments(products(sums, assumed))
exact = law(assumed)

at = sums.stops.index(d_k)
print("d_k", d_k)
print("mean", float(measured.mean[at]), "+-", float(measured.mean_error[at]), "theory", d_k * exact.mean)
print(
    "variance", float(measured.variance[at]), "+-", float(measured.variance_error[at]), "theory", d_k * exact.variance
)
print("scaled", float(measured.variance[at]) / d_k, "theory", exact.variance)
print("excess", float(measured.excess[at]), "+-", float(measured.excess_error[at]), "theory", exact.excess / d_k)
