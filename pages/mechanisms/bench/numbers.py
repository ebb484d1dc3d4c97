"""Mechanisms side by side on one layer's q, k and v: vectors, one head of each, and what is counted of it. Pure.

No mechanism is named here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from attention_core import masks
from attention_core.mechanisms import AXES, MECHANISMS, Mechanism, Options, moved, run
from attention_core.mechanisms.bench import HeadGradient, Result, entropy
from attention_core.mechanisms.multiplicative import SCALED_DOT
from attention_core.models import LayerTrace
from ui.scripts import Code, filled
from ui.session import Study
from ui.snippets import model_code, settings_code

OWN = "own"  # the mask that the head has in its model
LEAST, MOST = 2, 6  # mechanisms at once
MAX_TOKENS = 64  # queries, and keys: six mechanisms then still answer while you watch
COUNTED = ("learned", "products", "pointwise", "held")  # exact, whatever their size
COLUMNS = ("entropy", "support", "apart", "d_q", "d_k", *COUNTED, "milliseconds")
PER_TOKEN = ("entropy", "support", "apart", "d_q")
SUMMED = 1e-4  # a row whose sum is further than this from 1 is not normalised


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What all mechanisms of the bench share, by value: part of the cache key. `memory`: the text that answers, where
    it is another one.
    """

    study: Study
    layer: int
    memory: str | None = None
    options: Options = field(default_factory=Options)
    mask: str = OWN


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """q of the sentence, k and v of the memory, all heads, cut to MAX_TOKENS; their tokens, and the mask."""

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    q: Float[Tensor, "h n_q d_k"]
    k: Float[Tensor, "h n_k d_k"]
    v: Float[Tensor, "h n_k d_v"]
    allowed: Bool[Tensor, "*h n_q n_k"] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One mechanism on one head. `weights` are NaN where a mask forbids; `apart` is ‖c_i − c_ref,i‖."""

    key: str
    mechanism: Mechanism
    result: Result
    gradient: HeadGradient
    weights: Float[Tensor, "n_q n_k"]
    difference: Float[Tensor, "n_q n_k"]
    context: Float[Tensor, "n_q d_v"]
    entropy: Float[Tensor, " n_q"]
    apart: Float[Tensor, " n_q"]

    @property
    def heard(self) -> Bool[Tensor, " n_q"]:
        """The queries that may attend to something."""
        return ~self.weights.isnan().all(dim=-1)

    @property
    def sums(self) -> tuple[float, float]:
        """The smallest and the largest sum of a row of weights, over the queries that may attend to something."""
        sums = self.weights[self.heard].nansum(dim=-1)
        return (float(sums.min()), float(sums.max())) if len(sums) else (0.0, 0.0)

    @property
    def normalised(self) -> bool:
        """Whether every row of weights sums to 1, where anything may be attended to."""
        return all(abs(total - 1) <= SUMMED for total in self.sums) or not bool(self.heard.any())

    def per_token(self, name: str) -> Float[Tensor, " n_q"]:
        """A measure of PER_TOKEN for every query."""
        measures = {"entropy": self.entropy, "support": self.entropy.exp(), "apart": self.apart}
        return measures[name] if name in measures else self.gradient.q.norm(dim=-1)

    def number(self, name: str) -> float:
        """A measure of COLUMNS for the head; entropy and support are means over the queries that attend to a key."""
        cost = self.result.cost
        costs = {"learned": self.result.learned, "products": cost.products, "pointwise": cost.pointwise}
        costs |= {"held": cost.held, "milliseconds": self.result.seconds * 1e3}
        norms = {"apart": self.apart, "d_q": self.gradient.q, "d_k": self.gradient.k}
        if name in costs:
            return float(costs[name])
        return float(norms[name].norm()) if name in norms else float(self.per_token(name).nanmean())


def one_per_axis(table: Mapping[str, Mechanism]) -> list[str]:
    """The first row, and for each axis the first row that moves on it."""
    first, *others = table
    keys = [first]
    for axis in AXES:
        keys += [key for key in others if axis in moved(table[first], table[key]) and key not in keys][:1]
    return keys[:MOST]


def three(table: Mapping[str, Mechanism]) -> list[str]:
    """What the bench opens with: the reference and two that differ from it on an axis each."""
    return one_per_axis(table)[:3]


def vectors(own: LayerTrace, memory: LayerTrace, mask: str, radius: int) -> Vectors:
    """The layer's q, without a factor of the model's own in it, and k and v of the layer on the memory.

    The head's own mask holds between its own tokens; another memory has none. Under a mask of the reader's, query i
    stands at key i, as in the mechanisms with a window, however long the memory is.
    """
    q, k, v = own.plain_q[:, :MAX_TOKENS], memory.attention.k[:, :MAX_TOKENS], memory.attention.v[:, :MAX_TOKENS]
    n_q, n_k = q.shape[-2], k.shape[-2]
    n = max(n_q, n_k)
    makers = {
        OWN: lambda: _own_mask(own, memory),
        "none": lambda: None,
        "causal": lambda: masks.causal(n, n)[:n_q, :n_k],
        "window": lambda: masks.window(n, n, radius)[:n_q, :n_k],
    }
    return Vectors(
        queries=own.queries[:MAX_TOKENS],
        keys=memory.keys[:MAX_TOKENS],
        q=q,
        k=k,
        v=v,
        allowed=makers[mask](),
    )


def _own_mask(own: LayerTrace, memory: LayerTrace) -> Bool[Tensor, "*h n_q n_k"] | None:
    """One for all heads where they agree."""
    allowed = own.allowed[:, :MAX_TOKENS, :MAX_TOKENS]
    if memory is not own or bool(allowed.all()):
        return None
    return allowed[0] if bool((allowed == allowed[0]).all()) else allowed


def rows(results: Mapping[str, tuple[Result, HeadGradient]], reference: str, head: int) -> list[Row]:
    """One head of every result, beside that of the reference."""
    base = results[reference][0]
    return [_row(key, result, gradient, base, head) for key, (result, gradient) in results.items()]


def _row(key: str, result: Result, gradient: HeadGradient, base: Result, head: int) -> Row:
    weights, context = result.trace.weights[head], result.trace.context[head]
    closed, closed_base = (trace.masked_scores[head].isneginf() for trace in (result.trace, base.trace))
    return Row(
        key=key,
        mechanism=MECHANISMS[key],
        result=result,
        gradient=gradient,
        weights=weights.masked_fill(closed, torch.nan),
        difference=(weights - base.trace.weights[head]).masked_fill(closed & closed_base, torch.nan),
        context=context,
        entropy=entropy(weights),
        apart=(context - base.trace.context[head]).norm(dim=-1),
    )


def sdpa_residual(vectors: Vectors) -> float:
    """max |context − torch's own| of scaled dot on these q, k, v and this mask, over queries that may attend."""
    q, k, v, allowed = vectors.q, vectors.k, vectors.v, vectors.allowed
    ours = run(SCALED_DOT, q, k, v, parameters={}, allowed=allowed).context
    theirs = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
    heard = slice(None) if allowed is None else allowed.any(dim=-1)
    return float((ours - theirs)[:, heard].abs().max())


# --- what leaves the page ---


def arrays(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """What the pictures show."""
    return {
        "mechanisms": np.array([row.key for row in rows]),
        "columns": np.array(COLUMNS),
        **{
            f"{name}_{row.key}": getattr(row, name).numpy()
            for row in rows
            for name in ("weights", "difference", "context")
        },
        **{name: torch.stack([row.per_token(name) for row in rows]).numpy() for name in PER_TOKEN},
        "d_k": torch.stack([row.gradient.k.norm(dim=-1) for row in rows]).numpy(),
        "table": np.array([[row.number(name) for name in COLUMNS] for row in rows]),
    }


def script(comparison: Comparison, names: Sequence[str], reference: str, layer: Code, head: int) -> str:
    """The script of the page: the numbers of this head of the layer of that index."""
    return filled(
        Path(__file__).with_name("script.py"),
        model=model_code(comparison.study),
        settings=settings_code(comparison.study),
        text=comparison.study.text,
        memory=comparison.memory,
        layer=layer,
        head=head,
        mask=comparison.mask,
        radius=comparison.options.radius,
        seed=comparison.options.seed,
        names=list(names),
        reference=reference,
    )
