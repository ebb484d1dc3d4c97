"""How far a gradient reaches before anything is trained: through time it is a product, through attention one step.

h_T of a recurrent layer depends on x_t through the product of the Jacobians ∂h_{s+1}/∂h_s, s = t … T − 1, which decays
like ρ^(T−t) (Hochreiter 1991; Bengio et al. 1994, doi:10.1109/72.279181). Here ‖∂(r·h_T)/∂x_t‖ is measured by autograd.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.experiments.base import stream
from attention_core.experiments.recurrent import RECURRENT, last_state, layer
from attention_core.multihead import MultiHeadAttention

ATTENTION = "attention"
LAYER_KINDS = (ATTENTION, *RECURRENT)
LONGEST = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientReach:
    """Which layer, how long a sequence, how wide. Hashable; raises ValueError for what cannot be built."""

    kind: str = ATTENTION
    length: int = 64
    d: int = 64
    batch: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in LAYER_KINDS:
            raise ValueError(f"the layer must be {', '.join(LAYER_KINDS)}; not {self.kind!r}")
        if not 2 <= self.length <= LONGEST:
            raise ValueError(f"the sequence must have 2 to {LONGEST} tokens, not {self.length}")


def gradient_reach(config: GradientReach, x: Float[Tensor, "b n d"] | None = None) -> Float[Tensor, " n"]:
    r"""$\lVert\partial(r \cdot h)/\partial x_t\rVert$ at distance 0, 1, … n − 1 from the end, relative to distance 0.

    h is what the layer hands on; in attention a learned token, drawn N(0, 1), asks all positions. r is N(0, 1). Mean
    over the batch, float64. `x` is N(0, 1) unless the reader's own sentence is given. A bidirectional layer also begins
    at the other end: its curve rises again.
    """
    if x is None:
        x = torch.randn(config.batch, config.length, config.d, generator=stream(config.seed, "x"))
    x = x.double().requires_grad_()
    if config.kind == ATTENTION:
        attention = MultiHeadAttention(d_model=x.shape[-1], n_head=1, d_k=config.d, d_v=config.d, seed=config.seed)
        asks = torch.randn(len(x), 1, x.shape[-1], generator=stream(config.seed, "asks"), dtype=torch.float64)
        out = attention.double()(asks, x)[:, 0]
    else:
        module = layer(config.kind, x.shape[-1], config.d, stream(config.seed, "weights")).double()
        out = last_state(module, x)
    direction = torch.randn(out.shape, generator=stream(config.seed, "direction"), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((direction * out).sum(), x)
    size = gradient.norm(dim=-1).mean(dim=0).flip(0)
    return size / size[0]


def decay(reach: Float[Tensor, " n"]) -> float:
    r"""ρ of the line through $\ln \mathrm{reach}(d) \approx d \ln\rho + c$ (least squares, where reach is not 0)."""
    distance = torch.arange(len(reach), dtype=torch.float64)[reach > 0]
    logs = reach.double()[reach > 0].log()
    centred = distance - distance.mean()
    return math.exp(float((centred * logs).sum() / centred.square().sum()))


def sequential_depth(kind: str, n: int) -> int:
    """Steps that must wait for one another: n in a recurrent layer, 1 in attention (Vaswani et al. 2017, table 1)."""
    return 1 if kind == ATTENTION else n


def path_length(kind: str, n: int) -> int:
    """Steps, from one token to the next, between the first token and the last: n − 1; in attention 1 layer.

    A bidirectional layer answers at both ends; the middle token is the furthest, ⌈n/2⌉ − 1 steps from the nearer one.
    """
    if kind == ATTENTION:
        return 1
    return -(-n // 2) - 1 if kind.startswith("bi") else n - 1
