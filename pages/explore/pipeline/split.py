"""How one big projection becomes many heads: view, transpose, and the error that view gives on the way back. Pure."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.models import LayerTrace


@dataclass(frozen=True, slots=True)
class Step:
    """One line of torch, what came out of it, and the error torch raised, if it did."""

    code: str
    shape: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    contiguous: bool = True
    error: str = ""


def split_into_heads(layer: LayerTrace) -> list[Step]:
    """Really run on this layer: X W_Q → (n, h·d_k) → (h, n, d_k) and back, with and without contiguous()."""
    n_head, n, d_k = layer.attention.q.shape
    first, together = _together(layer)
    viewed = together.view(n, n_head, d_k)
    heads = viewed.transpose(0, 1)
    back = heads.transpose(1, 2).transpose(1, 2)  # still the transposed strides
    steps = [
        _step(first, together),
        _step(f"Q_all.view({n}, {n_head}, {d_k})", viewed),
        _step(f"heads = Q_all.view({n}, {n_head}, {d_k}).transpose(0, 1)", heads),
    ]
    code = f"heads.view({n_head}, {n * d_k})"
    try:
        back.view(n_head, n * d_k)
    except RuntimeError as error:
        steps.append(Step(code, error=str(error)))
    else:  # one head or one token: the strides happen to fit
        steps.append(_step(code, back.view(n_head, n * d_k)))
    steps += [
        _step(f"heads.contiguous().view({n_head}, {n * d_k})", heads.contiguous().view(n_head, n * d_k)),
        _step(f"heads.transpose(0, 1).reshape({n}, {n_head * d_k})", heads.transpose(0, 1).reshape(n, n_head * d_k)),
    ]
    assert torch.equal(heads.transpose(0, 1).reshape(n, n_head * d_k), together)
    return steps


def _together(layer: LayerTrace) -> tuple[str, Tensor]:
    """One projection for all heads, as libraries compute it; where W_Q is not exposed, the heads side by side."""
    n_head, n, d_k = layer.attention.q.shape
    W, b = layer.projections.W_Q, layer.projections.b_Q
    if layer.x is None or W is None:
        code = f"Q_all = q.transpose(0, 1).reshape({n}, {n_head * d_k})"
        return code, layer.attention.q.transpose(0, 1).reshape(n, n_head * d_k)
    product = layer.x @ W.transpose(0, 1).flatten(1)
    return ("Q_all = x @ W_Q_all", product) if b is None else ("Q_all = x @ W_Q_all + b_Q_all", product + b.flatten())


def _step(code: str, tensor: Tensor) -> Step:
    return Step(code, tuple(tensor.shape), tensor.stride(), tensor.is_contiguous())
