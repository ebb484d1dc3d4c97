"""Softmax rows of the logits f·s at many factors f at once, and the norms of the gradients behind them, in closed form.

A row keeps its largest key m and its runner-up for every f > 0. With e_j = exp(f(s_j − s_runner-up)) for j ≠ m and
w = exp(−f·gap), p_m = 1/(1 + w Σe) and p_j = w p_m e_j, and every quantity is w p_m times sums of ordinary size: its
logarithm is exact however far the row has saturated. Keys that are the same as m stand beside it: the runner-up is the
largest of the others. Nothing of the size of a weight matrix is made: ‖XᵀAK‖ is the
same for any X and K with the same products of rows, so both are brought to as few columns as they have rows. Layout of
the large arrays: (head, query, f, key); passes over them are what a sweep costs, so they are made in place.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

LOG2E = math.log2(math.e)
# Powers of e that count beside 1, the runner-up's; what is smaller is 0, for float32's squares and cubes of it would be
# denormal, and those are slow.
LEAST = {torch.float32: -28.0, torch.float64: -700.0}
ROUNDING = 16  # ε of the longest key, within which two keys are the same


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Softmax rows: `e` as above, 0 at the winner; `rest` is what a unit of e is worth as a probability.

    `same`: the winner and the keys that are the same as it, which have its probability p_m and an e of 0; None where no
    two keys are the same.
    """

    e: Float[Tensor, "h n a k"]
    winner: Int[Tensor, "h n a 1"]
    same: Bool[Tensor, "h n 1 k"] | None
    p_m: Float[Tensor, "h n a"]
    rest: Float[Tensor, "h n a"]
    log_rest: Float[Tensor, "h n a"]
    entropy: Float[Tensor, "h n a"]
    trace: Float[Tensor, "h n a"]
    frobenius: Float[Tensor, "h n a"]

    def weights(self) -> Float[Tensor, "h n a k"]:
        """The probabilities themselves."""
        weights = (self.e * self.rest[..., None]).scatter_(-1, self.winner, self.p_m[..., None])
        return weights if self.same is None else torch.where(self.same, self.p_m[..., None], weights)


def alike(rows: Float[Tensor, "h k d"], length: Float[Tensor, " h"]) -> Bool[Tensor, "h k k"] | None:
    """Which rows are the same but for rounding: closer than a few ε of `length`. None where no two are."""
    apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    same = apart <= ROUNDING * torch.finfo(rows.dtype).eps * length[:, None, None]
    return same if int(same.sum()) > same.shape[0] * same.shape[1] else None


def of_winners(same: Bool[Tensor, "h k k"], winner: Int[Tensor, "h n a 1"]) -> Bool[Tensor, "h n 1 k"]:
    """Of a relation between keys, the row of each query's winner."""
    return same.gather(1, winner[:, :, 0].expand(-1, -1, same.shape[-1]))[:, :, None]


def soften(s: Float[Tensor, "h n k"], f: Float[Tensor, " a"], same: Bool[Tensor, "h k k"] | None = None) -> Rows:
    """softmax(f s) of every row for every f > 0, its entropy, and trace and Frobenius norm of its Jacobian.

    `same`: which keys are the same. As many as are the same as the winner share the top, whatever rounding says.
    """
    top, place = s.max(dim=-1, keepdim=True)
    winner = place[:, :, None].expand(-1, -1, len(f), -1)
    tied = None if same is None else of_winners(same, winner)[:, :, 0]
    others = s.scatter(-1, place, -math.inf) if tied is None else s.masked_fill(tied, -math.inf)
    second = others.amax(dim=-1, keepdim=True)
    second = torch.where(second.isneginf(), top, second)  # all keys are the same
    below = others - second
    e = below[:, :, None] * (LOG2E * f)[:, None]
    e = F.threshold(e, LOG2E * LEAST[s.dtype], -math.inf, inplace=True).exp2_()  # exp takes four times as long
    z = e.sum(dim=-1)
    spread = (e * below.masked_fill_(below.isneginf(), 0.0)[:, :, None]).sum(dim=-1)
    square = e.square()
    s2 = square.sum(dim=-1)
    s3 = square.mul_(e).sum(dim=-1)

    count = s.new_ones(1) if tied is None else tied.sum(dim=-1, keepdim=True).to(s.dtype)
    gap = top - second
    log_w = -gap * f
    w = log_w.exp()
    log_total = (w * z / count).log1p_() + count.log()  # −ln p_m, also where p_m rounds to 1
    p_m = 1 / (count + w * z)
    rest = w * p_m
    r2, top2 = rest.square() * s2, count * p_m.square()
    trace = rest * z * (1 + count * p_m) - r2
    frobenius = rest * (top2 * (z.square() + s2) + s2 * (1 + top2 + r2) - 2 * rest * s3).sqrt()
    if tied is not None:
        beside = (count - 1) * p_m  # what those beside the winner have
        trace += count * p_m * beside
        frobenius = torch.hypot(frobenius, (top2 * beside * (beside + p_m + 2 * rest * z)).sqrt())
    return Rows(
        e=e,
        winner=winner,
        same=None if tied is None else tied[:, :, None],
        p_m=p_m,
        rest=rest,
        log_rest=log_w - log_total,
        entropy=log_total + rest * f * (gap * z - spread),
        trace=trace,
        frobenius=frobenius,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """∂L/∂logits is `unit` times exp(log_most): the largest row of a head has 1 before its e, so that no square
    underflows before the last one does. `log_size`: ln of the norm of each row.
    """

    unit: Float[Tensor, "h n a k"]
    log_most: Float[Tensor, "h a"]
    log_size: Float[Tensor, "h n a"]


def slopes_of(unit: Float[Tensor, "h n a k"], log_scale: Float[Tensor, "h n a"]) -> Slopes:
    """From rows in units of exp(log_scale) each; changes `unit`."""
    log_size = log_scale + torch.linalg.vector_norm(unit, dim=-1).log()
    log_most = log_scale.amax(dim=1)
    unit *= (log_scale - log_most[:, None]).exp()[..., None]
    return Slopes(unit, log_most, log_size)


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """∂L/∂logits; the same as the keys see it, those that are the same taken as one; ln of the gain of each row.

    What goes to and fro between equal keys cancels in dS K, and would leave its rounding there: as one, they get what
    the others leave, Σ over the row being 0.
    """

    d_scores: Slopes
    by_key: Slopes
    log_gains: Float[Tensor, "h n a"]


def row_slopes(
    rows: Rows, d_weights: Float[Tensor, "h n #a k"], same_value: Bool[Tensor, "h k k"] | None = None
) -> Passed:
    """∂L/∂logits from ∂L/∂weights. `same_value`: keys whose values are the same too; their ∂L/∂weights are."""
    # The Jacobian does not see a shift of the row.
    shifted = d_weights - d_weights.gather(-1, rows.winner[:, :, : d_weights.shape[2]])
    arriving = torch.linalg.vector_norm(shifted - shifted.mean(dim=-1, keepdim=True), dim=-1)
    if rows.same is None:
        u = (rows.e * shifted).sum(dim=-1)
        unit = (shifted - (rows.rest * u)[..., None]).mul_(rows.e)
        unit.scatter_(-1, rows.winner, -(rows.p_m * u)[..., None])
        d_scores = by_key = slopes_of(unit, rows.log_rest)
    else:
        if same_value is not None:
            shifted = shifted.masked_fill(of_winners(same_value, rows.winner) & rows.same, 0.0)
        d_scores, by_key = _among_equals(rows, rows.same, shifted)
    log_gains = torch.where(d_scores.log_size.isneginf(), -math.inf, d_scores.log_size - arriving.log())
    return Passed(d_scores, by_key, log_gains)


def _among_equals(
    rows: Rows, same: Bool[Tensor, "h n 1 k"], shifted: Float[Tensor, "h n #a k"]
) -> tuple[Slopes, Slopes]:
    r"""Where several keys share the top: $\partial s_j = p_j(d_j - \bar d)$, $\bar d = \sum_j p_j d_j$; d is 0 there.

    Rows whose equals have different values have a gradient of ordinary size among them, in units of p_m.
    """
    inner = (shifted * same).sum(dim=-1)
    u = (rows.e * shifted).sum(dim=-1)
    mean = rows.rest * u + rows.p_m * inner
    outside = (shifted - mean[..., None]).mul_(rows.e)
    rivals = ((shifted != 0) & same).any(dim=-1)
    log_scale = torch.where(rivals, rows.p_m.log(), rows.log_rest)
    worth = (rows.log_rest - log_scale).exp()
    inside = torch.where(rivals[..., None], shifted - mean[..., None], -(rows.p_m * u)[..., None])
    unit = torch.where(same, inside, outside * worth[..., None])
    outside.scatter_(-1, rows.winner, -outside.sum(dim=-1, keepdim=True))
    return slopes_of(unit, log_scale), slopes_of(outside, rows.log_rest)


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
