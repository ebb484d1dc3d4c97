"""Which matrices an attention module uses: every linear map inside it is tried once, and shown only if it fits.

A map is accepted where it gives, from the hidden states that went in, the very q, k, v or output that the module used.
No table of architectures.
"""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from attention_core.models.base import Projections
from attention_core.models.pretrained.hooks import hooked
from attention_core.models.pretrained.recording import AttentionCall
from attention_core.multihead import concatenate, project

Flows = dict[nn.Module, list[Tensor]]  # what each linear map read during one forward pass
Map = tuple[str, Tensor, Tensor | None]  # which of Q, K and V it may be ("": any), W and b, one matrix a head


@contextlib.contextmanager
def watch_linears(model: nn.Module) -> Iterator[Flows]:
    """The inputs of every linear map during one forward pass, to see which of them reads which tensor."""
    flows: Flows = {}

    def remember(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        flows.setdefault(module, []).extend(args[:1])

    linears = (module for module in model.modules() if matrix(module) is not None)
    with hooked(module.register_forward_pre_hook(remember) for module in linears):
        yield flows


def projections_of(call: AttentionCall, flows: Flows) -> Projections:
    """The matrices of one attention module, each accepted only if it gives the tensor the module really used."""
    if call.x is None or call.memory is None:
        return Projections()
    trace = call.trace
    maps = list(_candidates(call.module, trace.q.shape[0], flows))
    W_Q, b_Q = _fitting(maps, "Q", call.x, trace.q)
    W_K, b_K = _fitting(maps, "K", call.memory, trace.k)
    W_V, b_V = _fitting(maps, "V", call.memory, trace.v)
    W_O, b_O = _reading(flows, trace.context)
    return Projections(W_Q=W_Q, W_K=W_K, W_V=W_V, W_O=W_O, b_Q=b_Q, b_K=b_K, b_V=b_V, b_O=b_O)


def _fitting(maps: list[Map], role: str, source: Tensor, used: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """W and b of the first map that may play this role and gives what was used of `source`."""
    for may_be, W, b in maps:
        fits = may_be in ("", role) and W.shape[1] == source.shape[-1]
        factor = _factor(role, source, W, b, used) if fits else None
        if factor is not None:
            return (W * factor).contiguous(), None if b is None else b * factor
    return None, None


def _reading(flows: Flows, context: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """W_O and b_O: the linear map that reads the heads' contexts side by side."""
    joined = concatenate(context)
    for module, inputs in flows.items():
        linear = matrix(module)
        reads = any(read.shape[-2:] == joined.shape and torch.equal(read[0], joined) for read in inputs)
        if linear is not None and reads:
            W, b = linear
            return W.unflatten(0, (context.shape[0], -1)).contiguous(), b
    return None, None


def matrix(module: nn.Module) -> tuple[Tensor, Tensor | None] | None:
    """(W, b) with output = input @ W + b, for the linear modules transformers uses."""
    if isinstance(module, nn.Linear):
        return module.weight.T, module.bias
    if type(module).__name__ == "Conv1D":  # GPT-2's: already d_in × d_out
        return module.weight, module.bias  # type: ignore[return-value]
    return None


def _candidates(module: nn.Module, n_head: int, flows: Flows) -> Iterator[Map]:
    """Every way the linear maps inside an attention module can be read as per-head matrices: (role, W, b).

    A separate map may be of any role; a fused one is read as [Q | K | V] side by side (GPT-2; with fewer keys Phi-3)
    and as Q, K, V per head (GPT-NeoX). Key heads that serve several query heads are repeated.
    """
    separate = {"q": "Q", "k": "K", "v": "V"}
    for path, inner in module.named_modules():
        linear = matrix(inner)
        if linear is None or inner not in flows:
            continue
        W, b = linear
        role = separate.get(path[:1], "")
        yield from _readings(W, b, n_head, role)


def _readings(W: Tensor, b: Tensor | None, n_head: int, role: str) -> Iterator[Map]:
    width = W.shape[1]
    for groups in _divisors(n_head):
        if width % groups == 0:
            yield role, _per_head(W, groups, n_head), None if b is None else _per_head(b[None], groups, n_head)[:, 0]
    for groups in _divisors(n_head)[1:]:  # [Q | K | V] with fewer keys than queries
        if width % (n_head + 2 * groups) == 0:
            yield from _side_by_side(W, b, (n_head, groups, groups))
    if width % (3 * n_head) == 0:
        for order, axis in (((3, n_head), 0), ((n_head, 3), 1)):
            split = W.reshape(W.shape[0], *order, -1).movedim(1 + axis, 0)
            split_b = None if b is None else b.reshape(*order, -1).movedim(axis, 0)
            for i, kind in enumerate("QKV"):
                yield kind, split[i].movedim(1, 0), None if split_b is None else split_b[i]


def _side_by_side(W: Tensor, b: Tensor | None, counts: tuple[int, int, int]) -> Iterator[Map]:
    """[Q | K | V] of so many heads each."""
    widths = [count * (W.shape[1] // sum(counts)) for count in counts]
    biases = (None, None, None) if b is None else b.split(widths)
    for kind, part, bias, count in zip("QKV", W.split(widths, dim=1), biases, counts, strict=True):
        apart = None if bias is None else _per_head(bias[None], count, counts[0])[:, 0]
        yield kind, _per_head(part, count, counts[0]), apart


def _divisors(n: int) -> list[int]:
    return [g for g in range(n, 0, -1) if n % g == 0]


def _per_head(W: Tensor, groups: int, n_head: int) -> Tensor:
    """d_in × (groups·d) → n_head × d_in × d, each group repeated for the query heads it serves."""
    return W.reshape(W.shape[0], groups, -1).movedim(1, 0).repeat_interleave(n_head // groups, dim=0)


def _factor(role: str, source: Tensor, W: Tensor, b: Tensor | None, used: Tensor) -> float | None:
    """The factor c with c·(source W + b) = the q, k or v that was used; None if there is none.

    Some models scale q before they hand it over (OPT, Whisper): c is then folded into W_Q. Rotary positions turn q and
    k without changing the length of any vector, so for those lengths decide, equal or all scaled alike (ESM).
    Normalised queries and keys leave the matrix unconfirmed, and it is not shown.
    """
    if (len(W), len(source), W.shape[-1]) != tuple(used.shape):
        return None
    projected = project(source, W, b)
    if role == "V":
        return 1.0 if close(projected, used) else None
    factor = ratio(projected, used)
    return ratio(projected.norm(dim=-1), used.norm(dim=-1)) if factor is None else factor


def ratio(given: Tensor, used: Tensor) -> float | None:
    """The one factor between two tensors, 1 where they are equal; None where there is none, but for rounding."""
    if close(given, used):
        return 1.0
    factor = float((given * used).sum() / given.square().sum())
    return factor if close(given * factor, used) else None


def close(given: Tensor, used: Tensor) -> bool:
    """Equal but for rounding."""
    return torch.allclose(given, used, rtol=1e-4, atol=1e-5)  # noqa: TID251 a decision, not an assertion
