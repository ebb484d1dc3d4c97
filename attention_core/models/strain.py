"""A trained model under strain: every head of it as input scale and scaling rule push its softmax, by real autograd."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import gradients
from attention_core.measures import entropy, peak
from attention_core.models.base import LayerTrace, Run, Settings, Tokens
from attention_core.models.pretrained import Pretrained
from attention_core.saturation import DEAD
from attention_core.softmax import backward

HEAD_MEASURES = ("peak", "entropy", "log_gain", "dead", "log_d_scores", "log_d_W_Q")


@dataclass(frozen=True, slots=True, eq=False)
class Strain:
    """One run: HEAD_MEASURES of every head (NaN where a layer has fewer), and how far the output has turned."""

    heads: Float[Tensor, "measure layer h"]
    cosine: float


def strain(model: Pretrained, tokens: Tokens, settings: Sequence[Settings]) -> Iterator[Strain]:
    r"""Forward and backward through the whole model, once per settings.

    The loss is $\sum_i \langle u, o_i\rangle$ with one random direction u ~ N(0, I) for every token i of the last
    hidden states o; `cosine` is the mean over tokens of cos(o_i, o_i as built).
    """
    built = model.run(tokens).output
    direction = torch.randn(built.shape[-1], generator=torch.Generator().manual_seed(0))
    for each in settings:
        run = model.run(tokens, each, grad=True)
        cosine = F.cosine_similarity(run.output.detach(), built, dim=-1).mean()
        yield Strain(_heads(run, direction), float(cosine))


def _heads(run: Run, direction: Tensor) -> Float[Tensor, "measure layer h"]:
    objective = (run.output * direction).sum()
    found = torch.full((len(HEAD_MEASURES), len(run.layers), max(layer.name.n_head for layer in run.layers)), torch.nan)
    for index, layer in enumerate(run.layers):
        made = _head_measures(layer, objective)
        for place, name in enumerate(HEAD_MEASURES):
            found[place, index, : layer.name.n_head] = made[name]
    return found


def _head_measures(layer: LayerTrace, objective: Tensor) -> dict[str, Float[Tensor, " h"]]:
    trace = layer.attention
    slopes = gradients(objective, trace)
    p = trace.weights.detach()
    allowed = ~trace.masked_scores.detach().isneginf()
    choices = allowed.sum(dim=-1, keepdim=True).clamp(min=1)
    centre = slopes.weights.masked_fill(~allowed, 0.0).sum(dim=-1, keepdim=True) / choices
    reaching = (slopes.weights - centre).masked_fill(~allowed, 0.0)
    passed = torch.linalg.vector_norm(backward(p, reaching), dim=-1)
    gains = passed / torch.linalg.vector_norm(reaching, dim=-1)
    # A head whose output nothing reads has no gradient to pass on; a row with one key has no choice to make.
    rows = gains.isfinite() & (choices[..., 0] > 1)
    gains = gains.masked_fill(~rows, torch.nan)
    scale = layer.settings.input_scale
    d_W_Q = torch.full((p.shape[0],), torch.nan) if layer.x is None else torch.linalg.matrix_norm(
        scale * layer.x.detach().mT @ slopes.q
    )  # fmt: skip
    return {
        "peak": peak(p).mean(dim=-1),
        "entropy": entropy(p).mean(dim=-1),
        "log_gain": gains.nanmedian(dim=-1).values.log10(),
        "dead": (gains < DEAD).to(p.dtype).sum(dim=-1) / rows.sum(dim=-1),
        "log_d_scores": torch.linalg.matrix_norm(slopes.scaled_scores).log10(),
        "log_d_W_Q": d_W_Q.log10(),
    }
