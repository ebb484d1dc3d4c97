"""Two runs next to each other, and one run with heads switched off. Pure."""

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core import measures
from attention_core.models import LayerTrace, Run


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Where two maps differ. Only for maps of one shape: elsewhere there is nothing to subtract."""

    weights: Float[Tensor, "n_q n_k"]
    largest: float
    divergence: float


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What switching heads off changed: per token of the output, and per head of every layer."""

    relative: Float[Tensor, " n"]
    cosine: Float[Tensor, " n"]
    divergence: tuple[Float[Tensor, " h"], ...]


def difference(a: Float[Tensor, "n_q n_k"], b: Float[Tensor, "m_q m_k"]) -> Difference | None:
    """a − b, max |a − b| and the Jensen–Shannon divergence (nats, 0 … ln 2) of the rows; None for two shapes."""
    if a.shape != b.shape:
        return None
    return Difference(a - b, float((a - b).abs().max()), float(measures.jensen_shannon(a, b)))


def output_cosine(a: Run, b: Run) -> Float[Tensor, " n"] | None:
    """cos(o_i, o'_i) for every token; None where tokens or widths differ in number."""
    return F.cosine_similarity(a.output, b.output, dim=-1) if a.output.shape == b.output.shape else None


def effect(on: Run, off: Run) -> Effect:
    """‖o_i − o'_i‖ / ‖o_i‖ and cos(o_i, o'_i) per token; Jensen–Shannon divergence of every head's weights."""
    relative = (on.output - off.output).norm(dim=-1) / on.output.norm(dim=-1).clamp(min=1e-30)
    moved = tuple(
        measures.jensen_shannon(before.attention.weights, after.attention.weights)
        for before, after in zip(on.layers, off.layers, strict=True)
    )
    return Effect(relative, F.cosine_similarity(on.output, off.output, dim=-1), moved)


def rollouts(run: Run, residual: float) -> dict[str, Float[Tensor, "layer n n"]]:
    """Rollout of every stack that is one chain of self-attention, by the name of the stack. Cross-attention is not."""
    chains: dict[str, list[LayerTrace]] = {}
    for layer in run.layers:
        if layer.name.stack != "cross":
            chains.setdefault(layer.name.stack, []).append(layer)
    return {
        stack: measures.rollout([layer.attention.weights for layer in layers], residual)
        for stack, layers in chains.items()
    }


def head_measures(run: Run) -> list[dict[str, float | int]]:
    """One row per head: layer and head, counted from 0, then every measure by name."""
    rows: list[dict[str, float | int]] = []
    for layer in run.layers:
        allowed = ~layer.attention.masked_scores.isneginf()
        columns = {
            name: measure.apply(layer.attention.weights, allowed).tolist()
            for name, measure in measures.MEASURES.items()
        }
        columns["value_norm"] = value_norms(layer).sum(dim=-1).mean(dim=-1).tolist()
        rows += [
            {"layer": layer.index, "head": head, **{name: values[head] for name, values in columns.items()}}
            for head in range(layer.name.n_head)
        ]
    return rows


def value_norms(layer: LayerTrace) -> Float[Tensor, "h n_q n_k"]:
    """‖α_ij v_j W_O‖ of every head; ‖α_ij v_j‖ where W_O is not exposed (Kobayashi et al. 2020, arXiv:2004.10102)."""
    return measures.value_weighted_norm(layer.attention.weights, layer.attention.v, layer.projections.W_O)
