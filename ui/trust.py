"""How far the shown numbers are from an independent computation. Pure."""

import torch
import torch.nn.functional as F

from attention_core.models import LayerTrace


def row_sum_residual(layer: LayerTrace) -> float:
    """max |Σ_j α_ij − 1| over the rows in which something is allowed."""
    allowed = layer.allowed.any(dim=-1)
    sums = layer.attention.weights.sum(dim=-1)[allowed]
    return float((sums - 1).abs().max()) if sums.numel() else 0.0


def sdpa_residual(layer: LayerTrace) -> float | None:
    """max |context − torch's own| on the same q, k, v and mask; None where torch has no such attention (hard, cap)."""
    trace, settings = layer.attention, layer.settings
    if settings.normalizer != "softmax" or layer.softcap is not None:
        return None
    bias = torch.where(layer.allowed, trace.masked_scores - trace.capped_scores, -torch.inf)
    heard = layer.allowed.any(dim=-1)  # torch's answer for a row with nothing allowed is NaN
    theirs = F.scaled_dot_product_attention(trace.q, trace.k, trace.v, attn_mask=bias, scale=layer.factor)
    spoken = [head for head in range(theirs.shape[0]) if (layer.index, head) not in settings.ablated]
    apart = (theirs - trace.context).abs()[spoken][heard[spoken]]
    return float(apart.max()) if apart.numel() else 0.0
