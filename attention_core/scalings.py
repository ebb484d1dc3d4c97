"""What is done to the scores between QKᵀ and the softmax."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.finite import bent, by_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """One scaling rule: `apply(scores, q, k)` gives the scaled scores. `factor(d_k)` is the number it multiplies by.

    `sharpen` gives one more number for every row, from the row itself.
    """

    title: str
    formula: str
    reference: str
    factor: Callable[[int], float]
    sharpen: Callable[[Tensor], Tensor] | None = None

    def apply(
        self,
        scores: Float[Tensor, "*batch n_q n_k"],
        q: Float[Tensor, "*batch n_q d_k"],
        k: Float[Tensor, "*batch n_k d_k"],
        permitted: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
    ) -> Float[Tensor, "*batch n_q n_k"]:
        """scores · factor(d_k), and each row of that by what it gives itself; a key behind the mask is not there."""
        factor = self.factor(q.shape[-1])
        scaled = scores if factor == 1.0 else scores * factor
        if self.sharpen is None:
            return scaled
        beta = by_row(self.sharpen, scaled if permitted is None else scaled.masked_fill(~permitted, -math.inf))
        return bent(lambda s: s * beta, scaled)


def by(factor: float, sharpen: Callable[[Tensor], Tensor] | None = None) -> Scaling:
    """The rule that multiplies every score by a number the caller gives, and each row by what `sharpen` makes of it."""
    formula = rf"{factor:.6g}\,QK^\top"
    return Scaling(title="Given", formula=formula, reference="", factor=lambda d_k: factor, sharpen=sharpen)


NONE = Scaling(
    title="None",
    formula=r"QK^\top",
    reference="Luong et al. (2015), arXiv:1508.04025",
    factor=lambda d_k: 1.0,
)
INVERSE_SQRT = Scaling(
    title="1/√d_k",
    formula=r"QK^\top/\sqrt{d_k}",
    reference="Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1",
    factor=lambda d_k: d_k**-0.5,
)
INVERSE = Scaling(
    title="1/d_k",
    formula=r"QK^\top/d_k",
    reference="Yang et al. (2022), arXiv:2203.03466, definition 4.1",
    factor=lambda d_k: 1.0 / d_k,
)

SCALINGS = {"none": NONE, "inverse_sqrt": INVERSE_SQRT, "inverse": INVERSE}
