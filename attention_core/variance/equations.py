"""The derivation of D(q·k) = d_k, line by line: both sides measured, and both sides exactly."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from attention_core.variance.draws import Sums, first_components, products
from attention_core.variance.estimates import moments
from attention_core.variance.laws import Assumptions, law

Key = Literal["product", "zero", "definition", "squares", "ones", "sum_mean", "sum_variance", "d_k", "scaled"]


@dataclass(frozen=True, slots=True)
class Line:
    """One equation of the derivation: both sides as measured, and both sides exactly, under the assumptions chosen."""

    key: Key
    left: float
    error: float
    right: float
    exact_left: float
    exact_right: float

    @property
    def holds(self) -> bool:
        """Whether the equation is true of these assumptions, not merely of these samples."""
        return math.isclose(self.exact_left, self.exact_right, rel_tol=1e-9, abs_tol=1e-12)


def derivation(sums: Sums, assumptions: Assumptions, d_k: int) -> tuple[Line, ...]:
    """Every equation between E(XY) and D(q·k/√d_k) = 1, both sides measured and exact. d_k must be one of the stops."""
    exact = law(assumptions)
    x, y = (side.double() for side in first_components(sums, assumptions))
    both = moments(torch.stack([x * y, (x * y).square()]))
    e_xy, e_xxyy = both.mean.tolist()
    e_xy_error, e_xxyy_error = both.mean_error.tolist()
    d_xy, d_xy_error = float(both.variance[0]), float(both.variance_error[0])
    e_x, e_y, e_xx, e_yy = (float(side.mean()) for side in (x, y, x.square(), y.square()))
    dots = moments(products(sums, assumptions)[sums.stops.index(d_k)])
    mean, mean_error, variance, variance_error = (
        float(value) for value in (dots.mean, dots.mean_error, dots.variance, dots.variance_error)
    )
    squared = exact.component_variance + exact.component_mean**2  # E(X²) = E(Y²)
    e_x2y2 = exact.variance + exact.mean**2
    ones_error = math.hypot(*(float(moments(side.square()).mean_error) for side in (x, y)))
    return (
        Line("product", e_xy, e_xy_error, e_x * e_y, exact.mean, exact.component_mean**2),
        Line("zero", e_x * e_y, _mean_product_error(x, y), 0.0, exact.component_mean**2, 0.0),
        Line("definition", d_xy, d_xy_error, e_xxyy - e_xy**2, exact.variance, e_x2y2 - exact.mean**2),
        Line("squares", e_xxyy, e_xxyy_error, e_xx * e_yy, e_x2y2, squared**2),
        Line("ones", e_xx * e_yy, ones_error * max(e_xx, e_yy), 1.0, squared**2, 1.0),
        Line("sum_mean", mean, mean_error, 0.0, d_k * exact.mean, 0.0),
        Line("sum_variance", variance, variance_error, d_k * d_xy, d_k * exact.variance, d_k * exact.variance),
        Line("d_k", d_k * d_xy, d_k * d_xy_error, float(d_k), d_k * exact.variance, float(d_k)),
        Line("scaled", variance / d_k, variance_error / d_k, 1.0, exact.variance, 1.0),
    )


def _mean_product_error(x: Tensor, y: Tensor) -> float:
    """The standard error of mean(x)·mean(y), to first order, with the errors of correlated x and y added."""
    n, (mean_x, mean_y) = x.shape[0], (x.mean(), y.mean())
    linear = (x - mean_x) * mean_y + (y - mean_y) * mean_x
    second = x.var() * y.var() / n
    return float(((linear.square().mean() + second) / n).sqrt())
