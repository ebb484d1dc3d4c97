"""A fully connected layer over a whole sentence: its weights belong to places, and it takes one length only."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def fully_connected(n: int, d: int, seed: int) -> nn.Linear:
    """`nn.Linear(n·d, n·d)` with torch's own initialisation, drawn from a seed; (n·d)² + n·d parameters."""
    layer = nn.Linear(n * d, n * d, device="meta").to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    bound = (n * d) ** -0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer.requires_grad_(False)


def applied(layer: nn.Linear, x: Float[Tensor, "n d"]) -> tuple[tuple[int, ...], str]:
    """The shape of layer(x as one long row), and no error; or no shape, and the error that torch raises."""
    try:
        return tuple(layer(x.reshape(1, -1)).shape), ""
    except RuntimeError as error:
        return (), str(error)


def blocks(layer: nn.Linear, n: int) -> Float[Tensor, "n n"]:
    """How strongly place j weighs on place i: the Frobenius norm of that block of the matrix."""
    d = layer.in_features // n
    return layer.weight.unflatten(1, (n, d)).unflatten(0, (n, d)).square().sum(dim=(1, 3)).sqrt()
