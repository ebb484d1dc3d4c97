"""Self-attention does not know the order of its tokens: shuffle them and compare, without and with positions."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention_core.attention import AttentionTrace, attend
from attention_core.models.base import Projections
from attention_core.multihead import mix, project
from attention_core.positions import alibi_bias, rope, sinusoidal

Scheme = Literal["none", "sinusoidal", "rope", "alibi"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


def placed(x: Float[Tensor, "*batch n d_model"], scheme: Scheme) -> Float[Tensor, "*batch n d_model"]:
    """The words x where they stand: sinusoidal positions are added, then every row is brought to variance 1 again."""
    if scheme != "sinusoidal":
        return x
    n, d_model = x.shape[-2:]
    return F.layer_norm(x + sinusoidal(n, d_model).to(x.dtype), (d_model,), eps=1e-12)


def self_attention(
    x: Float[Tensor, "*batch n d_model"],
    layer: Projections,
    scheme: Scheme = "none",
    allowed: Bool[Tensor, "n n"] | None = None,
) -> AttentionTrace:
    """One layer of self-attention on the words x, told where they stand by `scheme`.

    Raises ValueError for rotary positions with an odd d_k.
    """
    assert layer.W_Q is not None and layer.W_K is not None and layer.W_V is not None
    x = placed(x, scheme)
    q, k, v = (project(x, W) for W in (layer.W_Q, layer.W_K, layer.W_V))
    if scheme == "rope":
        q, k = rope(q), rope(k)
    n_head, n, _ = q.shape[-3:]
    bias = alibi_bias(n_head, n, n).to(x.dtype) if scheme == "alibi" else None
    return attend(q, k, v, allowed=allowed, bias=bias)


def output(trace: AttentionTrace, layer: Projections) -> Float[Tensor, "*batch n d_model"]:
    """Concat(head_1, …, head_h) W_O."""
    assert layer.W_O is not None
    return mix(trace.context, layer.W_O)


def swaps(n: int, count: int, seed: int) -> Int[Tensor, "stops n"]:
    """Row s: which token stands at each place after s swaps of two places; row 0 is the order as written.

    The places are drawn without repeating one until fewer than two are left, so one swap does not undo another.
    """
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.arange(n)]
    left = orders[0][:0]
    for _ in range(count if n > 1 else 0):
        if len(left) < 2:
            left = torch.randperm(n, generator=generator)
        pair, left = left[:2], left[2:]
        order = orders[-1].clone()
        order[pair] = order[pair.flip(0)]
        orders.append(order)
    return torch.stack(orders)


@dataclass(frozen=True, slots=True, eq=False)
class Shuffled:
    """A sentence, and the same words in other orders, under one scheme of positions.

    `weights`: of the sentence; `moved`: of the shuffled one, rows and columns in the shuffled order; `back`: these put
    back into the order of the sentence; `residual`: max |Attn(PX) − P Attn(X)| over the outputs, per order.
    """

    weights: Float[Tensor, "h n n"]
    moved: Float[Tensor, "orders h n n"]
    back: Float[Tensor, "orders h n n"]
    residual: Float[Tensor, " orders"]


def shuffled(
    x: Float[Tensor, "n d_model"], layer: Projections, scheme: Scheme, orders: Int[Tensor, "orders n"]
) -> Shuffled:
    r"""$\mathrm{Attn}(PX)$ beside $P\,\mathrm{Attn}(X)$ for every order P.

    Without positions they are equal: scores see tokens, not places (Lee et al. 2019, arXiv:1810.00825, section 2).
    """
    own = self_attention(x, layer, scheme)
    other = self_attention(x[orders], layer, scheme)
    expected = output(own, layer)[orders]
    residual = (output(other, layer) - expected).abs().amax(dim=(-2, -1))
    home = orders.argsort(dim=-1)
    rows = home[:, None, :, None].expand_as(other.weights)
    cols = home[:, None, None, :].expand_as(other.weights)
    back = other.weights.gather(-2, rows).gather(-1, cols)
    return Shuffled(own.weights, other.weights, back, residual)


def sinusoidal_similarity(
    d_model: int, places: Int[Tensor, " places"], offsets: Int[Tensor, " offsets"]
) -> Float[Tensor, "places offsets"]:
    r"""$PE_p \cdot PE_{p+k}$, which is $\sum_i \cos(k\,\omega_i)$ for even d_model: the place p drops out.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """
    table = sinusoidal(int(places.max() + offsets.max()) + 1, d_model).double()
    return torch.einsum("pd,pkd->pk", table[places], table[places[:, None] + offsets])


def rope_scores(
    q: Float[Tensor, " d_k"], k: Float[Tensor, " d_k"], places: Int[Tensor, " places"], offsets: Int[Tensor, " offsets"]
) -> Float[Tensor, "places offsets"]:
    r"""$\langle R_p q, R_{p+o} k\rangle$: the same query and key at place p and o places later.

    Source: Su et al. 2021, arXiv:2104.09864, section 3.1.
    """
    turned = rope(q.expand(len(places), -1), places)
    later = (places[:, None] + offsets).flatten()
    keys = rope(k.expand(len(later), -1), later).unflatten(0, (len(places), len(offsets)))
    return torch.einsum("pd,pod->po", turned, keys)


def added_scores(
    x_q: Float[Tensor, " d_model"],
    x_k: Float[Tensor, " d_model"],
    W_Q: Float[Tensor, "d_model d_k"],
    W_K: Float[Tensor, "d_model d_k"],
    places: Int[Tensor, " places"],
    offsets: Int[Tensor, " offsets"],
) -> Float[Tensor, "places offsets"]:
    """q · k of two words with sinusoidal positions added, at place p and o places later: here p does not drop out."""
    table = sinusoidal(int(places.max() + offsets.max()) + 1, len(x_q)).to(x_q.dtype)
    q, k = (F.layer_norm(x + table, (len(x),), eps=1e-12) @ W for x, W in ((x_q, W_Q), (x_k, W_K)))
    return torch.einsum("pd,pod->po", q[places], k[places[:, None] + offsets])
