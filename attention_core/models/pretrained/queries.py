"""Which linear map makes the q of an attention module of its X, found by following the graph of one forward pass.

What stands between the map and q does not matter: rotary positions, a norm, a factor, a fused map of which q is a
part. The gradient of W_Q goes back through all of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention_core.models.built import QuerySource, way_back
from attention_core.models.pretrained.matrices import matrix
from attention_core.models.pretrained.recording import AttentionCall

Flow = tuple[Tensor, Tensor]  # what a map read and what it made, in one call
Flows = dict[nn.Module, list[Flow]]
DIRECTIONS = 3
LEAST = 0.6  # of the outputs, that agree with a layout; of six heads a sixth would by chance


@dataclass(frozen=True, slots=True, eq=False)
class QueryMap:
    """A linear map, which of its outputs are the W_Q of which head, and whether a norm of all heads follows."""

    linear: nn.Module
    columns: Int[Tensor, "h d_k"]
    mixes: bool

    def source(self, call: AttentionCall) -> QuerySource | None:
        """The way back from the q of this call, in a run with a graph."""
        if call.projected is None or call.projected[0] is not self.linear:
            return None
        _, x, output = call.projected
        back = way_back(call.q, output)
        return QuerySource(x=_rows(x), back=lambda d_q: self.per_head(back(d_q)), mixes=self.mixes)

    def per_head(self, output: Float[Tensor, "*one n width"]) -> Float[Tensor, "h n d_k"]:
        """The columns of each head."""
        return _rows(output)[:, self.columns].movedim(0, 1)

    def projected(self, x: Float[Tensor, "n d_model"]) -> Float[Tensor, "h n d_k"]:
        """x W_Q + b_Q, with nothing done to it."""
        linear = matrix(self.linear)
        assert linear is not None
        W, b = linear
        return self.per_head(x @ W if b is None else x @ W + b)


def query_maps(calls: Sequence[AttentionCall], flows: Flows) -> list[QueryMap | None]:
    """For every call of a pass with a graph: the map, or None where more than one leads to q, or none from X."""
    of_module, turn = Counter(id(call.module) for call in calls), Counter[int]()
    maps = []
    for call in calls:
        inner = [(module, flows[module]) for module in call.module.modules() if module in flows]
        maps.append(_query_map(call, inner, turn[id(call.module)], of_module[id(call.module)]))
        turn[id(call.module)] += 1
    return maps


def _query_map(
    call: AttentionCall, inner: list[tuple[nn.Module, list[Flow]]], turn: int, turns: int
) -> QueryMap | None:
    """`turn` of `turns`: a module that is many layers is called many times, and so is each of its maps."""
    regular = [(module, calls[turn]) for module, calls in inner if len(calls) == turns]
    irregular = [flow for _, calls in inner if len(calls) != turns for flow in calls]
    leading = [(module, flow) for module, flow in regular if _leads(flow, call.q)]
    if len(leading) != 1 or any(_leads(flow, call.q) for flow in irregular):
        return None
    (linear, (read, output)), x = leading[0], call.x
    if x is None or not torch.equal(_rows(read), x):
        return None
    return _by_head(linear, output, call.q)


def _leads(flow: Flow, q: Tensor) -> bool:
    (reached,) = torch.autograd.grad(q, flow[1], torch.ones_like(q), retain_graph=True, allow_unused=True)
    return reached is not None


def _by_head(linear: nn.Module, output: Tensor, q: Float[Tensor, "h n d_k"]) -> QueryMap | None:
    """Whose q each output moves, and where a norm of all heads follows, whose most."""
    influence = _influence(output, q)
    mixes = bool(((influence > 0).sum(dim=0) > 1).any())
    used = influence.any(dim=0).nonzero()[:, 0]
    owner = influence[:, used].argmax(dim=0)
    columns = [used[owner == head] for head in range(len(q))]
    if mixes or len({len(one) for one in columns}) != 1:
        laid_out = _laid_out(used, owner, influence.shape[-1], q, LEAST if mixes else 1.0)
        return None if laid_out is None else QueryMap(linear, laid_out, mixes)
    return QueryMap(linear, torch.stack(columns), mixes)


def _laid_out(
    used: Tensor, owner: Tensor, width: int, q: Float[Tensor, "h n d_k"], least: float
) -> Int[Tensor, "h d_k"] | None:
    """The outputs of each head in the layout that agrees: the queries first, or q, k and v of each head.

    Asked where outputs alone do not tell: some move nothing on these tokens, as those that a model clips, or one moves
    the q of all heads. `least`: the share of outputs that have to agree.
    """
    h, d_k = len(q), q.shape[-1]
    places = torch.arange(width)
    layouts = [places[: h * d_k].view(h, d_k)] if width >= h * d_k else []
    layouts += [places.view(h, 3, d_k)[:, 0]] if width == 3 * h * d_k else []
    for columns in layouts:
        agree = (columns[owner] == used[:, None]).any(dim=-1)
        if bool(torch.isin(used, columns).all()) and float(agree.float().mean()) >= least:
            return columns
    return None


def _influence(output: Tensor, q: Float[Tensor, "h n d_k"]) -> Float[Tensor, "h width"]:
    """How much each output moves the q of each head: the norm of its Jacobian, from a few random directions."""
    generator = torch.Generator().manual_seed(0)
    squares = torch.zeros(len(q), output.shape[-1], dtype=q.dtype)
    for head in range(len(q)):
        for _ in range(DIRECTIONS):
            direction = torch.zeros_like(q)
            direction[head] = torch.randn(q.shape[1:], generator=generator)
            (slope,) = torch.autograd.grad(q, output, direction, retain_graph=True)
            squares[head] += _rows(slope).square().sum(dim=0)
    return squares.sqrt()


def _rows(states: Float[Tensor, "*one n d"]) -> Float[Tensor, "n d"]:
    """The states of the only sequence."""
    return states.flatten(0, -2)
