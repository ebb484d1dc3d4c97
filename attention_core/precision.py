"""Half precision as torch's fused attention has it: stages are kept in 16 bits, and the next one is computed from
float32. A score of 40 · 40 · 64 is ∞ in float16, and what the softmax sees of it, divided by √64, is a number.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import FunctionCtx


class Stage(NamedTuple):
    """A stage as it is kept, and as the next one reads it: the same tensor from 32 bits on."""

    kept: Float[Tensor, "*shape"]
    exact: Float[Tensor, "*shape"]


def wide(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """At least float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def staged(exact: Float[Tensor, "*shape"], dtype: torch.dtype, before: Stage | None = None) -> Stage:
    """The stage to keep in `dtype`; `before`: the last one, which this is where nothing was done to it."""
    if before is not None and exact is before.exact:
        return before
    if dtype.itemsize >= torch.float32.itemsize:
        return Stage(exact, exact)
    kept = exact.to(dtype)
    return Stage(kept, _Unrounded.apply(kept, exact) if kept.requires_grad else exact)  # type: ignore[arg-type]


class _Unrounded(torch.autograd.Function):
    """`exact` as it was before it was rounded to `kept`. Its gradient is that of `kept`, and what rounding that loses
    passes by, straight to `exact`.
    """

    @staticmethod
    def forward(kept: Tensor, exact: Tensor) -> Tensor:
        return exact.clone()

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.dtype = inputs[0].dtype  # type: ignore[attr-defined]

    @staticmethod
    def backward(ctx: FunctionCtx, *slopes: Tensor) -> tuple[Tensor, Tensor]:
        rounded = slopes[0].to(ctx.dtype)  # type: ignore[attr-defined]
        return rounded, slopes[0] - rounded
