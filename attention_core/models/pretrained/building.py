"""How each attention layer is built, as one forward pass shows it: no table of architectures."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention_core.models.base import Projections
from attention_core.models.built import Built, Way
from attention_core.models.pretrained.hooks import hooked
from attention_core.models.pretrained.matrices import close, matrix, ratio
from attention_core.models.pretrained.queries import Flows, QueryMap, query_maps
from attention_core.models.pretrained.recording import AttentionCall, recording
from attention_core.multihead import project


def layers_built(
    name: str, model: nn.Module, probe: dict[str, Tensor], projections: Sequence[Projections]
) -> tuple[list[QueryMap | None], list[Built]]:
    """The map that makes q, and all that words have to know, of every attention layer."""
    blocks = _blocks(model)
    children = {child for block in blocks.values() for child in block.children()}
    linears = {module for module in model.modules() if matrix(module) is not None}
    with (
        torch.enable_grad(),
        recording(name, grad=True) as recorder,
        _watching(linears | children | set(blocks.values())) as flows,
    ):
        model(**probe)
    calls = recorder.calls
    maps = query_maps(calls, {module: flows[module] for module in linears if module in flows})
    sharing = Counter(id(one.linear) for one in maps if one is not None)
    normalised = [_normalised(call, blocks.get(call.module), flows, _turn(calls, at)) for at, call in enumerate(calls)]
    return maps, [
        Built(
            query=_way(call.x, own.W_Q, own.b_Q, call.q),
            key=_way(call.memory, own.W_K, own.b_K, call.trace.k),
            query_scale=_query_scale(one, call),
            key_heads=_different(call.trace.k),
            normalised=normal,
            layers_of_W_Q=0 if one is None else sharing[id(one.linear)],
        )
        for call, own, one, normal in zip(calls, projections, maps, normalised, strict=True)
    ]


@contextlib.contextmanager
def _watching(modules: set[nn.Module]) -> Iterator[Flows]:
    """What each module read and made in one pass; the graph begins at the latest at what it made."""
    flows: Flows = {}

    def remember(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Tensor | None:  # noqa: ANN401
        read = args[0] if args else kwargs.get("hidden_states")
        if not isinstance(read, Tensor):
            return None
        written = output if isinstance(output, Tensor) else read
        if isinstance(output, Tensor) and not output.requires_grad and output.is_floating_point():
            output.requires_grad_()
        flows.setdefault(module, []).append((read, written))
        return output.clone() if isinstance(output, Tensor) else None  # a model may go on in place

    with hooked(module.register_forward_hook(remember, with_kwargs=True) for module in modules):
        yield flows


def _blocks(model: nn.Module) -> dict[nn.Module, nn.Module]:
    """Of every module the nearest one around it that stands in a list, as layers do."""
    names = dict(model.named_modules())
    blocks = {}
    for name, module in names.items():
        path = name.split(".")
        places = [at for at in range(len(path) - 1) if path[at].isdigit()]
        if places:
            blocks[module] = names[".".join(path[: places[-1] + 1])]
    return blocks


def _turn(calls: Sequence[AttentionCall], at: int) -> tuple[int, int]:
    """The how many-th call of its module this is, and of how many."""
    places = [place for place, call in enumerate(calls) if call.module is calls[at].module]
    return places.index(at), len(places)


def _normalised(call: AttentionCall, block: nn.Module | None, flows: Flows, turn: tuple[int, int]) -> bool | None:
    """Whether X is what a module of the block made of what the block was given; None where it is neither."""
    at, times = turn
    x, given = call.x, flows.get(block, []) if block is not None else []
    if x is None or call.memory is not x or len(given) != times:
        return None
    entered = given[at][0].flatten(0, -2)
    if torch.equal(entered, x):
        return False
    assert block is not None
    inside = [flows[child][at] for child in block.children() if len(flows.get(child, [])) == times]
    norms = [_same(read, entered) and _same(output, x) for read, output in inside]
    return True if any(norms) else None


def _same(states: Tensor, rows: Tensor) -> bool:
    return states.shape[-1] == rows.shape[-1] and torch.equal(states.flatten(0, -2), rows)


def _way(source: Tensor | None, W: Tensor | None, b: Tensor | None, used: Tensor) -> Way:
    """What becomes of source W + b before it is used. W is shown only where it gives what is used, or its lengths."""
    if source is None or W is None:
        return "changed"
    return "projected" if close(project(source, W, b), used) else "turned"


def _query_scale(one: QueryMap | None, call: AttentionCall) -> float:
    """The factor between the lengths of x W_Q and of q; 1 where it is another one for every token."""
    if one is None or call.x is None:
        return 1.0
    factor = ratio(*(vectors.detach().norm(dim=-1) for vectors in (one.projected(call.x), call.q)))
    return 1.0 if factor is None else factor


def _different(k: Float[Tensor, "h n d_k"]) -> int:
    """How many keys are different ones, where queries share them; 0 where every head has its own."""
    different = sum(not torch.equal(one, other) for one, other in zip(k[1:], k[:-1], strict=True)) + 1
    return 0 if different == len(k) else different
