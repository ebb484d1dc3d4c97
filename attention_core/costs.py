"""What seven kinds of layer cost at width d: parameters, multiplications, steps one after another, length of a path."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

Count = Callable[[int, int, int], int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One kind of layer that reads n tokens of width d and writes as many; k is the kernel of a convolution. Each
    direction of a BiLSTM writes d numbers a token, so it writes 2d; all others write d.

    `parameters`, `multiplications`, `depth` and `path` are functions of (d, k, n); `formula` is the LaTeX of the first.
    `depth`: how many steps have to wait for the one before. `path`: how many recurrent
    steps, from one token to the next, or layers of this kind, take the first token to the last; infinite where it
    never arrives.
    """

    torch: str
    formula: str
    parameters: Count
    multiplications: Count
    depth: Count = lambda d, k, n: 1
    path: Count = lambda d, k, n: 1


def _recurrent(torch: str, gates: int) -> Layer:
    return Layer(
        torch=torch,
        formula=f"{2 * gates}d^2+{2 * gates}d",
        parameters=lambda d, k, n: 2 * gates * (d * d + d),
        multiplications=lambda d, k, n: 2 * gates * n * d * d,
        depth=lambda d, k, n: n,
        path=lambda d, k, n: n - 1,
    )


def _stacked(d: int, k: int, n: int) -> int | float:
    """Layers of a centred convolution until the first of n tokens reaches the last: (k − 1)/2 tokens a layer."""
    return math.inf if k == 1 and n > 1 else max(1, math.ceil((n - 1) / max(1, (k - 1) // 2)))


LAYERS = MappingProxyType(
    {
        "attention": Layer(
            torch="nn.MultiheadAttention(d, h)",
            formula="4d^2+4d",
            parameters=lambda d, k, n: 4 * (d * d + d),
            multiplications=lambda d, k, n: 4 * n * d * d + 2 * n * n * d,
        ),
        "rnn": _recurrent("nn.RNN(d, d)", 1),
        "gru": _recurrent("nn.GRU(d, d)", 3),
        "lstm": _recurrent("nn.LSTM(d, d)", 4),
        "bilstm": _recurrent("nn.LSTM(d, d, bidirectional=True)", 8),
        "conv": Layer(
            torch="nn.Conv1d(d, d, k)",
            formula="k\\,d^2+d",
            parameters=lambda d, k, n: k * d * d + d,
            multiplications=lambda d, k, n: k * n * d * d,
            path=_stacked,
        ),
        "linear": Layer(
            torch="nn.Linear(n * d, n * d)",
            formula="(nd)^2+nd",
            parameters=lambda d, k, n: (n * d) ** 2 + n * d,
            multiplications=lambda d, k, n: (n * d) ** 2,
        ),
    }
)
"""Parameters as torch's modules have them, biases included. Depth and path: Vaswani et al. 2017, table 1, which
writes O(n) for the n − 1 steps of a recurrent path. The number of heads of attention changes nothing here."""
