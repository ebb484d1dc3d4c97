"""What rows let through of a gradient, in closed forms whose logarithm stands apart: exact however far they saturate.

Autograd multiplies by weights that have been rounded: at a gap of 17 float32 loses what the winner of a row passes on,
and squares of what the others pass on underflow soon after.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

FREE = ("softmax1", "sigmoid")  # normalizers whose rows sum to something else than 1
ROUNDING = 16  # ε of the largest number, within which two are equal


def slopes(
    normalizer: str,
    logits: Float[Tensor, "*batch n_q n_k"],
    weights: Float[Tensor, "*batch n_q n_k"],
    d_weights: Float[Tensor, "*batch n_q n_k"],
    bent: Float[Tensor, "*batch n_q n_k"],
    counts: Int[Tensor, "*#batch #n_q 1"],
) -> tuple[Float[Tensor, "*batch n_q n_k"], Float[Tensor, "*batch n_q"]]:
    r"""a and ln c of every row with ∂L/∂scores = c·a, from ∂L/∂weights; a is 0 where nothing at all comes through.

    `bent` is ln of the slope of what bends the scores before the normalizer (the soft cap); `counts`: how many keys a
    row has. Of a softmax row with largest weight p_m and runner-up r, $\partial s_j = r e_j(d_j - ru)$ and
    $\partial s_m = -p_m r u$, where e_j = p_j/r, u = Σ e_j d_j, and d is shifted to 0 at m: only r becomes small, and
    its logarithm is exact. A key with the score and the value of m is no runner-up: it has the slope of m. Logits are
    −∞ where a key is not there; a row without any has logits 0 and gradient 0.
    """
    match normalizer:
        case "softmax":
            d_scores, small = _through_softmax(logits, d_weights)
        case "softmax1":  # one more key of score 0 and value 0
            d_scores, small = _through_softmax(F.pad(logits, (0, 1)), F.pad(d_weights, (0, 1)))
            d_scores = d_scores[..., :-1]
        case "sigmoid":
            d_scores, small = _through_sigmoid(logits - counts.to(logits.dtype).clamp(min=1).log(), d_weights)
        case "sparsemax":
            d_scores, small = _through_support((weights > 0).to(weights.dtype), d_weights)
        case "entmax15":
            d_scores, small = _through_support(weights.sqrt(), d_weights)
        case "hard":  # flat wherever it is not a jump
            d_scores, small = torch.zeros_like(logits), torch.zeros_like(logits[..., 0])
        case _:
            raise ValueError(f"no gradient is known for {normalizer}")
    flattest = bent.amax(dim=-1, keepdim=True)
    return d_scores * (bent - flattest).exp(), small + flattest[..., 0]


def _through_softmax(logits: Tensor, d_weights: Tensor) -> tuple[Tensor, Tensor]:
    if logits.shape[-1] == 1:  # nothing to share
        return torch.zeros_like(logits), torch.zeros_like(logits[..., 0])
    log_p = logits.log_softmax(dim=-1)
    winner = log_p.argmax(dim=-1, keepdim=True)
    shifted = d_weights - d_weights.gather(-1, winner)
    # Keys with the winner's score and value stand beside it: between them nothing goes to and fro.
    best = logits.gather(-1, winner)
    twins = _equal(logits, best, best.abs()) & _equal(shifted, 0.0, d_weights.abs().amax(dim=-1, keepdim=True))
    others = log_p.masked_fill(twins, -math.inf)
    second = others.amax(dim=-1, keepdim=True)
    second = second.masked_fill(second.isneginf(), 0.0)  # no other key: no e_j is left, so u is 0
    e = (others - second).exp()
    u = (e * shifted).sum(dim=-1, keepdim=True)
    return torch.where(twins, -log_p.exp() * u, e * (shifted - second.exp() * u)), second[..., 0]


def _equal(x: Tensor, y: Tensor | float, size: Tensor) -> Tensor:
    """Equal but for rounding, of numbers computed from others of this size."""
    return (x - y).abs() <= ROUNDING * torch.finfo(x.dtype).eps * size


def _through_sigmoid(logits: Tensor, d_weights: Tensor) -> tuple[Tensor, Tensor]:
    log_slope = F.logsigmoid(logits) + F.logsigmoid(-logits)
    small = log_slope.amax(dim=-1)
    return (log_slope - small[..., None]).exp() * d_weights, small


def _through_support(s: Tensor, d_weights: Tensor) -> tuple[Tensor, Tensor]:
    """The Jacobian diag(s) − ssᵀ/Σs: of sparsemax, s = 1 on the support; of 1.5-entmax, s = √α."""
    inside = s.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(s.dtype).tiny)
    d_scores = s * (d_weights - (s * d_weights).sum(dim=-1, keepdim=True) / inside)
    # What sums to 0 over a single key is 0, not what rounding leaves of it.
    d_scores = d_scores.masked_fill((s > 0).sum(dim=-1, keepdim=True) < 2, 0.0)
    return d_scores, torch.zeros_like(d_scores[..., 0])


def through(
    normalizer: str,
    logits: Float[Tensor, "*batch n_q n_k"],
    weights: Float[Tensor, "*batch n_q n_k"],
    d_weights: Float[Tensor, "*batch n_q n_k"],
    bent: Float[Tensor, "*batch n_q n_k"],
    counts: Int[Tensor, "*#batch #n_q 1"],
) -> Float[Tensor, "*batch n_q"]:
    """ln ‖∂L/∂scores‖ of every row, see `slopes`; −∞ only where nothing at all comes through."""
    d_scores, log_size = slopes(normalizer, logits, weights, d_weights, bent, counts)
    return log_size + torch.linalg.vector_norm(d_scores, dim=-1).log()


def log_cosh(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """ln cosh x, which overflows nowhere; the slope of tanh is its −2-fold as a logarithm."""
    return x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)
