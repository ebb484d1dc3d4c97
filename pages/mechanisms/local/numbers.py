"""One query under a sliding window at every half-width D and every place p_t of it, and every query of the sentence.

Pure. Queries, keys and places are counted from 0.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core import attend
from attention_core.masks import window
from attention_core.mechanisms import MECHANISMS, LayerSizes, Options, run
from attention_core.mechanisms.local import bell, predicted
from attention_core.sliding import NUMBERS, Slid, slide
from ui.one_head import Head
from ui.scripts import filled

PARTS = 4  # stops of p_t from one token to the next
FINE = 16  # up to here every D is a stop
COARSE = (20, 24, 28, 32, 40, 48, 56, 64)
MAPPED = ("window", "local_p")  # rows of the table whose maps of all queries are shown
COSTS = ("needed", "bound", "all")  # pairs: inside the windows, at most n (2D + 1), without a window n²


def radii(n: int) -> tuple[int, ...]:
    """The stops of D: from 1 to the length of the sentence, where the window holds everything."""
    return tuple(sorted({*range(1, min(n, FINE) + 1), *(radius for radius in COARSE if radius < n), n}))


def centers(n: int) -> tuple[float, ...]:
    """The stops of p_t, in tokens from 0."""
    return tuple(index / PARTS for index in range(PARTS * (n - 1) + 1))


@dataclass(frozen=True)
class View:
    """What the reader looks at: a head, a query and the key the loss asks for (from 0), and where the sliders stand."""

    head: Head
    query: int
    target: int
    radius: int
    center: float

    @property
    def n(self) -> int:
        """Tokens."""
        return len(self.head.tokens)

    @property
    def at(self) -> dict[str, int]:
        """The sliders as indices of their stops."""
        return {"radius": radii(self.n).index(self.radius), "center": centers(self.n).index(self.center)}

    @cached_property
    def row(self) -> Slid:
        """The row of the query at every pair of stops."""
        head = self.head
        stops = torch.tensor(centers(self.n), dtype=torch.float64)
        return slide(head.q[self.query], head.k, head.v, target=self.target, radii=radii(self.n), centers=stops)

    @property
    def row_sum(self) -> float:
        """Σ of the bars, where the sliders stand."""
        return float(self.row.numbers[self.at["radius"], self.at["center"], NUMBERS.index("row_sum")])

    @cached_property
    def parameters(self) -> dict[str, Tensor]:
        """W_p and v_p of this head, untrained."""
        head = self.head
        sizes = LayerSizes(n_head=head.number + 1, n_q=self.n, n_k=self.n, d_k=head.q.shape[-1], d_v=head.v.shape[-1])
        drawn = MECHANISMS["local_p"].parameters(sizes, head.seed)
        return {name: parameter[head.number :].double() for name, parameter in drawn.items()}

    @cached_property
    def predicted(self) -> Float[Tensor, " n"]:
        """p_t of every query, by the untrained predictor."""
        return predicted(self.head.q[None], **self.parameters, n_k=self.n)[0]

    @property
    def gaussian(self) -> Float[Tensor, " n"]:
        """What each token is multiplied by, where the sliders stand."""
        return bell(torch.tensor([self.center], dtype=torch.float64), self.n, self.radius)[0]

    def maps(self, key: str) -> Float[Tensor, "radii n n"]:
        """All queries under one mechanism of the table, at every D; NaN where a key is outside the window."""
        head = self.head
        parameters = self.parameters if key == "local_p" else {}
        vectors = (head.q[None], head.k[None], head.v[None])
        traces = [
            run(MECHANISMS[key], *vectors, parameters=parameters, options=Options(radius=radius))
            for radius in radii(self.n)
        ]
        return torch.stack(
            [trace.weights[0].masked_fill(trace.masked_scores[0].isneginf(), math.nan) for trace in traces]
        )


def gaussians(view: View) -> Float[Tensor, "radii centers points"]:
    """The Gaussian at every (D, p_t), from half a token before the first to half a token behind the last."""
    n = view.n
    fine = 4 if n <= 32 else 2  # points from one token to the next
    places = torch.arange(fine * n + 1, dtype=torch.float64) / fine - 0.5
    offset = places - torch.tensor(centers(n), dtype=torch.float64)[:, None]
    sigma = torch.tensor(radii(n), dtype=torch.float64)[:, None, None] / 2
    return torch.exp(-offset.square() / (2 * sigma.square()))


def costs(n: int) -> Float[Tensor, "radii costs"]:
    """COSTS at every D."""
    return torch.tensor([(float(window(n, n, D).sum()), n * (2 * D + 1), n * n) for D in radii(n)])


def row_sum_residual(view: View) -> float:
    """max |Σ_j α_ij − 1| of the softmax inside the window, at every D and every p_t. The Gaussian comes after it."""
    return float((view.row.inside.nansum(dim=-1) - 1).abs().max())


def sdpa_residual(view: View) -> float:
    """max |context − torch's own attention under the same window|, all queries."""
    q, k, v = (vectors[None] for vectors in (view.head.q, view.head.k, view.head.v))
    mask = window(view.n, view.n, view.radius)
    return float(
        (attend(q, k, v, allowed=mask).context - F.scaled_dot_product_attention(q, k, v, attn_mask=mask)).abs().max()
    )


def monotonic_residual(view: View) -> float:
    """max |local-m − window| over all D, queries and keys: 0, as queries and keys are one sentence."""
    return float((view.maps("local_m").nan_to_num() - view.maps("window").nan_to_num()).abs().max())


def arrays(view: View) -> dict[str, np.ndarray]:
    """The row and its numbers where the sliders stand and everywhere, and all queries at this D. NaN: outside."""
    at = view.at
    return {
        "tokens": np.asarray(view.head.tokens),
        "inside": view.row.inside[at["radius"], at["center"]].numpy(),
        "gaussian": view.gaussian.numpy(),
        "weights": view.row.weights[at["radius"], at["center"]].numpy(),
        "D": np.asarray(radii(view.n)),
        "p_t": np.asarray(centers(view.n)),
        **{name: view.row.numbers[..., column].numpy() for column, name in enumerate(NUMBERS)},
        **{f"map_{kind}": view.maps(kind)[at["radius"]].numpy() for kind in MAPPED},
        "p_t_predicted": view.predicted.numpy(),
    }


def script(view: View) -> str:
    """The script of the page at this place."""
    return filled(
        Path(__file__).with_name("script.py"),
        text=view.head.text,
        seed=view.head.seed,
        head=view.head.number,
        query=view.query,
        target=view.target,
        D=view.radius,
        place=view.center,
    )
