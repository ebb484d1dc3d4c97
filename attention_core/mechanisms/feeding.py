"""Input feeding: the decoder's next step is told what the last one attended to."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class Aligned(NamedTuple):
    """a_t, the context c_t, and p_t (NaN where there is none)."""

    weights: Float[Tensor, "*batch s"]
    context: Float[Tensor, "*batch d"]
    center: Float[Tensor, "*batch"]


# (input, state) -> h_t, the state of the next step; any recurrent cell fits.
Step = Callable[[Float[Tensor, "*batch d_in"], Float[Tensor, "*batch d"]], Float[Tensor, "*batch d"]]
Combine = Callable[[Float[Tensor, "*batch d_both"]], Float[Tensor, "*batch d"]]


def fed(
    step: Step,
    look: Callable[[Float[Tensor, "*batch d"]], Aligned],
    W_c: Combine,
    y: Float[Tensor, "*batch d_y"],
    state: Float[Tensor, "*batch d"],
    last: Float[Tensor, "*batch d_fed"],
) -> tuple[Float[Tensor, "*batch d"], Float[Tensor, "*batch d"], Aligned]:
    r"""One step of a decoder whose input is $[y_t; \tilde h_{t-1}]$: $h_t$, $\tilde h_t = \tanh(W_c[c_t; h_t])$, and
    what it looked at.

    `step` is the recurrent cell, `look(h_t)` attends, `W_c` is a linear map, `last` is $\tilde h_{t-1}$: of
    width 0 where it is not fed. Source: Luong et al. 2015, arXiv:1508.04025, section 3.3.
    """
    state = step(torch.cat((y, last), dim=-1), state)
    seen = look(state)
    return state, torch.tanh(W_c(torch.cat((seen.context, state), dim=-1))), seen
