"""Attention in double loops, float64, one number at a time: slow, and too plain to be wrong."""

import math

import torch
from torch import Tensor


def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    scale: float,
    allowed: Tensor | None = None,
    bias: Tensor | None = None,
    softcap: float | None = None,
) -> dict[str, Tensor]:
    """Every stage of one head: q (n_q d_k), k (n_k d_k), v (n_k d_v); `allowed` and `bias` (n_q n_k)."""
    (n_q, d_k), (n_k, d_v) = q.shape, v.shape
    scores, scaled, capped, masked, weights = (torch.zeros(n_q, n_k, dtype=torch.float64) for _ in range(5))
    context = torch.zeros(n_q, d_v, dtype=torch.float64)
    for i in range(n_q):
        for j in range(n_k):
            scores[i, j] = sum(float(q[i, a]) * float(k[j, a]) for a in range(d_k))
            scaled[i, j] = scale * float(scores[i, j])
            capped[i, j] = scaled[i, j] if softcap is None else softcap * math.tanh(float(scaled[i, j]) / softcap)
            masked[i, j] = capped[i, j] + (0.0 if bias is None else float(bias[i, j]))
            if allowed is not None and not bool(allowed[i, j]):
                masked[i, j] = -math.inf
        open_keys = [j for j in range(n_k) if masked[i, j] != -math.inf]
        if open_keys:
            largest = max(float(masked[i, j]) for j in open_keys)
            total = sum(math.exp(float(masked[i, j]) - largest) for j in open_keys)
            for j in open_keys:
                weights[i, j] = math.exp(float(masked[i, j]) - largest) / total
                for a in range(d_v):
                    context[i, a] += float(weights[i, j]) * float(v[j, a])
    return {
        "scores": scores,
        "scaled_scores": scaled,
        "capped_scores": capped,
        "masked_scores": masked,
        "weights": weights,
        "context": context,
    }


def plain(q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None = None) -> Tensor:
    """softmax(Q Kᵀ / √d_k) V in one line of torch, for autograd to differentiate; no empty rows."""
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    return (scores if allowed is None else scores.masked_fill(~allowed, -math.inf)).softmax(dim=-1) @ v
