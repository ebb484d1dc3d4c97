r"""Why √d_k: mean and variance of q·k, drawn and in closed form, when the assumptions hold and when they do not.

A pair of components is $X = \mu + sU$, $Y = \mu + s(\rho U + \sqrt{1-\rho^2}\,V)$ with U, V independent, symmetric, of
mean 0 and variance 1. Then $q\cdot k = \sum_i X_iY_i$ needs of a draw only ΣU, ΣV, ΣU² and ΣUV: once these are summed,
every μ, ρ and s costs four multiplications a sample. With $m_4 = E(U^4)$,

$$E(XY) = \mu^2 + \rho s^2 \qquad D(XY) = 2\mu^2s^2(1+\rho) + s^4\big(1 + \rho^2(m_4-2)\big)$$

(the variance of a product: Goodman 1960, JASA 55, 708–713; the cross term is a third moment, 0 by symmetry), and
independent components add: $E(q\cdot k) = d_kE(XY)$, $D(q\cdot k) = d_kD(XY)$, excess kurtosis $\kappa(XY)/d_k$, that
is $6/d_k$ for Gaussians. Vaswani et al. 2017, arXiv:1706.03762, footnote 4, is the case μ = ρ = 0, s = 1.
"""

from attention_core.variance.draws import (
    D_K_OCTAVES,
    DEGREES,
    SAMPLES,
    Sums,
    components,
    draw,
    first_components,
    linear_layer,
    products,
)
from attention_core.variance.equations import Line, derivation
from attention_core.variance.estimates import Moments, Observed, moments, observed
from attention_core.variance.laws import (
    COMPONENT_VARIANCE,
    EVEN_MOMENTS,
    Assumptions,
    Distribution,
    Initialisation,
    Law,
    law,
)

__all__ = [
    "COMPONENT_VARIANCE",
    "DEGREES",
    "D_K_OCTAVES",
    "EVEN_MOMENTS",
    "SAMPLES",
    "Assumptions",
    "Distribution",
    "Initialisation",
    "Law",
    "Line",
    "Moments",
    "Observed",
    "Sums",
    "components",
    "derivation",
    "draw",
    "first_components",
    "law",
    "linear_layer",
    "moments",
    "observed",
    "products",
]
