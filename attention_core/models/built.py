"""How an attention layer is built, as far as trying it tells, and the way back from its queries to its W_Q."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Way = Literal["projected", "turned", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """How a layer is built, as far as trying it tells: what words about it have to know.

    `query` and `key`: what becomes of x W before it is q or k: nothing ("projected"), a turn that keeps its length, as
    by rotary positions ("turned"), or anything else ("changed"). `query_scale`: the factor by which q has been
    multiplied by then. `key_heads`: how many different k and v there are, each for as many queries (0: one a head).
    `normalised`: whether x is a normalised copy of what the layer was given; None where that is not known.
    `layers_of_W_Q`: how many layers share this W_Q; 0 where no single matrix makes q of x.
    """

    query: Way = "projected"
    key: Way = "projected"
    query_scale: float = 1.0
    key_heads: int = 0
    normalised: bool | None = False
    layers_of_W_Q: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class QuerySource:
    r"""Where the q of a layer comes from, in a run with a graph: the way back from q to the parameter W_Q.

    `back` takes ∂L/∂q to ∂L/∂(x W_Q), through whatever stands between: rotary positions, a norm, a factor. Where a norm
    is taken over all heads together, `mixes`, the W_Q of one head gets gradient from the q of every other.
    """

    x: Float[Tensor, "n d_model"]
    back: Callable[[Float[Tensor, "h n d_k"]], Float[Tensor, "h n d"]]
    mixes: bool = False

    def d_W_Q(self, d_q: Float[Tensor, "h n d_k"]) -> Float[Tensor, "h d_model d"]:
        r"""$\partial L/\partial W_Q = x^\top\,\partial L/\partial(x W_Q)$ of every head, from ∂L/∂q."""
        return self.x.detach().to(d_q.dtype).mT @ self.back(d_q)


def way_back(q: Float[Tensor, "h n d_k"], projected: Float[Tensor, "..."]) -> Callable[[Tensor], Tensor]:
    """∂L/∂q → ∂L/∂projected along the graph between the two, which stays."""
    return lambda d_q: torch.autograd.grad(q, projected, d_q.to(q.dtype), retain_graph=True)[0].to(d_q.dtype)
