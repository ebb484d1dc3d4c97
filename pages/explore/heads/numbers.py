"""Heads measured, two runs next to each other, one run with heads switched off. Pure."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core import measures, repeats
from attention_core.models import LayerTrace, Run, Settings
from attention_core.models.base import CROSSING

POSITIONAL = ("distance", "diagonality", "previous", "same", "next", *repeats.REPEATS)
MEASURED = (*measures.MEASURES, *repeats.REPEATS, "value_norm")
FORMULAS = {
    **{name: measure.formula for name, measure in measures.MEASURES.items()},
    **repeats.REPEATS,
    "value_norm": r"\frac1n\sum_i\sum_j \lVert \alpha_{ij}\,v_j W^O \rVert",
}


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
    divergence: tuple[Float[Tensor, " _"], ...]


def difference(a: LayerTrace, head_a: int, b: LayerTrace, head_b: int) -> Difference | None:
    """α − α', max |α − α'| and the Jensen–Shannon divergence (nats, 0 … ln 2) of the rows; None for two shapes.

    NaN where both heads are masked: there both weights are 0 because they have to be.
    """
    weights_a, weights_b = a.attention.weights[head_a], b.attention.weights[head_b]
    if weights_a.shape != weights_b.shape:
        return None
    apart = weights_a - weights_b
    closed = a.attention.masked_scores[head_a].isneginf() & b.attention.masked_scores[head_b].isneginf()
    return Difference(
        apart.masked_fill(closed, float("nan")),
        float(apart.abs().max()),
        float(measures.jensen_shannon(weights_a, weights_b)),
    )


def output_cosine(a: Run, b: Run) -> Float[Tensor, " n"] | None:
    """cos(o_i, o'_i) for every token; None where tokens or widths differ in number."""
    return F.cosine_similarity(a.output, b.output, dim=-1) if a.output.shape == b.output.shape else None


def same_settings(a: Settings, layer_a: int, b: Settings, layer_b: int) -> bool:
    """Whether the layers that are compared, and all the other layers of the two runs, feel the same settings."""
    elsewhere = -1
    return _felt(a, layer_a) == _felt(b, layer_b) and _felt(a, elsewhere) == _felt(b, elsewhere)


def _felt(settings: Settings, layer: int) -> tuple[object, ...]:
    felt = settings.within(layer)
    radius = felt.radius if felt.mask == "window" else None
    return felt.scaling, felt.input_scale, felt.temperature, felt.normalizer, felt.mask, radius, felt.ablated


def effect(on: Run, off: Run) -> Effect:
    """‖o_i − o'_i‖ / ‖o_i‖ and cos(o_i, o'_i) per token; Jensen–Shannon divergence of every head's weights."""
    relative = (on.output - off.output).norm(dim=-1) / on.output.norm(dim=-1).clamp(min=1e-30)
    moved = tuple(
        measures.jensen_shannon(before.attention.weights, after.attention.weights)
        for before, after in zip(on.layers, off.layers, strict=True)
    )
    return Effect(relative, F.cosine_similarity(on.output, off.output, dim=-1), moved)


def rollouts(run: Run, residual: float) -> dict[str, Float[Tensor, "_ _ _"]]:
    """Rollout (layer n n) of every stack that is one chain of self-attention, by its name; cross-attention is none."""
    chains: dict[str, list[LayerTrace]] = {}
    for layer in run.layers:
        if layer.name.stack not in CROSSING:
            chains.setdefault(layer.name.stack, []).append(layer)
    return {
        stack: measures.rollout([layer.attention.weights for layer in layers], residual)
        for stack, layers in chains.items()
    }


def measured(layer: LayerTrace, heads: slice = slice(None)) -> dict[str, Float[Tensor, " h"]]:
    """Every measure of these heads of a layer, by the names in MEASURED."""
    weights = layer.attention.weights[heads]
    allowed = layer.allowed[heads]
    numbers = {name: measure.apply(weights, allowed) for name, measure in measures.MEASURES.items()}
    if layer.name.stack not in CROSSING:
        numbers |= {name: score(weights, layer.keys, allowed) for name, score in repeats.SCORES.items()}
    else:  # position i of one sequence is no neighbour of position i of another
        numbers |= {name: torch.full_like(numbers["entropy"], torch.nan) for name in POSITIONAL}
    norms = value_norms(layer, heads).sum(dim=-1).mean(dim=-1)
    silent = [head for index, head in layer.settings.ablated if index == layer.index]
    indices = torch.arange(layer.name.n_head)[heads]
    return numbers | {"value_norm": norms.masked_fill(torch.isin(indices, torch.tensor(silent)), 0.0)}


def head_measures(run: Run) -> list[dict[str, float | int]]:
    """One row per head: layer and head, counted from 0, then every measure by name."""
    rows: list[dict[str, float | int]] = []
    for layer in run.layers:
        columns = {name: values.tolist() for name, values in measured(layer).items()}
        rows += [
            {"layer": layer.index, "head": head} | {name: values[head] for name, values in columns.items()}
            for head in range(layer.name.n_head)
        ]
    return rows


def value_norms(layer: LayerTrace, heads: slice = slice(None)) -> Float[Tensor, "h n_q n_k"]:
    """‖α_ij v_j W_O‖ of every head; ‖α_ij v_j‖ where W_O is not exposed (Kobayashi et al. 2020, arXiv:2004.10102)."""
    W_O = layer.projections.W_O
    return measures.value_weighted_norm(
        layer.attention.weights[heads], layer.attention.v[heads], None if W_O is None else W_O[heads]
    )
