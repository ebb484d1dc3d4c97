r"""What the weights of a row do not say: where other weights give the same context.

The context of a query is a V. A change r of its weights a is not seen where r V = 0, and leaves a row of weights where
Σ r = 0: the null space of [V, 1] has n − d_v − 1 dimensions when V has full rank.
Source: Brunner et al. 2020, arXiv:1908.04211, section 3. Everything in float64.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def null_space(seen: Float[Tensor, "n columns"]) -> Float[Tensor, "free n"]:
    r"""Orthonormal rows r with r · `seen` = 0: n − rank(seen) of them, by the singular value decomposition."""
    u, s, _ = torch.linalg.svd(seen.double(), full_matrices=True)
    bound = torch.finfo(torch.float64).eps * max(seen.shape) * s.max() if s.numel() else 0.0
    return u[:, int((s > bound).sum()) :].mT


def unseen(v: Float[Tensor, "n d_v"]) -> Float[Tensor, "free n"]:
    r"""A basis of the changes of a row of weights that keep its sum and its context: n − rank[V, 1] rows."""
    return null_space(_with_ones(v))


def other_weights(weights: Float[Tensor, " n"], v: Float[Tensor, "n d_v"]) -> Float[Tensor, " n"]:
    r"""Weights a' ≥ 0 with Σ a' = Σ a and a' V = a V, on at most rank[V, 1] ≤ d_v + 1 keys.

    From a along the unseen change that takes most from the largest weight, until a weight is 0; again without that key,
    until no change is left (Carathéodory 1911). Of many keys d_v + 2 with large weights always leave a change. Equal to
    a where a' V = a V leaves no choice.
    """
    a, enough = weights.double().clone(), v.shape[1] + 2
    while True:
        there = a.nonzero()[:, 0]
        there = there[a[there].topk(min(enough, len(there))).indices]
        basis = unseen(v[there])
        if not len(basis):
            return a
        change = -(basis.mT @ basis[:, a[there].argmax()])
        if change.abs().max() < torch.finfo(torch.float64).eps ** 0.5:  # the largest weight is fixed: any other change
            change = basis[0]
        shrinks = change < 0
        reach = torch.where(shrinks, a[there] / -change, torch.inf)
        first = reach.argmin()
        a[there] = (a[there] + reach[first] * change).clamp(min=0)
        a[there[first]] = 0.0


def effective_weights(weights: Float[Tensor, "n_q n"], v: Float[Tensor, "n d_v"]) -> Float[Tensor, "n_q n"]:
    r"""A⊥ = A − Proj A onto {r : r V = 0}: the part of the weights that reaches the context, A⊥ V = A V.

    Its rows may be negative and need not sum to 1. Source: Brunner et al. 2020, section 3.2 (effective attention).
    """
    basis = null_space(v)
    return weights.double() - weights.double() @ basis.mT @ basis


def _with_ones(v: Float[Tensor, "n d_v"]) -> Float[Tensor, "n columns"]:
    return torch.cat([v.double(), v.new_ones(len(v), 1, dtype=torch.float64)], dim=-1)
