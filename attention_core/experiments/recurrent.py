"""The recurrent layers that attention is compared with: torch's own modules, drawn from a stream."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention_core.experiments.base import build

RECURRENT = ("rnn", "lstm", "lstm_forget", "gru", "bilstm", "bigru")
_MODULES = {"rnn": nn.RNN, "lstm": nn.LSTM, "lstm_forget": nn.LSTM, "gru": nn.GRU, "bilstm": nn.LSTM, "bigru": nn.GRU}


def layer(kind: str, inputs: int, hidden: int, generator: torch.Generator) -> nn.RNNBase:
    """One layer of RECURRENT: U(−1/√hidden, 1/√hidden), batch first.

    `lstm_forget` begins with a forget bias of 1 (Gers et al. 2000; Jozefowicz et al. 2015). Raises ValueError for
    another kind.
    """
    if kind not in _MODULES:
        raise ValueError(f"the recurrent layer must be {', '.join(RECURRENT)}; not {kind!r}")
    options = {"batch_first": True, "bidirectional": kind.startswith("bi")}
    module = cast(nn.RNNBase, build(_MODULES[kind], inputs, hidden, generator=generator, **options))
    if kind == "lstm_forget":
        with torch.no_grad():  # gates are stacked input, forget, cell, output; the two biases are added
            for name, value in (("bias_ih_l0", 1.0), ("bias_hh_l0", 0.0)):
                getattr(module, name)[hidden : 2 * hidden] = value
    return module


def last_state(module: nn.RNNBase, x: Float[Tensor, "b n inputs"]) -> Float[Tensor, "b width"]:
    """What the layer hands on: the state after the last step, and, both ways, after the first of the way back."""
    states = module(x)[0]
    if not module.bidirectional:
        return states[:, -1]
    return torch.cat([states[:, -1, : module.hidden_size], states[:, 0, module.hidden_size :]], dim=-1)
