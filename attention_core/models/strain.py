"""A trained model under strain: every head of it as input scale and scaling rule push its softmax, by real autograd."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.measures import entropy, peak
from attention_core.models.base import LayerTrace, Model, Run, Settings, Tokens
from attention_core.saturation import DEAD, LN10
from attention_core.slopes import FREE, log_cosh, slopes

HEAD_MEASURES = ("peak", "entropy", "log_gain", "dead", "log_d_scores", "log_d_W_Q")


@dataclass(frozen=True, slots=True, eq=False)
class Strain:
    """One run: HEAD_MEASURES of every head (NaN where a layer has fewer), and how far the output has turned.

    `log_` stands for log₁₀, where −∞ means exactly 0.
    """

    heads: Float[Tensor, "measure layer h"]
    cosine: float


def strain(model: Model, tokens: Tokens, settings: Sequence[Settings], target: int | None = None) -> Iterator[Strain]:
    r"""Forward and backward through the whole model, once per settings.

    With `target` None the loss is $\sum_i \langle u, o_i\rangle$ with one random direction u ~ N(0, I) for every token
    i of the last hidden states o. With a target t it is $-\sum_i \ln\mathrm{softmax}(o_i E^\top/\sqrt{d_{model}})_t$,
    E being the word embeddings of the tokens: every token should name token t. `cosine` is the mean over tokens of
    cos(o_i, o_i as built).
    """
    built = model.run(tokens).output
    loss = _loss(model, tokens, built, target)
    for strained in settings:
        yield _strained(model.run(tokens, strained, grad=True), built, loss)


def weight_gradients(model: Model, tokens: Tokens, settings: Settings) -> list[Float[Tensor, "h n_q n_k"]]:
    r"""∂L/∂α of every head of every layer, by autograd, all other weights of its layer held.

    $L = \sum_i \langle u, o_i\rangle$ as in `strain` without a target. NaN where α is part of no graph: hard weights.
    """
    run = model.run(tokens, settings, grad=True)
    output = run.output.detach()
    slopes = _d_weights(run.layers, _loss(model, tokens, output, None)(run.output))
    return [
        slope if layer.attention.weights.requires_grad else torch.full_like(slope, math.nan)
        for layer, slope in zip(run.layers, slopes, strict=True)
    ]


def _strained(run: Run, built: Tensor, loss: Callable[[Tensor], Tensor]) -> Strain:
    """A function of its own, so that whoever waits between two settings does not hold a run and its graph."""
    cosine = F.cosine_similarity(run.output.detach(), built, dim=-1).mean()
    return Strain(_heads(run, loss(run.output)), float(cosine))


def _loss(model: Model, tokens: Tokens, built: Tensor, target: int | None) -> Callable[[Tensor], Tensor]:
    if target is None:
        direction = torch.randn(built.shape[-1], generator=torch.Generator().manual_seed(0))
        return lambda output: (output * direction).sum()
    readout = model.word_embeddings(tokens).detach().mT * built.shape[-1] ** -0.5
    wanted = torch.full((len(built),), target)
    return lambda output: F.cross_entropy(output @ readout, wanted, reduction="sum")


def _heads(run: Run, objective: Tensor) -> Float[Tensor, "measure layer h"]:
    heads = torch.full((len(HEAD_MEASURES), len(run.layers), max(layer.name.n_head for layer in run.layers)), torch.nan)
    for index, (layer, slope) in enumerate(zip(run.layers, _d_weights(run.layers, objective), strict=True)):
        measures = _head_measures(layer, slope)
        for place, name in enumerate(HEAD_MEASURES):
            heads[place, index, : layer.name.n_head] = measures[name]
    return heads


def _d_weights(layers: Sequence[LayerTrace], objective: Tensor) -> list[Tensor]:
    """∂L/∂weights of every layer, in one pass back through all of them; the graph stays, for the way to W_Q."""
    weights = [layer.attention.weights for layer in layers]
    moving = [one for one in weights if one.requires_grad]
    gradients = iter(
        torch.autograd.grad(objective, moving, retain_graph=True, materialize_grads=True) if moving else ()
    )
    return [next(gradients) if one.requires_grad else torch.zeros_like(one) for one in weights]


def _head_measures(layer: LayerTrace, d_weights: Tensor) -> dict[str, Float[Tensor, " h"]]:
    """From the scores and the ∂L/∂weights of the run; what the softmax makes of them in float64, its logarithm apart.

    Autograd in float32 would lose what the winner of a saturated row passes on, and below 10⁻²³ all of it.
    """
    trace = layer.attention
    p = trace.weights.detach()
    scaled, logits = (stage.detach().double() for stage in (trace.scaled_scores, trace.masked_scores))
    allowed = ~logits.isneginf()
    count = allowed.sum(dim=-1, keepdim=True)
    d_weights = d_weights.double().masked_fill(~allowed, 0.0)
    apart = (d_weights - d_weights.sum(dim=-1, keepdim=True) / count.clamp(min=1)).masked_fill(~allowed, 0.0)
    bent = torch.zeros_like(scaled) if layer.softcap is None else -2 * log_cosh(scaled / layer.softcap)
    logits = logits.masked_fill(count == 0, 0.0)

    def passed(d_weights: Tensor) -> tuple[Tensor, Tensor]:
        return slopes(layer.settings.normalizer, logits, p.double(), d_weights, bent, count)

    arriving = torch.linalg.vector_norm(apart, dim=-1)
    part, log_size = passed(apart)
    log_gains = log_size + torch.linalg.vector_norm(part, dim=-1).log() - arriving.log()
    # A head whose output nothing reads has no gradient to pass on; a row with one key has no choice to make.
    rows = (arriving > 0) & (count[..., 0] > 1)
    log_gains = log_gains.masked_fill(~rows, torch.nan)

    if layer.settings.normalizer in FREE:  # the only ones that see what all keys have in common
        part, log_size = passed(d_weights)
    log_size = log_size.masked_fill(~part.any(dim=-1), -math.inf)
    d_scores, unit = _at_one(part, log_size)
    return {
        "peak": peak(p).mean(dim=-1),
        "entropy": entropy(p).mean(dim=-1),
        "log_gain": log_gains.nanmedian(dim=-1).values / LN10,
        "dead": (log_gains < math.log(DEAD)).to(p.dtype).sum(dim=-1) / rows.sum(dim=-1),
        "log_d_scores": unit + torch.linalg.matrix_norm(d_scores).log10(),
        "log_d_W_Q": _log_d_W_Q(layer, part, log_size),
    }


def _at_one(part: Tensor, log_size: Tensor, *, together: bool = False) -> tuple[Tensor, Float[Tensor, " h"]]:
    """The rows of each head (`together`: of all heads) on one scale, the largest at 1, so that none underflows before
    it is too small to count; and log₁₀ of that scale.
    """
    most = log_size.amax(dim=(-2, -1) if together else -1, keepdim=True).nan_to_num(neginf=0.0)
    most = most.expand(*log_size.shape[:-1], 1)
    return part * (log_size - most).exp()[..., None], most[..., 0] / LN10


def _log_d_W_Q(layer: LayerTrace, part: Tensor, log_size: Tensor) -> Float[Tensor, " h"]:
    """log₁₀ ‖∂L/∂W_Q‖ of the model's own parameter, head by head; NaN where no single matrix makes q of x."""
    source = layer.source
    if source is None:
        return torch.full_like(log_size[..., 0], torch.nan)
    d_scores, unit = _at_one(part, log_size, together=source.mixes)
    d_q = layer.factor * layer.settings.input_scale * d_scores @ layer.attention.k.detach().double()
    return unit + torch.linalg.matrix_norm(source.d_W_Q(d_q)).log10()
