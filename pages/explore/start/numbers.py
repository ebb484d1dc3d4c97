"""What hardens a head of the first page: how many of its rows can still learn. Pure."""

import numpy as np
from jaxtyping import Float

from attention_core.saturation import D_K_STOPS, INPUT_SCALES, Probe, Sweep, sweep


def lives(probe: Probe, head: int = 0) -> Float[np.ndarray, "d_k alpha 1"]:
    """At every stop of d_k and α, unscaled: how many rows of this head still have a gradient, of all its rows."""
    alone, squares = _alone(probe, head), [alpha**2 for alpha in INPUT_SCALES]
    return np.stack([_alive(sweep(alone, d_k, squares))[:, None] for d_k in D_K_STOPS])


def scaled_lives(probe: Probe, head: int = 0) -> Float[np.ndarray, " d_k"]:
    """The same at α = 1 with scores divided by √d_k."""
    alone = _alone(probe, head)
    return np.concatenate([_alive(sweep(alone, d_k, [d_k**-0.5])) for d_k in D_K_STOPS])


def _alone(probe: Probe, head: int) -> Probe:
    one = slice(head, head + 1)
    return Probe(probe.x, probe.q[one], probe.k[one], probe.v[one], probe.W_O[one], probe.direction)


def _alive(swept: Sweep) -> Float[np.ndarray, " a"]:
    """How many rows of the only head are not dead."""
    rows = swept.log_gains.shape[-1]
    return rows - (swept.measures.dead[:, 0] * rows).round().numpy()
