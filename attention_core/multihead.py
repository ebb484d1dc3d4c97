"""MultiHead(X) = Concat(head_1, …, head_h) W_O with one weight matrix per head."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from attention_core.attention import AttentionTrace, Score, attend, dot
from attention_core.finite import mapped
from attention_core.normalizers import Normalize, softmax
from attention_core.scalings import INVERSE_SQRT, Scaling


class MultiHeadAttention(nn.Module):
    r"""$\mathrm{Concat}(\mathrm{head}_1, \dots, \mathrm{head}_h)\,W^O = \sum_i \mathrm{head}_i W^O_i$,
    $\mathrm{head}_i = \mathrm{Attention}(XW^Q_i, MW^K_i, MW^V_i)$.

    M (`memory`) is X itself in self-attention and another sequence in cross-attention. Every weight is drawn from
    N(0, 1/d_model) (W_O from N(0, 1/(h·d_v))) by one seeded generator, so unit-variance x gives unit-variance q and k:
    the assumption behind 1/√d_k, which nn.Linear's default initialisation (variance 1/(3·d_model)) hides. The first d_k
    columns of a wider draw with the same seed are the same numbers. Source: Vaswani et al. 2017, arXiv:1706.03762,
    section 3.2.2.
    """

    def __init__(
        self,
        *,
        d_model: int,
        n_head: int,
        d_k: int,
        d_v: int,
        seed: int = 0,
        score: Score = dot,
        scaling: Scaling = INVERSE_SQRT,
        normalize: Normalize = softmax,
    ) -> None:
        super().__init__()
        for name, size in (("d_model", d_model), ("n_head", n_head), ("d_k", d_k), ("d_v", d_v)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size}")
        self.score, self.scaling, self.normalize = score, scaling, normalize
        generators = (torch.Generator().manual_seed(4 * seed + i) for i in range(4))
        self.W_Q, self.W_K = (_columns(n_head, d_model, d_k, next(generators)) for _ in range(2))
        self.W_V = _columns(n_head, d_model, d_v, next(generators))
        W_O = torch.randn(n_head, d_v, d_model, generator=next(generators)) * (n_head * d_v) ** -0.5
        self.W_O = nn.Parameter(W_O)

    def forward(
        self,
        x: Float[Tensor, "*batch n_q d_model"],
        memory: Float[Tensor, "*batch n_k d_model"] | None = None,
        allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
    ) -> Float[Tensor, "*batch n_q d_model"]:
        """The output of the layer: exactly what `trace` shows, mixed by W_O."""
        return self.output(self.trace(x, memory, allowed))

    def trace(
        self,
        x: Float[Tensor, "*batch n_q d_model"],
        memory: Float[Tensor, "*batch n_k d_model"] | None = None,
        allowed: Bool[Tensor, "*#mask #n_q #n_k"] | None = None,
        bias: Float[Tensor, "*#mask #n_q #n_k"] | None = None,
    ) -> AttentionTrace:
        """Every stage of every head; the head is the axis before the last two."""
        memory = x if memory is None else memory
        return attend(
            project(x, self.W_Q),
            project(memory, self.W_K),
            project(memory, self.W_V),
            score=self.score,
            scaling=self.scaling,
            normalize=self.normalize,
            allowed=allowed,
            bias=bias,
        )

    def output(self, trace: AttentionTrace) -> Float[Tensor, "*batch n_q d_model"]:
        """Concat(head_1, …, head_h) W_O."""
        return mix(trace.context, self.W_O)


def project(
    x: Float[Tensor, "*batch n d_model"], W: Float[Tensor, "h d_model d"], b: Float[Tensor, "h d"] | None = None
) -> Float[Tensor, "*batch h n d"]:
    """x W_i + b_i for every head i. A row of x that is not finite is a constant: W learns nothing from it."""
    projected = mapped(lambda x: torch.einsum("...nm,hmd->...hnd", x, W), x, lambda rows: rows.unsqueeze(-3))
    return projected if b is None else projected + b[:, None, :]


def concatenate(context: Float[Tensor, "*batch h n d_v"]) -> Float[Tensor, "*batch n h*d_v"]:
    """Concat(head_1, …, head_h): the heads side by side."""
    return context.transpose(-3, -2).flatten(-2)


def mix(
    context: Float[Tensor, "*batch h n d_v"],
    W_O: Float[Tensor, "h d_v d_model"],
    b_O: Float[Tensor, " d_model"] | None = None,
) -> Float[Tensor, "*batch n d_model"]:
    """Concat(head_1, …, head_h) W_O + b_O = Σ_i head_i W_O_i + b_O; from what is not finite W_O learns nothing."""
    output = mapped(lambda x: x @ W_O.flatten(0, 1), concatenate(context))
    return output if b_O is None else output + b_O


def _columns(n_head: int, d_model: int, d: int, generator: torch.Generator) -> nn.Parameter:
    """N(0, 1/d_model), drawn column by column so that a wider matrix begins with the narrower one."""
    count = d * n_head * d_model
    # torch draws normals in blocks of 16: only whole blocks make the first numbers independent of how many follow.
    drawn = torch.randn(-(-count // 16) * 16, generator=generator)[:count] * d_model**-0.5
    return nn.Parameter(drawn.reshape(d, n_head, d_model).permute(1, 2, 0).contiguous())
