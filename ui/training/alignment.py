"""Where an encoder and a decoder have learned to look, as pictures: for the pages that train them."""

import math

import numpy as np
import torch

from attention_core.experiments.alignment import Alignment
from attention_core.experiments.base import Record
from attention_core.mechanisms.local import near
from ui.components.lab import Bars, Box, Map

LENGTH = Alignment().length
LOCAL = ("local_m", "local_p")
PLACES = tuple(map(str, range(LENGTH)))


def right(task: str) -> np.ndarray:
    """Which source position each target position comes from."""
    return np.arange(LENGTH) if task == "copy" else np.arange(LENGTH)[::-1].copy()


def weights(config: Alignment, record: Record) -> np.ndarray:
    """The alignment of every sequence of the probe (probe, t, s); NaN where local attention does not look."""
    alignment = record.arrays["alignment"].float()
    if config.mode in LOCAL:
        alignment = alignment.masked_fill(~near(record.arrays["center"], alignment.shape[-1], config.D), math.nan)
    elif config.mode == "none":
        alignment = torch.full_like(alignment, math.nan)
    return alignment.numpy()


def centers(config: Alignment, record: Record) -> np.ndarray:
    """(probe, t): p_t of local attention; where the others look on average, Σ_s s·α_ts; NaN without attention."""
    if config.mode in LOCAL:
        return record.arrays["center"].numpy()
    alignment = record.arrays["alignment"].double()
    if config.mode == "none":
        return np.full(alignment.shape[:-1], np.nan)
    return (alignment @ torch.arange(alignment.shape[-1], dtype=torch.float64)).numpy()


def alignment_map(
    name: str, film: str, *, stack: str, title: str, column: str = "", note: str = "", narrow: int = 2
) -> Map:
    """Target positions down, source positions across; hatched where nothing can be seen."""
    return Map(
        name=name,
        box=Box(stack=stack, span=2, narrow=narrow, height=206),
        film=film,
        column=column,
        rows=LENGTH,
        cols=LENGTH,
        names=PLACES,
        hatched=True,
        title=title,
        note=note,
    )


def center_bars(
    name: str,
    film: str,
    *,
    stack: str,
    title: str,
    right_film: str,
    right_name: str,
    column: str = "",
    hue: str = "k",
) -> Bars:
    """p_t against t, the right place as an outline."""
    return Bars(
        name=name,
        box=Box(stack=stack, narrow=2, height=150),
        film=film,
        column=column,
        count=LENGTH,
        hue=hue,
        high=float(LENGTH),
        ghost=right_film,
        ghost_name=right_name,
        title=title,
    )
