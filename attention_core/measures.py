"""Attention weights to numbers. Rows are queries, columns are keys; a row sums to 1, or to 0 when nothing was allowed.

Row measures give one number per query, head measures one per head (any leading axes). Empty rows are left out of
every average; an average over no row at all is NaN. Half precision is computed in float32. `start` is the position of
the first query among the keys: 0 in self-attention, n_k − n_q for a block of queries at the end of the keys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core import softmax
from attention_core.precision import wide

PAIRWISE_ELEMENTS = 2**24  # of the largest intermediate array, head × head × queries × keys


def entropy(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q"]:
    r"""$H_i = -\sum_j \alpha_{ij} \ln \alpha_{ij}$ with 0 · ln 0 = 0, in nats, from 0 (one key) to ln n_k (uniform).

    Relatively exact where a row saturates (`softmax.entropy`); 0 for an empty row.
    Source: Shannon 1948; for heads Clark et al. 2019, arXiv:1906.04341, section 3.3.
    """
    return softmax.entropy(wide(weights))


def effective_support(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q"]:
    r"""$e^{H_i}$: how many tokens a row really attends to, from 1 (one key) to n_k (uniform); 0 for an empty row.

    Source: Hill 1973, doi:10.2307/1934352 (diversity of order 1).
    """
    return entropy(weights).exp().masked_fill(~_present(weights), 0.0)


def peak(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q"]:
    r"""$\max_j \alpha_{ij}$, from 1/n_k (uniform) to 1 (one key); 0 for an empty row.

    Source: Voita et al. 2019, arXiv:1905.09418 (confidence of a head).
    """
    return wide(weights).amax(dim=-1)


def mean_entropy(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i H_i$ in nats, from 0 to ln n_k."""
    return _mean(entropy(weights), _present(weights))


def relative_entropy(
    weights: Float[Tensor, "*batch n_q n_k"], allowed: Bool[Tensor, "*#batch #n_q #n_k"] | None = None
) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i H_i / \ln n_i$ with n_i the keys allowed to query i: no unit, 0 (one key) to 1 (uniform).

    Rows with one allowed key have entropy 0 whatever the head does, so they are left out. Under a causal mask this
    compares early rows with late ones. Source: Zhai et al. 2023, arXiv:2303.06296 (entropy), normalised.
    """
    possible = _allowed(weights, allowed).sum(dim=-1)
    rows = _present(weights) & (possible > 1)
    return _mean(entropy(weights) / possible.clamp(min=2).log(), rows)


def mean_effective_support(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i e^{H_i}$ in tokens, from 1 to n_k."""
    return _mean(effective_support(weights), _present(weights))


def mean_peak(weights: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i \max_j \alpha_{ij}$, no unit, from 1/n_k to 1 (Voita et al. 2019, arXiv:1905.09418)."""
    return _mean(peak(weights), _present(weights))


def share_peaked(weights: Float[Tensor, "*batch n_q n_k"], threshold: float = 0.9) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i [\max_j \alpha_{ij} > threshold]$: the share of rows that look at one key, from 0 to 1."""
    largest = peak(weights)
    return _mean((largest > threshold).to(largest.dtype), _present(weights))


def mean_distance(weights: Float[Tensor, "*batch n_q n_k"], start: int = 0) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i\sum_j \alpha_{ij}\,|i + start - j|$ in tokens, from 0.

    Identity: 0; uniform: (n² − 1)/(3n); uniform causal: (n − 1)/4. Sources: Vig & Belinkov 2019, arXiv:1906.04284;
    Dosovitskiy et al. 2020, arXiv:2010.11929, section 4.5.
    """
    distance = _lag(weights, start).abs().to(wide(weights).dtype)
    return _mean((wide(weights) * distance).sum(dim=-1), _present(weights))


def diagonality(
    weights: Float[Tensor, "*batch n_q n_k"],
    allowed: Bool[Tensor, "*#batch #n_q #n_k"] | None = None,
    start: int = 0,
) -> Float[Tensor, "*batch"]:
    r"""1 − mean distance / mean distance of uniform attention over the allowed keys: no unit; identity 1, uniform 0.

    Negative for a head that looks further than chance. Unmasked the denominator is (n² − 1)/(3n). NaN where uniform
    attention has distance 0 too (one token).
    """
    reach = _allowed(weights, allowed) & _present(weights)[..., None]
    uniform = reach / reach.sum(dim=-1, keepdim=True).clamp(min=1).to(wide(weights).dtype)
    return 1 - mean_distance(weights, start) / mean_distance(uniform, start)


def offset_score(
    weights: Float[Tensor, "*batch n_q n_k"],
    offset: int,
    allowed: Bool[Tensor, "*#batch #n_q #n_k"] | None = None,
    start: int = 0,
) -> Float[Tensor, "*batch"]:
    r"""Mean of $\alpha_{i,\,i+offset}$ over the queries that have such a key, no unit, from 0 to 1.

    −1: previous token, +1: next token, 0: the token itself, 1 − p on a text repeated with period p: induction.
    Sources: Elhage et al. 2021, transformer-circuits.pub; Olsson et al. 2022, arXiv:2209.11895.
    """
    has_key = (_allowed(weights, allowed) & _present(weights)[..., None]).diagonal(offset + start, dim1=-2, dim2=-1)
    return _mean(wide(weights).diagonal(offset + start, dim1=-2, dim2=-1), has_key)


def sink_share(weights: Float[Tensor, "*batch n_q n_k"], columns: Sequence[int]) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i\sum_{j \in columns} \alpha_{ij}$: mean mass on given keys, from 0 to 1.

    For sinks such as the first token, [CLS] or [SEP].
    Sources: Clark et al. 2019, arXiv:1906.04341, section 3.2; Xiao et al. 2023, arXiv:2309.17453, section 3.1.
    """
    return _mean(wide(weights)[..., list(columns)].sum(dim=-1), _present(weights))


def value_weighted_norm(
    weights: Float[Tensor, "*batch n_q n_k"],
    v: Float[Tensor, "*batch n_k d_v"],
    W_O: Float[Tensor, "*#batch d_v d_model"] | None = None,
) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\lVert \alpha_{ij}\,v_j W^O \rVert = \alpha_{ij}\,\lVert v_j W^O \rVert$: what of key j reaches query i.

    In the unit of the output, from 0; without `W_O` the norm is of α_ij v_j. Exactly 0 where α_ij is 0, whatever v_j.
    Source: Kobayashi et al. 2020, arXiv:2004.10102, section 3.
    """
    handed_on = wide(v) if W_O is None else wide(v) @ wide(W_O)
    length = torch.linalg.vector_norm(handed_on, dim=-1)
    return torch.where(weights == 0, 0.0, wide(weights) * length[..., None, :])


def jensen_shannon(
    weights_a: Float[Tensor, "*#batch n_q n_k"], weights_b: Float[Tensor, "*#batch n_q n_k"]
) -> Float[Tensor, "*batch"]:
    r"""$\frac1n\sum_i \tfrac12 KL(a_i \Vert m_i) + \tfrac12 KL(b_i \Vert m_i)$, $m = (a + b)/2$, in nats, 0 to ln 2.

    Over the rows that are empty in neither. Source: Lin 1991, doi:10.1109/18.61115; for heads Clark et al. 2019,
    arXiv:1906.04341, section 6.
    """
    return _mean(_jensen_shannon_rows(weights_a, weights_b), _present(weights_a) & _present(weights_b))


def pairwise_jensen_shannon(weights: Float[Tensor, "*batch h n_q n_k"]) -> Float[Tensor, "*batch h h"]:
    """`jensen_shannon` of every head with every other, in nats: symmetric, 0 on the diagonal."""
    heads, present = wide(weights), _present(weights)
    both = present[..., :, None, :] & present[..., None, :, :]
    per_query = both[..., 0].numel() * weights.shape[-1]
    rows = [
        _jensen_shannon_rows(block[..., :, None, :, :], block[..., None, :, :, :])
        for block in heads.split(max(1, PAIRWISE_ELEMENTS // per_query), dim=-2)
    ]
    return _mean(torch.cat(rows, dim=-1), both)


def mean_over_heads(weights: Float[Tensor, "*batch h n_q n_k"]) -> Float[Tensor, "*batch n_q n_k"]:
    r"""$\bar\alpha_{ij} = \frac1h \sum_{head} \alpha_{ij}$ over the heads in which row i is not empty."""
    present = _present(weights).sum(dim=-2).clamp(min=1)
    return wide(weights).sum(dim=-3) / present[..., None]


def rollout(
    layers: Sequence[Float[Tensor, "*batch h n n"]], residual: float = 0.5
) -> Float[Tensor, "layer *batch n n"]:
    r"""$R^{(l)} = \tilde A^{(l)} R^{(l-1)}$, $\tilde A = (1 - r)\,\bar\alpha + r\,I$, $R^{(0)} = I$, for every layer.

    Row i of layer l says what share of token i comes from each input token; rows sum to 1. ᾱ is the mean over heads, r
    (`residual`) the share of the skip connection; rows of Ã are renormalised, so a token that attends to nothing keeps
    itself. Raises ValueError without layers or with r outside 0 … 1.
    Source: Abnar & Zuidema 2020, arXiv:2005.00928, section 3.
    """
    if not layers:
        raise ValueError("a rollout needs at least one layer")
    if not 0 <= residual <= 1:
        raise ValueError(f"the share of the residual connection must lie between 0 and 1, not {residual}")
    reached: list[Tensor] = []
    for weights in layers:
        mean = mean_over_heads(weights)
        identity = torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)
        mixed = torch.where(_present(mean)[..., None], (1 - residual) * mean + residual * identity, identity)
        mixed = mixed / mixed.sum(dim=-1, keepdim=True)
        reached.append(mixed @ reached[-1] if reached else mixed)
    return torch.stack(reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One row of the table of head measures. `words` is the key of its title and explanation in the texts.

    `apply(weights, allowed)` gives one number per head; `unit` is "nats", "tokens" or "" for a share.
    """

    words: str
    formula: str
    unit: str
    apply: Callable[[Tensor, Tensor | None], Tensor]


def _unmasked(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor | None], Tensor]:
    """A measure for which it does not matter which zeros were forced."""
    return lambda weights, allowed=None: measure(weights)


MEASURES = {
    name: Measure(words=f"measure.{name}", formula=formula, unit=unit, apply=apply)
    for name, formula, unit, apply in (
        ("entropy", r"\frac1n\sum_i H_i", "nats", _unmasked(mean_entropy)),
        ("relative_entropy", r"\frac1n\sum_i H_i / \ln n_i", "", relative_entropy),
        ("effective_support", r"\frac1n\sum_i e^{H_i}", "tokens", _unmasked(mean_effective_support)),
        ("peak", r"\frac1n\sum_i \max_j \alpha_{ij}", "", _unmasked(mean_peak)),
        ("peaked_90", r"\frac1n\sum_i [\max_j \alpha_{ij} > 0.9]", "", _unmasked(share_peaked)),
        (
            "peaked_99",
            r"\frac1n\sum_i [\max_j \alpha_{ij} > 0.99]",
            "",
            _unmasked(partial(share_peaked, threshold=0.99)),
        ),
        ("distance", r"\frac1n\sum_i\sum_j \alpha_{ij}\,|i-j|", "tokens", _unmasked(mean_distance)),
        ("diagonality", r"1 - \bar d\,/\,\bar d_{\mathrm{uniform}}", "", diagonality),
        ("previous", r"\frac{1}{n-1}\sum_i \alpha_{i,i-1}", "", lambda w, allowed=None: offset_score(w, -1, allowed)),
        ("same", r"\frac1n\sum_i \alpha_{i,i}", "", lambda w, allowed=None: offset_score(w, 0, allowed)),
        ("next", r"\frac{1}{n-1}\sum_i \alpha_{i,i+1}", "", lambda w, allowed=None: offset_score(w, 1, allowed)),
        ("first", r"\frac1n\sum_i \alpha_{i,1}", "", _unmasked(partial(sink_share, columns=(0,)))),
        ("last", r"\frac1n\sum_i \alpha_{i,n}", "", _unmasked(partial(sink_share, columns=(-1,)))),
    )
}


def _present(weights: Float[Tensor, "*batch n_q n_k"]) -> Bool[Tensor, "*batch n_q"]:
    """Rows that attend to something."""
    return (weights != 0).any(dim=-1)


def _allowed(weights: Tensor, allowed: Tensor | None) -> Bool[Tensor, "*batch n_q n_k"]:
    if allowed is None:
        return torch.ones_like(weights, dtype=torch.bool)
    return allowed.expand(weights.shape)


def _lag(weights: Float[Tensor, "*batch n_q n_k"], start: int) -> Int[Tensor, "n_q n_k"]:
    """How many tokens the key lies before the query."""
    n_q, n_k = weights.shape[-2:]
    query = torch.arange(n_q, device=weights.device)[:, None] + start
    return query - torch.arange(n_k, device=weights.device)


def _mean(rows: Float[Tensor, "*batch n_q"], counted: Bool[Tensor, "*batch n_q"]) -> Float[Tensor, "*batch"]:
    """The mean over the rows that count; NaN when none does."""
    return rows.masked_fill(~counted, 0.0).sum(dim=-1) / counted.sum(dim=-1)


def _jensen_shannon_rows(a: Tensor, b: Tensor) -> Tensor:
    """½ Σ a ln(a/m) + ½ Σ b ln(b/m). The difference of entropies would lose its digits when a and b are close."""
    a, b = wide(a), wide(b)
    middle = (a + b) / 2
    safe = middle.masked_fill(middle == 0, 1.0)
    return (torch.xlogy(a, a / safe) + torch.xlogy(b, b / safe)).sum(dim=-1).div(2).clamp(min=0.0)
