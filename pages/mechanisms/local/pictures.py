"""One query under a sliding window, and every query of the sentence → the films and pictures of the Local page. Pure.

A row of weights follows two sliders, D and p_t; what is sent is the row along each of them through the place where both
stand. Single numbers are sent for every pair of stops.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core import attend
from attention_core.masks import window
from attention_core.mechanisms import MECHANISMS, Options, run
from attention_core.mechanisms import LayerSizes as Widths
from attention_core.mechanisms.local import bell, predicted
from attention_core.sliding import NUMBERS, Slid, slide
from ui.components.lab import Bars, Controls, Curves, Film, Fork, Item, Line, Map, Plot, Readouts, Slider
from ui.mechanisms.untrained import Head, rebuilt, tokens_named
from ui.numbers import significant
from ui.text import Words

PARTS = 4  # stops of p_t from one token to the next
FINE = 16  # up to here every D is a stop
COARSE = (20, 24, 28, 32, 40, 48, 56, 64)
KINDS = ("window", "local_p")
GRADIENTS = ("autograd", "closed", "difference")
COSTS = ("needed", "bound", "all")


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
        sizes = Widths(n_head=head.number + 1, n_q=self.n, n_k=self.n, d_k=head.q.shape[-1], d_v=head.v.shape[-1])
        drawn = MECHANISMS["local_p"].parameters(sizes, head.seed)
        return {name: parameter[head.number :].double() for name, parameter in drawn.items()}

    @cached_property
    def predicted(self) -> Float[Tensor, " n"]:
        """p_t of every query, by the untrained predictor."""
        return predicted(self.head.q[None], **self.parameters, n_k=self.n)[0]

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


def sliders(view: View, kind: str, page: Words) -> list[Slider]:
    """D, p_t, and which mechanism the map of all queries shows."""
    n, tokens, at = view.n, view.head.tokens, view.at
    widths, places = radii(n), centers(n)
    shown = [index for index in range(len(widths)) if index % max(1, len(widths) // 8) == 0]
    return [
        Slider(
            name="radius", label=page["D"], readings=tuple(map(str, widths)), at=at["radius"],
            ticks=tuple((index, str(widths[index])) for index in shown), help=page["D_help"],
        ),
        Slider(
            name="center", label=page["p"],
            readings=tuple(f"{significant(place + 1)} · {tokens_named(tokens, place)}" for place in places),
            at=at["center"],
            ticks=tuple((PARTS * index, str(index + 1)) for index in range(0, n, max(1, math.ceil(n / 13)))),
            help=page["p_help"],
        ),
        Slider(
            name="kind", label=page["kind"], readings=tuple(page[f"kinds.{each}"] for each in KINDS),
            at=KINDS.index(kind), kind="switch", help=page["kind_help"],
        ),
    ]  # fmt: skip


def curve(view: View) -> Float[Tensor, "radii centers points"]:
    """The Gaussian at every (D, p_t), from half a token before the first to half a token behind the last."""
    n = view.n
    fine = 4 if n <= 32 else 2  # points from one token to the next
    places = torch.arange(fine * n + 1, dtype=torch.float64) / fine - 0.5
    offset = places - torch.tensor(centers(n), dtype=torch.float64)[:, None]
    sigma = torch.tensor(radii(n), dtype=torch.float64)[:, None, None] / 2
    return torch.exp(-offset.square() / (2 * sigma.square()))


def films(view: View) -> list[Film]:
    """The row along each slider; its numbers, for every pair of stops; all queries and what they cost, at every D."""
    n, at = view.n, view.at
    made: list[Film] = []
    for name, frames in {"inside": view.row.inside, "weights": view.row.weights, "bell": curve(view)}.items():
        made += [
            Film(f"{name}_radius", frames[:, at["center"]].numpy(), ("radius",), {"center": at["center"]}),
            Film(f"{name}_center", frames[at["radius"]].numpy(), ("center",), {"radius": at["radius"]}),
        ]
    maps = torch.stack([view.maps(kind) for kind in KINDS])
    costs = [(int(window(n, n, radius).sum()), n * (2 * radius + 1), n * n) for radius in radii(n)]
    return [
        *made,
        Film("numbers", view.row.numbers.numpy(), ("radius", "center")),
        Film("maps", maps.flatten(2).numpy(), ("kind", "radius")),
        Film("costs", np.asarray(costs, dtype=np.float32), ("radius",)),
        Film("predicted", (view.predicted + 1).numpy()),  # counted from 1, as a reader does
    ]


def forks() -> list[Fork]:
    """What is shown is the film of the slider that was moved last."""
    return [Fork(name=name, films=(f"{name}_center", f"{name}_radius")) for name in ("inside", "weights", "bell")]


def plots(view: View, page: Words) -> list[Plot]:
    """Sliders and numbers, the row and the gradient below it, all queries; then loss, row sum, cost."""
    n, tokens = view.n, view.head.tokens
    highest = float(view.row.numbers[..., NUMBERS.index("loss")].max()) or 1.0
    return [
        Controls(name="controls", stack="left", span=3, sliders=("radius", "center")),
        Readouts(
            name="readouts", stack="left", title=page["readouts"], film="numbers",
            items=tuple(Item(label=page[f"number.{name}"], start=index, help=page[f"number_help.{name}"])
                        for index, name in enumerate(NUMBERS)),
        ),
        Bars(
            name="row", stack="middle", span=5, height=300, film="weights", count=n, names=tokens, hue="q", fit=True,
            marked=view.target, digits=2 if n <= 16 else 0, ghost="inside", ghost_name=page["inside"], over="bell",
            title=page["row"], note=page["row_note"],
        ),
        Curves(
            name="slope", stack="middle", height=200, film="numbers", along="center", low=-1.0, high=1.0, fit=True,
            lines=(Line(start=NUMBERS.index("closed"), hue="k"),), title=page["slope"], note=page["slope_note"],
        ),
        Controls(name="controls_map", stack="right", span=4, sliders=("kind",)),
        Map(
            name="map", stack="right", height=360, film="maps", rows=n, cols=n, names=tokens, marked=view.query,
            hatched=True, title=page["map"], note=page["map_note"],
        ),
        Bars(
            name="predicted", stack="right", height=150, film="predicted", count=n, marked=view.query, hue="k",
            high=float(n), title=page["predicted"], note=page["predicted_note"],
        ),
        Curves(
            name="loss", stack="left", height=190, film="numbers", along="center", low=0.0, high=highest,
            lines=(Line(start=NUMBERS.index("loss"), hue="ink"),), title=page["loss"],
        ),
        Curves(
            name="sum", span=6, height=220, film="numbers", along="radius", low=0.0, high=1.0,
            lines=(
                Line(start=NUMBERS.index("row_sum"), hue="q", name=page["number.row_sum"]),
                Line(start=NUMBERS.index("apart"), hue="k", name=page["number.apart"]),
            ),
            title=page["against_D"],
        ),
        Curves(
            name="cost", span=6, height=220, film="costs", along="radius", low=0.0, high=float(n * n),
            lines=tuple(Line(start=index, hue=hue, name=page[f"cost.{name}"], dash=name == "bound")
                        for index, (name, hue) in enumerate(zip(COSTS, ("v", "v", "quiet"), strict=True))),
            title=page["cost_title"],
        ),
    ]  # fmt: skip


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
    index = view.at
    return {
        "tokens": np.asarray(view.head.tokens),
        "inside": view.row.inside[index["radius"], index["center"]].numpy(),
        "gaussian": bell(torch.tensor([view.center], dtype=torch.float64), view.n, view.radius)[0].numpy(),
        "weights": view.row.weights[index["radius"], index["center"]].numpy(),
        "D": np.asarray(radii(view.n)),
        "p_t": np.asarray(centers(view.n)),
        **{name: view.row.numbers[..., column].numpy() for column, name in enumerate(NUMBERS)},
        **{f"map_{kind}": view.maps(kind)[index["radius"]].numpy() for kind in KINDS},
        "p_t_predicted": view.predicted.numpy(),
    }


def snippet(view: View) -> str:
    """A script that prints the row, its sum, the loss, and the gradient to p_t found in three ways."""
    return f"""{rebuilt(view.head)}
from attention_core.mechanisms.local import bell, near, weighted

query, target, D = {view.query}, {view.target}, {view.radius}
p_t = torch.tensor([{view.center!r}], dtype=torch.float64, requires_grad=True)
trace = attend(q[query : query + 1], k, v, normalize=partial(weighted, center=p_t, radius=D), allowed=near(p_t, n, D))
loss = 0.5 * (trace.context[0] - v[target]).square().sum()

torch.set_printoptions(precision=6, sci_mode=False, linewidth=120)
print("gaussian", bell(p_t, n, D)[0].detach())
print("weights", trace.weights[0].detach())
print("row sum", f"{{trace.weights.sum():.6f}}")
print("loss", f"{{loss.item():.6f}}")

weights, s, h = trace.weights[0].detach(), torch.arange(n), 1e-5
toward = (trace.context[0].detach() - v[target]) @ v.mT
inside = attend(q[query : query + 1], k, v, allowed=near(p_t, n, D)).weights[0].detach()
at = lambda place: 0.5 * ((inside * bell(place, n, D)[0]) @ v - v[target]).square().sum()
print("dL/dp_t, autograd", f"{{torch.autograd.grad(loss, p_t)[0].item():.6e}}")
print("dL/dp_t, closed form", f"{{(toward * weights * (s - p_t.detach())).sum().item() / (D / 2) ** 2:.6e}}")
print("dL/dp_t, differences", f"{{(at(p_t.detach() + h) - at(p_t.detach() - h)).item() / (2 * h):.6e}}")
"""
