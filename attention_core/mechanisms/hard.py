"""Hard attention: all weight on one key, the best one or one drawn at random."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.mechanisms.base import Call, Parts
from attention_core.mechanisms.multiplicative import SCALED_DOT
from attention_core.normalizers import Normalize, hard
from attention_core.scalings import INVERSE_SQRT


def sampled(generator: torch.Generator) -> Normalize:
    r"""A normalizer that draws one key per row, $s_i \sim \mathrm{Multinoulli}(\alpha_i)$, and gives it weight 1.

    By the Gumbel-max trick: arg max_j (s_ij − ln(−ln u_ij)) with u uniform has exactly the law of the softmax.
    """

    def normalize(
        scores: Float[Tensor, "*batch n_q n_k"], permitted: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
    ) -> Float[Tensor, "*batch n_q n_k"]:
        u = torch.rand(scores.shape, generator=generator, dtype=torch.float64)
        return hard(scores - torch.log(-torch.log(u)).to(scores.device), permitted).to(scores.dtype)

    return normalize


def _sampled(call: Call) -> Parts:
    return Parts(scaling=INVERSE_SQRT, normalize=sampled(torch.Generator().manual_seed(call.options.seed)))


HARD = replace(
    SCALED_DOT,
    title="Hard, arg max",
    formula=r"\alpha_{ij} = 1 \text{ where } j = \arg\max_l e_{il}",
    reference="Xu et al. (2015), arXiv:1502.03044",
    normalizer="arg max",
    gradient="None reaches q or k: the weights are piecewise constant.",
    prepare=lambda call: Parts(scaling=INVERSE_SQRT, normalize=hard),
)
HARD_SAMPLED = replace(
    HARD,
    title="Hard, sampled",
    formula=r"s_i \sim \mathrm{Multinoulli}(\mathrm{softmax}(e_i))",
    reference="Xu et al. (2015), arXiv:1502.03044, section 4.1",
    normalizer="sample",
    gradient="None by backpropagation; an estimate from many samples (the score function) takes its place.",
    prepare=_sampled,
)
