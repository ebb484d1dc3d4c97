"""Layers of random matrices."""

import torch

from attention_core.models import Projections


def projections(n_head: int, d_model: int, d_k: int, d_v: int) -> Projections:
    """Always the same matrices of these sizes, float64, their columns of length about 1."""
    generator = torch.Generator().manual_seed(7)
    shapes = {"W_Q": (d_model, d_k), "W_K": (d_model, d_k), "W_V": (d_model, d_v), "W_O": (d_v, d_model)}
    drawn = {
        name: torch.randn(n_head, *shape, generator=generator, dtype=torch.float64) * d_model**-0.5
        for name, shape in shapes.items()
    }
    return Projections(**drawn)
