"""The trained model under strain: every rule and input scale, and what its heads and its output come to. Pure."""

import math
from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from attention_core.models import Model, Settings, Tokens
from attention_core.models.strain import HEAD_MEASURES, Strain, strain

SCALES = tuple(float(f"{2 ** (k / 3):.4g}") for k in range(-9, 13))  # ⅛ … 16, three to an octave
RULES = ("as_built", "none")


def stops(settings: Settings, layers: tuple[int, ...] | None) -> tuple[Settings, ...]:
    """Every rule and, within it, every input scale; all else as the reader set it."""
    return tuple(
        replace(settings, scaling="none" if rule == "none" else settings.scaling, input_scale=scale, layers=layers)
        for rule in RULES
        for scale in SCALES
    )


def scalings(strained_as: Sequence[Settings]) -> tuple[str, ...]:
    """What RULES mean for these `stops`."""
    return tuple(strained_as[len(SCALES) * index].scaling for index in range(len(RULES)))


def strains(
    model: Model, tokens: Tokens, strained_as: Sequence[Settings], target: int | None
) -> Generator[float, None, tuple[Strain, ...]]:
    """The model on the sentence at every stop, under this loss, one stop a piece."""
    done = []
    for one in strain(model, tokens, strained_as, target):
        done.append(one)
        yield len(done) / len(strained_as)
    return tuple(done)


def by_stop(strains: Sequence[Strain]) -> Float[torch.Tensor, "rule scale measure layer head"]:
    """HEAD_MEASURES of every head at every stop."""
    return torch.stack([one.heads for one in strains]).unflatten(0, (len(RULES), len(SCALES)))


def cosines(strains: Sequence[Strain]) -> Float[np.ndarray, "rule scale"]:
    """How far the output has turned at every stop."""
    return np.reshape([one.cosine for one in strains], (len(RULES), len(SCALES)))


def first_dead(heads: Float[torch.Tensor, "rule scale measure layer head"]) -> Float[np.ndarray, "rule heads"]:
    """log₂ of the first scale from 1 on at which half of a head's rows are dead; NaN where none is."""
    dead = heads[:, :, HEAD_MEASURES.index("dead")] >= 0.5
    from_one = torch.arange(len(SCALES))[:, None, None] >= SCALES.index(1.0)
    dead = dead & from_one
    first = dead.to(torch.uint8).argmax(dim=1)
    return torch.tensor(SCALES).log2()[first].masked_fill(~dead.any(dim=1), math.nan).flatten(1).numpy()


def arrays(tokens: Tokens, strains: Sequence[Strain]) -> dict[str, np.ndarray]:
    """Every measure of every head at every stop, to take away."""
    heads = by_stop(strains)
    return {
        "tokens": np.array(tokens.strings),
        "rules": np.array(RULES),
        **{name: heads[:, :, index].numpy() for index, name in enumerate(HEAD_MEASURES)},
        "cosine": cosines(strains),
        "input_scale": np.array(SCALES),
    }
