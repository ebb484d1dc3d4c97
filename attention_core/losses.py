"""The same layer under three losses: where the gradient dies for all of them, and where it does not."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import AttentionTrace, attend, dot, gradients
from attention_core.saturated_rows import narrow
from attention_core.saturation import Probe
from attention_core.scalings import by

LOSSES = ("direction", "token", "weights")
GRADIENTS = ("d_scores", "d_W_Q", "d_W_K")


def objective(probe: Probe, trace: AttentionTrace, loss: str, target: int) -> Float[Tensor, ""]:
    r"""`direction`: $\sum_i \langle d_i, o_i\rangle$, the output read along the probe's direction.

    `token`: $-\sum_i \ln\mathrm{softmax}(o_i X^\top/\sqrt{d_{model}})_t$, the output should name token t.
    `weights`: $-\sum_i \ln\alpha_{it}$, the attention itself should be at token t; its gradient α − 1_t does not pass
    the Jacobian of the softmax at all: the two cancel, so a confident mistake is corrected at full strength.
    """
    if loss == "weights":
        return -trace.masked_scores.log_softmax(dim=-1)[..., target].sum()
    output = torch.einsum("hnv,hvd->nd", trace.context, probe.W_O)
    if loss == "direction":
        return (output * probe.direction).sum()
    readout = output @ probe.x.mT * probe.x.shape[-1] ** -0.5
    return F.cross_entropy(readout, torch.full((len(output),), target), reduction="sum")


def gradient_norms(probe: Probe, loss: str, target: int, d_k: int, factor: float) -> dict[str, Float[Tensor, " h"]]:
    """‖∂L/∂logits‖, ‖dW_Q‖ and ‖dW_K‖ of every head, the logits being factor · q·k over d_k components.

    ∂L/∂logits is autograd's; dW_Q = factor XᵀdS K and dW_K = factor XᵀdSᵀQ.
    """
    x, q, k = narrow(probe.x), probe.q[..., :d_k], probe.k[..., :d_k]
    trace = attend(q, k, probe.v, score=lambda q, k: dot(q, k).requires_grad_(), scaling=by(factor))
    d_scores = gradients(objective(probe, trace, loss, target), trace).scaled_scores
    norms = (d_scores, factor * (x.mT @ d_scores @ k), factor * (x.mT @ d_scores.mT @ q))
    return dict(zip(GRADIENTS, (torch.linalg.matrix_norm(norm) for norm in norms), strict=True))
