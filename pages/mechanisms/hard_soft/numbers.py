"""One row of weights as a law to draw from, at every temperature: samples, the bound, its gradient. Pure."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from attention_core import attend, hard, sampling
from attention_core.experiments.hard import bound, bound_gradient, log_likelihood
from attention_core.scalings import by
from attention_core.softmax import entropy
from pages.mechanisms.hard_soft.draws import COUNTS, DRAWS, Estimates, Samples, estimated, sampled, uniform
from ui.one_head import Head
from ui.scripts import filled

TEMPERATURES = (0.0, *(float(f"{2 ** (k / 3):.3g}") for k in range(-15, 16)))  # 0 is the arg max

EXACT = ("bound", "likelihood", "gap", "soft", "entropy", "distance")


@dataclass(frozen=True)
class View:
    """What the reader looks at: a head, a query and the token to name (from 0), and where the sliders stand."""

    head: Head
    query: int
    target: int
    temperature: int
    count: int
    draw: int
    baseline: int

    @property
    def at(self) -> dict[str, int]:
        """The sliders as indices of their stops."""
        return {"temperature": self.temperature, "count": self.count, "draw": self.draw, "baseline": self.baseline}

    def others(self, *moving: str) -> dict[str, int]:
        """Where the sliders that a film of samples does not move along stand."""
        return {name: at for name, at in self.at.items() if name not in (*moving, "baseline")}

    @cached_property
    def alpha(self) -> Float[Tensor, "temperatures n"]:
        """Soft weights of the query at every temperature; at 0 the arg max."""
        return torch.stack([weights(self.head, self.query, stop) for stop in TEMPERATURES])

    @property
    def soft(self) -> Float[Tensor, " d_v"]:
        """The soft context at the reader's temperature."""
        return self.alpha[self.temperature] @ self.head.v

    @property
    def widest(self) -> tuple[int, float]:
        """The component of the context, from 0, that varies most at the reader's temperature; its deviation."""
        variance = (self.alpha[self.temperature] @ self.head.v.square() - self.soft.square()).clamp_min(0)
        return int(variance.argmax()), float(variance.max()) ** 0.5

    @cached_property
    def ell(self) -> Float[Tensor, " n"]:
        """log p(y | s): how well the value of each token alone names the token asked for."""
        return naming(self.head.v, self.head.v, self.target)

    @cached_property
    def u(self) -> Float[Tensor, "draws samples"]:
        """Random numbers behind the samples."""
        return uniform(self.head.seed)

    @cached_property
    def choices(self) -> Int[Tensor, "draws samples"]:
        """Every sample of every draw, at the reader's temperature."""
        return sampling.drawn(self.alpha[self.temperature].expand(DRAWS, -1), self.u)

    @cached_property
    def cooled(self) -> Int[Tensor, "temperatures samples"]:
        """Every sample of the reader's draw, at every temperature."""
        return sampling.drawn(self.alpha, self.u[self.draw].expand(len(TEMPERATURES), -1))

    @cached_property
    def by_draw(self) -> Samples:
        """At the reader's temperature: every draw, every N."""
        return sampled(self.alpha[self.temperature].expand(DRAWS, -1), self.head.v, self.choices, COUNTS)

    @cached_property
    def by_temperature(self) -> Samples:
        """The reader's draw and N: every temperature."""
        return sampled(self.alpha, self.head.v, self.cooled, (COUNTS[self.count],))

    @cached_property
    def exact(self) -> Float[Tensor, "temperatures exact"]:
        """EXACT at every temperature."""
        alpha, ell = self.alpha, self.ell.expand_as(self.alpha)
        low, high = bound(ell, alpha), log_likelihood(ell, alpha)
        context = alpha @ self.head.v
        numbers = {
            "bound": low,
            "likelihood": high,
            "gap": high - low,
            "soft": naming(context, self.head.v, self.target),
            "entropy": entropy(alpha),
            "distance": (alpha - alpha[0]).abs().amax(dim=-1),
        }
        return torch.stack([numbers[name] for name in EXACT], dim=-1)

    @cached_property
    def slope(self) -> Float[Tensor, "temperatures n"]:
        """The exact gradient of the bound at every temperature."""
        return bound_gradient(self.ell.expand_as(self.alpha), self.alpha)

    @cached_property
    def variances(self) -> Float[Tensor, "temperatures baselines"]:
        """Of one sample of the gradient's estimate, at every temperature."""
        return sampling.variances(self.alpha, self.ell.expand_as(self.alpha))

    @cached_property
    def estimates(self) -> Estimates:
        """The gradient from samples, at the reader's temperature: every baseline, draw and N."""
        alpha = self.alpha[self.temperature]
        return estimated(alpha.expand(DRAWS, -1), self.ell, self.choices, COUNTS)


def weights(head: Head, query: int, temperature: float) -> Float[Tensor, " n"]:
    """softmax(q·K / (T √d_k)) of one query; at T = 0 the one-hot row of its best key."""
    q, scale = head.q[query : query + 1], head.q.shape[-1] ** -0.5
    if temperature == 0:
        return attend(q, head.k, head.v, normalize=hard).weights[0]
    return attend(q, head.k, head.v, scaling=by(scale / temperature)).weights[0]


def naming(context: Float[Tensor, "*batch d_v"], v: Float[Tensor, "n d_v"], target: int) -> Float[Tensor, "*batch"]:
    r"""$\log \mathrm{softmax}_j(c\cdot v_j/\sqrt{d_v})_y$: how well a context names token y of the sentence."""
    return (context @ v.mT * v.shape[-1] ** -0.5).log_softmax(dim=-1)[..., target]


# --- what leaves the page ---


def row_sum_residual(view: View) -> float:
    """max |Σ α − 1| over all temperatures."""
    return float((view.alpha.sum(dim=-1) - 1).abs().max())


def autograd_residual(view: View) -> float:
    """max |α ⊙ (ℓ − E ℓ) − ∂L_s/∂θ by torch's autograd| at every temperature above 0, θ the logits of the softmax."""
    head = view.head
    raw = (head.q[view.query] @ head.k.mT) * head.q.shape[-1] ** -0.5
    theta = (raw / torch.tensor(TEMPERATURES[1:], dtype=torch.float64)[:, None]).requires_grad_()
    theirs = torch.autograd.grad((theta.softmax(dim=-1) * view.ell).sum(), theta)[0]
    return float((theirs - view.slope[1:]).abs().max())


def arrays(view: View) -> dict[str, np.ndarray]:
    """α at every temperature; at the reader's, ℓ, the exact gradient, every sample, and the estimates along N."""
    at = view.temperature
    return {
        "tokens": np.asarray(view.head.tokens),
        "temperature": np.asarray(TEMPERATURES),
        "N": np.asarray(COUNTS),
        "alpha": view.alpha.numpy(),
        "ell": view.ell.numpy(),
        "gradient": view.slope[at].numpy(),
        "variances": view.variances.numpy(),
        **{name: view.exact[:, column].numpy() for column, name in enumerate(EXACT)},
        "samples": view.choices.numpy(),
        "share": view.by_draw.share[view.draw].numpy(),
        "mean_context": view.by_draw.mean[view.draw].numpy(),
        "estimates": view.estimates.gradient[:, view.draw].numpy(),
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
        temperature=TEMPERATURES[view.temperature],
        draw=view.draw,
        N=COUNTS[view.count],
    )
