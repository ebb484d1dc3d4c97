"""What a head does with tokens that occur again: duplicate-token and induction scores of one text.

Both are undefined (NaN) where no token that a query may look back to occurs twice.
"""

from collections.abc import Callable, Hashable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core.precision import wide

REPEATS = {
    "duplicate": r"\frac1{|D|}\sum_{i \in D}\;\sum_{j<i,\;t_j = t_i} \alpha_{ij}",
    "induction": r"\frac1{|I|}\sum_{i \in I}\;\sum_{j \le i,\;t_{j-1} = t_i,\;j-1<i} \alpha_{ij}",
}


def duplicate_score(
    weights: Float[Tensor, "*batch n n"],
    tokens: Sequence[Hashable],
    allowed: Bool[Tensor, "*#batch n n"] | None = None,
) -> Float[Tensor, "*batch"]:
    r"""$\frac1{|D|}\sum_{i \in D}\sum_{j<i,\,t_j = t_i} \alpha_{ij}$: what a token gives to its earlier copies, 0 to 1.

    D: the queries with an earlier copy that they may look at. NaN where there is none.
    Source: Wang et al. 2022, arXiv:2211.00593, section 3 (duplicate token heads).
    """
    return share_onto(weights, _before(tokens), allowed)


def induction_score(
    weights: Float[Tensor, "*batch n n"],
    tokens: Sequence[Hashable],
    allowed: Bool[Tensor, "*#batch n n"] | None = None,
) -> Float[Tensor, "*batch"]:
    r"""$\frac1{|I|}\sum_{i \in I}\sum_{j} \alpha_{ij}$ over the keys j that follow an earlier copy: $t_{j-1} = t_i$,
    $j-1 < i$; 0 to 1.

    I: the queries with such a key that they may look at. NaN where there is none. On a random sequence repeated once it
    is the prefix matching score of Olsson et al. 2022, arXiv:2209.11895, section "Definition of Induction Heads".
    """
    follows = torch.zeros(len(tokens), len(tokens), dtype=torch.bool)
    follows[:, 1:] = _before(tokens)[:, :-1]
    return share_onto(weights, follows, allowed)


def share_onto(
    weights: Float[Tensor, "*batch n_q n_k"],
    pairs: Bool[Tensor, "n_q n_k"],
    allowed: Bool[Tensor, "*#batch n_q n_k"] | None = None,
) -> Float[Tensor, "*batch"]:
    """The mean share of its weight that a query gives to its keys among `pairs`, over the queries that may look at one
    of them; NaN where none may.
    """
    reach = pairs.to(weights.device) if allowed is None else pairs.to(weights.device) & allowed
    rows = reach.any(dim=-1).expand(weights.shape[:-1])
    shares = wide(weights).masked_fill(~reach, 0.0).sum(dim=-1)
    return shares.masked_fill(~rows, 0.0).sum(dim=-1) / rows.sum(dim=-1)


SCORES: dict[str, Callable[[Tensor, Sequence[Hashable], Tensor | None], Tensor]] = {
    "duplicate": duplicate_score,
    "induction": induction_score,
}


def _before(tokens: Sequence[Hashable]) -> Bool[Tensor, "n n"]:
    """Where the key is the same token as the query, and stands before it."""
    places: dict[Hashable, int] = {}
    first = torch.tensor([places.setdefault(token, at) for at, token in enumerate(tokens)])
    return (first[:, None] == first).tril(-1)
