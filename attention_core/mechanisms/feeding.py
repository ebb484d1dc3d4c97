"""Input feeding: the decoder's next step is told what the last one attended to."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import AttentionTrace

# (input, state) -> h_t, the state of the next step; any recurrent cell fits.
Step = Callable[[Float[Tensor, "*batch d_in"], Float[Tensor, "*batch d"]], Float[Tensor, "*batch d"]]
Attend = Callable[[Float[Tensor, "*batch 1 d"]], AttentionTrace]


def fed(
    step: Step,
    look: Attend,
    y: Float[Tensor, "*batch n d_y"],
    state: Float[Tensor, "*batch d"],
    W_c: Float[Tensor, "d_both d"],
    *,
    feed: bool = True,
) -> tuple[Float[Tensor, "*batch n d"], list[AttentionTrace]]:
    r"""A decoder whose input at step t is $[y_t; \tilde h_{t-1}]$, $\tilde h_t = \tanh(W_c[c_t; h_t])$.

    `step` is the recurrent cell, `look(h_t)` attends with h_t as the only query. Without `feed` the place of
    $\tilde h_{t-1}$ holds zeros, so the cell keeps its size. Gives every $\tilde h_t$ and the trace of every step.
    Source: Luong et al. 2015, arXiv:1508.04025, section 3.3.
    """
    attentional = torch.zeros_like(state)
    outputs, traces = [], []
    for y_t in y.unbind(dim=-2):
        last = attentional if feed else torch.zeros_like(attentional)
        state = step(torch.cat((y_t, last), dim=-1), state)
        trace = look(state[..., None, :])
        attentional = torch.tanh(torch.cat((trace.context[..., 0, :], state), dim=-1) @ W_c)
        outputs.append(attentional)
        traces.append(trace)
    return torch.stack(outputs, dim=-2), traces
