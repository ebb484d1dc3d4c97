"""What seven kinds of layer cost, over width, kernel and length. Pure."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import nn

from attention_core.costs import LAYERS
from ui.scripts import filled

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
KERNELS = (1, 3, 5, 7, 9, 15, 31)
LENGTHS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
STOPS = {"d": WIDTHS, "kernel": KERNELS, "length": LENGTHS}  # by the name of the slider
COUNTED = ("parameters", "multiplications", "depth", "path")


def counts(quantity: str) -> Float[np.ndarray, "d kernels lengths layers"]:
    """One of COUNTED of every layer at every stop."""
    return np.array(
        [
            [[[getattr(layer, quantity)(d, k, n) for layer in LAYERS.values()] for n in LENGTHS] for k in KERNELS]
            for d in WIDTHS
        ],
        dtype=np.float64,
    )


def sizes(at: dict[str, int]) -> tuple[int, int, int]:
    """d, k, n where the sliders stand."""
    return WIDTHS[at["d"]], KERNELS[at["kernel"]], LENGTHS[at["length"]]


def modules(d: int, k: int, n: int) -> dict[str, nn.Module]:
    """torch's own layers, without memory for their numbers."""
    return {
        "attention": nn.MultiheadAttention(d, 1, device="meta"),
        "rnn": nn.RNN(d, d, device="meta"),
        "gru": nn.GRU(d, d, device="meta"),
        "lstm": nn.LSTM(d, d, device="meta"),
        "bilstm": nn.LSTM(d, d, bidirectional=True, device="meta"),
        "conv": nn.Conv1d(d, d, k, device="meta"),
        "linear": nn.Linear(n * d, n * d, device="meta"),
    }


def torch_residual(d: int, k: int, n: int) -> float:
    """The largest difference from the number of parameters that torch's modules have."""
    ours = {name: layer.parameters(d, k, n) for name, layer in LAYERS.items()}
    theirs = {name: sum(p.numel() for p in module.parameters()) for name, module in modules(d, k, n).items()}
    return float(max(abs(int(ours[name]) - theirs[name]) for name in LAYERS))


def arrays() -> dict[str, np.ndarray]:
    """Every count at every stop: axes d, k, n, layer."""
    stops = {"layers": np.array(LAYERS), "d": np.array(WIDTHS), "k": np.array(KERNELS), "n": np.array(LENGTHS)}
    return stops | {quantity: counts(quantity) for quantity in COUNTED}


def script(d: int, k: int, n: int) -> str:
    """The script of this section."""
    return filled(Path(__file__).with_name("script.py"), d=d, k=k, n=n)
