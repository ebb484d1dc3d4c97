"""Softmax rows of the logits f·s at many factors f at once, and the norms of the gradients behind them, in closed form.

A row keeps its largest key m and its runner-up for every f > 0. With e_j = exp(f(s_j − s_runner-up)) for j ≠ m and
w = exp(−f·gap), p_m = 1/(1 + w Σe) and p_j = w p_m e_j, and every quantity is w p_m times sums of ordinary size: its
logarithm is exact however far the row has saturated. Nothing of the size of a weight matrix is made: ‖XᵀAK‖ is the
same for any X and K with the same products of rows, so both are brought to as few columns as they have rows. Layout of
the large arrays: (head, query, f, key); passes over them are what a sweep costs, so they are made in place.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

LOG2E = math.log2(math.e)
# Powers of e that count beside 1, the runner-up's; what is smaller is 0, for float32's squares and cubes of it would be
# denormal, and those are slow.
LEAST = {torch.float32: -28.0, torch.float64: -700.0}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Softmax rows: `e` as above, 0 at the winner; `rest` is what a unit of e is worth as a probability."""

    e: Float[Tensor, "h n a k"]
    winner: Int[Tensor, "h n a 1"]
    p_m: Float[Tensor, "h n a"]
    rest: Float[Tensor, "h n a"]
    log_rest: Float[Tensor, "h n a"]
    entropy: Float[Tensor, "h n a"]
    trace: Float[Tensor, "h n a"]
    frobenius: Float[Tensor, "h n a"]

    def weights(self) -> Float[Tensor, "h n a k"]:
        """The probabilities themselves."""
        return (self.e * self.rest[..., None]).scatter_(-1, self.winner, self.p_m[..., None])


def soften(s: Float[Tensor, "h n k"], f: Float[Tensor, " a"]) -> Rows:
    """softmax(f s) of every row for every f > 0, its entropy, and trace and Frobenius norm of its Jacobian."""
    top, winner = s.max(dim=-1, keepdim=True)
    others = s.scatter(-1, winner, -math.inf)
    second = others.amax(dim=-1, keepdim=True)
    below = others - second
    e = below[:, :, None] * (LOG2E * f)[:, None]
    e = F.threshold(e, LOG2E * LEAST[s.dtype], -math.inf, inplace=True).exp2_()  # exp takes four times as long
    z = e.sum(dim=-1)
    spread = (e * below.scatter_(-1, winner, 0.0)[:, :, None]).sum(dim=-1)
    square = e.square()
    s2 = square.sum(dim=-1)
    s3 = square.mul_(e).sum(dim=-1)

    gap = top - second
    log_w = -gap * f
    w = log_w.exp()
    p_m = 1 / (1 + w * z)
    rest = w * p_m
    r2 = rest.square() * s2
    frobenius = rest * (p_m.square() * (z.square() + s2) + s2 * (1 + p_m.square() + r2) - 2 * rest * s3).sqrt()
    return Rows(
        e=e,
        winner=winner[:, :, None].expand(-1, -1, len(f), -1),
        p_m=p_m,
        rest=rest,
        log_rest=log_w + p_m.log(),
        entropy=-p_m.log() + rest * f * (gap * z - spread),
        trace=rest * z * (1 + p_m) - r2,
        frobenius=frobenius,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """∂L/∂logits is `unit` times exp(log_most): the largest row of a head has 1 before its e, so that no square
    underflows before the last one does. `log_size`: ln of the norm of each row; `log_gains`: less that of what came in.
    """

    unit: Float[Tensor, "h n a k"]
    log_most: Float[Tensor, "h a"]
    log_size: Float[Tensor, "h n a"]
    log_gains: Float[Tensor, "h n a"]


def row_slopes(rows: Rows, d_weights: Float[Tensor, "h n #a k"]) -> Slopes:
    """∂L/∂logits from ∂L/∂weights."""
    # The Jacobian does not see a shift of the row.
    shifted = d_weights - d_weights.gather(-1, rows.winner[:, :, : d_weights.shape[2]])
    arriving = torch.linalg.vector_norm(shifted - shifted.mean(dim=-1, keepdim=True), dim=-1)
    u = (rows.e * shifted).sum(dim=-1)
    unit = (shifted - (rows.rest * u)[..., None]).mul_(rows.e)
    unit.scatter_(-1, rows.winner, -(rows.p_m * u)[..., None])
    log_size = rows.log_rest + torch.linalg.vector_norm(unit, dim=-1).log()
    log_most = rows.log_rest.amax(dim=1)
    unit *= (rows.log_rest - log_most[:, None]).exp()[..., None]
    return Slopes(unit, log_most, log_size, log_size - arriving.log())


@dataclass(frozen=True, slots=True, eq=False)
class TokenRows:
    """The rows of X as their mean and what each has beside it, in coordinates of as few numbers as that takes."""

    apart: Float[Tensor, "n m"]
    centre: Float[Tensor, " m"]

    @property
    def x(self) -> Float[Tensor, "n m"]:
        return self.apart + self.centre


def token_rows(x: Float[Tensor, "n d_model"]) -> TokenRows:
    """Exact however near the rows are to each other: their mean is gone before anything is rotated."""
    centre = x.mean(dim=0, keepdim=True)
    rotated = narrow(torch.cat([x - centre, centre]))
    return TokenRows(rotated[:-1], rotated[-1])


def narrow(rows: Float[Tensor, "*h n d"]) -> Float[Tensor, "*h n r"]:
    """As many rows with the same products ⟨row_i, row_j⟩, in at most n columns."""
    n, d = rows.shape[-2:]
    return rows if d <= n else torch.linalg.qr(rows.mT, mode="r").R.mT


def signal_and_noise(
    x: TokenRows, a: Float[Tensor, "h n a k"], k: Float[Tensor, "h k r"]
) -> tuple[Float[Tensor, "h a"], Float[Tensor, "h a"]]:
    r"""‖Σ g_i‖² and mean ‖g_i − mean g‖² of the parts g_i = x_i r_iᵀ, r = A K.

    With x = x̄ + u and r = r̄ + v, g_i − mean g = x̄ v_iᵀ + u_i r_iᵀ − mean u rᵀ: what all parts have in common is gone
    before anything is squared, so that parts that are nearly the same still differ. Σ g_i = n x̄ r̄ᵀ + Σ u_i v_iᵀ.
    """
    n = a.shape[1]
    v = over_keys(a, k)
    middle = v.mean(dim=1, keepdim=True)  # r̄
    v -= middle
    mixed = over_queries(x.apart, v)
    noise = square(v * torch.linalg.vector_norm(x.x, dim=-1)[:, None, None])
    noise += (over_queries(2 * (x.apart * x.x).sum(dim=-1)[:, None], v) * middle).sum(dim=(1, 3))
    noise += x.apart.square().sum() * square(middle)
    noise -= square(mixed) / n
    signal = square(mixed.add_(n * x.centre[:, None, None] * middle))
    return signal, noise / n


def over_keys(a: Float[Tensor, "h n a k"], rows: Float[Tensor, "h k r"]) -> Float[Tensor, "h n a r"]:
    """A R for each f."""
    return (a.flatten(1, 2) @ rows).unflatten(1, a.shape[1:3])


def over_queries(rows: Float[Tensor, "*#h n m"], a: Float[Tensor, "h n a k"]) -> Float[Tensor, "h m a k"]:
    """RᵀA for each f."""
    return (rows.mT @ a.flatten(2)).unflatten(2, a.shape[2:])


def square(matrices: Float[Tensor, "h n a m"]) -> Float[Tensor, "h a"]:
    """‖·‖² for each f."""
    return matrices.square().sum(dim=-1).sum(dim=1)
