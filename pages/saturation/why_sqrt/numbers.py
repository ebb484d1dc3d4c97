"""What the page on √d_k makes of the core's draws and of a trained head's q and k. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from attention_core import variance
from attention_core.models import LayerTrace
from attention_core.variance import D_K_OCTAVES, Assumptions, Law, Moments, Observed, Sums

LAYERS, TOKENS, D_MODEL = 32, 32, 64  # of the check with really initialised layers
Stops = Float[np.ndarray, " stops"]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """q·k of a draw under these assumptions at every stop of d_k, measured and in closed form, and one d_k in focus."""

    assumed: Assumptions
    d_k: int
    sums: Sums
    products: Float[torch.Tensor, "stops samples"]
    measured: Moments
    exact: Law

    @property
    def index(self) -> int:
        """The stop in focus."""
        return D_K_OCTAVES.index(self.d_k)

    @property
    def shown(self) -> Float[np.ndarray, " samples"]:
        """The samples at this stop."""
        return self.products[self.index].numpy()


def drawn(assumed: Assumptions, d_k: int, sums: Sums) -> Drawn:
    """What the sums come to under these assumptions."""
    products = variance.products(sums, assumed)
    return Drawn(assumed, d_k, sums, products, variance.moments(products), variance.law(assumed))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """Mean and variance of q·k at each stop of d_k: measured, in closed form, and how far samples stray from that.

    The errors are standard errors around the closed form; NaN where they do not exist.
    """

    stops: Stops
    mean: Stops
    variance: Stops
    expected_mean: Stops
    expected_variance: Stops
    mean_error: Stops
    variance_error: Stops


def curves(drawn: Drawn) -> Curves:
    """Mean and variance at every stop of d_k: measured, expected, and how far apart chance may bring them."""
    stops, exact = np.array(D_K_OCTAVES, dtype=np.float64), drawn.exact
    return Curves(
        stops=stops,
        mean=drawn.measured.mean.numpy(),
        variance=drawn.measured.variance.numpy(),
        expected_mean=stops * exact.mean,
        expected_variance=stops * exact.variance,
        mean_error=np.sqrt(stops * exact.variance / variance.SAMPLES),
        variance_error=np.array([exact.variance_error(stop, variance.SAMPLES) for stop in D_K_OCTAVES]),
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of q·k at one d_k: as the derivation claims it, as theory has it, and as measured."""

    name: str
    claimed: float
    theory: float
    measured: float
    error: float


def readings(drawn: Drawn) -> tuple[Reading, ...]:
    """Mean, variance, variance after scaling, and excess kurtosis. Under heavy tails nobody knows its error."""
    d_k, index, measured, exact = drawn.d_k, drawn.index, drawn.measured, drawn.exact
    mean, spread, excess = (float(of[index]) for of in (measured.mean, measured.variance, measured.excess))
    errors = (measured.mean_error, measured.variance_error, measured.excess_error)
    mean_error, spread_error, excess_error = (float(of[index]) for of in errors)
    if drawn.assumed.distribution == "student":
        excess_error = math.nan
    claimed_excess = variance.law(Assumptions()).excess / d_k
    return (
        Reading("mean", 0.0, d_k * exact.mean, mean, mean_error),
        Reading("variance", float(d_k), d_k * exact.variance, spread, spread_error),
        Reading("scaled", 1.0, exact.variance, spread / d_k, spread_error / d_k),
        Reading("excess", claimed_excess, exact.excess / d_k, excess, excess_error),
    )


def of_linear_layers(d_k: int, seed: int) -> Moments:
    """The mean of (q·k)² in layers that were really initialised as nn.Linear does it, over the layers."""
    products = variance.linear_layer(D_MODEL, d_k, layers=LAYERS, tokens=TOKENS, seed=seed)
    return variance.moments(products.square().mean(dim=(-2, -1)))


def einsum_residual(drawn: Drawn, seed: int) -> float:
    """How far the first products are, at most, from numpy's: component by component, in float64, at the largest d_k."""
    q, k = (side.double().numpy() for side in variance.components(drawn.assumed, seed))
    theirs = np.einsum("nd,nd->n", q, k)
    ours = drawn.products[-1, : len(theirs)].numpy()
    return float(np.abs(theirs - ours).max())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """q·k of one head: its moments, and the products themselves in float64, NaN where its mask forbids a pair."""

    observed: Observed
    products: Float[np.ndarray, "n_q n_k"]
    masked: bool

    @property
    def seen(self) -> Float[np.ndarray, " pairs"]:
        """The products of the pairs that the mask allows."""
        return self.products[~np.isnan(self.products)]


def pairs(layer: LayerTrace, head: int) -> Pairs:
    """The queries as the model has them before any factor, since it is 1/√d_k that is to be judged."""
    q, k, allowed = layer.plain_q[head].double(), layer.attention.k[head].double(), layer.allowed[head]
    return Pairs(
        observed=variance.observed(q, k, None if bool(allowed.all()) else allowed),
        products=(q @ k.mT).masked_fill(~allowed, math.nan).numpy(),
        masked=not bool(allowed.all()),
    )


def parts(observed: Observed, *, masked: bool = False) -> Float[np.ndarray, " parts"]:
    """What adds up to the variance: each component by itself, components together, means that are not 0, and under a
    mask which query meets which key.
    """
    own = [float(observed.own), float(observed.together), float(observed.offset)]
    return np.array([*own, float(observed.pairing)] if masked else own)


def parts_residual(pairs: Pairs) -> float:
    """How far the sum of the parts lies from numpy's variance, relatively."""
    theirs = np.var(pairs.seen)
    return float(abs(parts(pairs.observed, masked=pairs.masked).sum() - theirs) / (theirs or 1.0))


def own_scale(layer: LayerTrace) -> float | None:
    """What the model multiplies q·k by as it is built, where that is not 1/√d_k."""
    usual = math.isclose(layer.own_scale, layer.attention.q.shape[-1] ** -0.5, rel_tol=1e-4)
    return None if usual or layer.settings.scaling != "model" else layer.own_scale


def spreads(layers: Sequence[LayerTrace]) -> list[Float[np.ndarray, " heads"]]:
    """The standard deviation of q·k/√d_k of every head of every layer, over the pairs that its mask allows."""
    return [_spread(layer) for layer in layers]


def _spread(layer: LayerTrace) -> Float[np.ndarray, " heads"]:
    q = layer.plain_q
    return (variance.observed(q, layer.attention.k, layer.allowed).variance / q.shape[-1]).sqrt().numpy()


def arrays(curves: Curves, products: np.ndarray, trained_products: np.ndarray) -> dict[str, np.ndarray]:
    """The curves, the samples at the chosen d_k, and the products of the trained head, to take away."""
    return {
        "d_k": curves.stops,
        "mean": curves.mean,
        "mean_error": curves.mean_error,
        "variance": curves.variance,
        "variance_error": curves.variance_error,
        "expected_mean": curves.expected_mean,
        "expected_variance": curves.expected_variance,
        "products": products,
        "trained_products": trained_products,
    }
