"""What a link to the page on √d_k says of its sliders."""

from attention_core.variance import D_K_OCTAVES
from ui.state import Setting

D_K = Setting(key="mc_d_k", default=64, parse=int, options=D_K_OCTAVES)
MEAN = Setting(key="mc_mean", default=0.0, parse=float, options=tuple(step / 10 for step in range(-20, 21)))
CORRELATION = Setting(key="mc_rho", default=0.0, parse=float, options=tuple(step / 20 for step in range(-20, 21)))
SEED, SEEDS = "mc_seed", 10_000  # the widget of the seed, and how many there are
