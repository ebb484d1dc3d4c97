"""What keeps softmax from saturating, one row per cure: what each does to q and k, to the scores, and to the rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from attention_core.attention import AttentionTrace, attend
from attention_core.normalizers import NORMALIZERS
from attention_core.scalings import INVERSE, INVERSE_SQRT, NONE, by

# (d_k, d_model, n keys) -> the number the scores are multiplied by.
Factor = Callable[[int, int, int], float]
Sharpen = Callable[[Float[Tensor, "*batch n_q n_k"]], Float[Tensor, "*batch n_q 1"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One cure. `prepare` is done to every query and key; `needs_spectra`: the projections are divided first.

    `sharpen`: what each row of the scores, the `factor` in them, is multiplied by besides.
    """

    title: str
    formula: str
    reference: str
    prepare: Callable[[Float[Tensor, "*batch n d_k"]], Float[Tensor, "*batch n d_k"]] | None = None
    factor: Factor = lambda d_k, d_model, n: INVERSE_SQRT.factor(d_k)
    sharpen: Sharpen | None = None
    softcap: float | None = None
    normalizer: str = "softmax"
    needs_spectra: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spectra:
    """σ(W_Q) and σ(W_K), one number a head or one for the layer (shape ()), and the biases, which stay as they are."""

    q: Float[Tensor, "*#q_batch"]
    k: Float[Tensor, "*#k_batch"]
    b_Q: Float[Tensor, "*#q_batch d_k"] | None = None
    b_K: Float[Tensor, "*#k_batch d_k"] | None = None


def remedied(
    remedy: Remedy,
    q: Float[Tensor, "*q_batch n_q d_k"],
    k: Float[Tensor, "*k_batch n_k d_k"],
    v: Float[Tensor, "*k_batch n_k d_v"],
    *,
    d_model: int,
    spectra: Spectra | None = None,
) -> AttentionTrace:
    """`attend` under one remedy, every key permitted to every query; the trace holds q and k as the remedy left them.

    Raises ValueError where the remedy divides the projections and their `spectra` are not given.
    """
    if remedy.needs_spectra:
        if spectra is None:
            raise ValueError(f"{remedy.title} needs the spectral norms of W_Q and W_K")
        q = reparametrized(q, spectra.q, spectra.b_Q)
        k = reparametrized(k, spectra.k, spectra.b_K)
    if remedy.prepare is not None:
        q, k = remedy.prepare(q), remedy.prepare(k)
    return attend(
        q,
        k,
        v,
        scaling=by(remedy.factor(q.shape[-1], d_model, k.shape[-2]), remedy.sharpen),
        normalize=NORMALIZERS[remedy.normalizer].apply,
        softcap=remedy.softcap,
    )


def unit(x: Float[Tensor, "*batch n d_k"]) -> Float[Tensor, "*batch n d_k"]:
    r"""$\hat x = x / \lVert x\rVert$; 0 stays 0 (Henry et al. 2020, arXiv:2010.04245)."""
    return x / _nonzero(torch.linalg.vector_norm(x, dim=-1, keepdim=True))


def layer_norm(x: Float[Tensor, "*batch n d_k"]) -> Float[Tensor, "*batch n d_k"]:
    r"""$(x - \bar x)/\sqrt{\mathrm{var}(x) + \varepsilon}$ over d_k: norm ≤ √d_k. ε = 10⁻⁶; no learned gain."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


def g0(length: int) -> float:
    r"""$g_0 = \log_2(L^2 - L)$, where QK-norm's learned factor starts (Henry et al. 2020, arXiv:2010.04245).

    L is the 97.5th percentile of the training lengths there. A single key, whose weight is 1 anyway, counts as two.
    """
    length = max(length, 2)
    return math.log2(length * length - length)


def sharpness(scores: Float[Tensor, "*batch n_q n_k"]) -> Float[Tensor, "*batch n_q 1"]:
    r"""$\beta = \max(1, -0.037H^4 + 0.481H^3 - 2.3H^2 + 4.917H - 1.791)$ where the entropy H of a row of softmax
    exceeds 0.5 nats, else 1 (Veličković et al. 2024, arXiv:2410.01104, figure 6). −∞ is a key that is not there.
    """
    log_p = scores.log_softmax(dim=-1)
    # Not −p ln p of a p that has underflowed: its slope would be ∞.
    H = -(log_p.exp() * log_p.masked_fill(log_p.isneginf(), 0.0)).sum(dim=-1, keepdim=True)
    beta = (((-0.037 * H + 0.481) * H - 2.3) * H + 4.917) * H - 1.791
    return torch.where(H > 0.5, beta.clamp(min=1.0), 1.0)


def spectral_norm(W: Float[Tensor, "*batch d_model d_k"]) -> Float[Tensor, "*batch"]:
    r"""$\sigma(W) = \lVert W\rVert_2$, the largest singular value (one power iteration a step in Zhai et al.)."""
    return torch.linalg.matrix_norm(W, ord=2)


def reparametrized(
    x: Float[Tensor, "*batch n d_k"],
    norm: Float[Tensor, "*#batch"],
    bias: Float[Tensor, "*#batch d_k"] | None = None,
) -> Float[Tensor, "*batch n d_k"]:
    r"""$X\hat W + b$ from $XW + b$ with $\hat W = W/\sigma(W)$: γ, which is learned, at its start of 1.

    Source: Zhai et al. 2023, arXiv:2303.06296.
    """
    norm = _nonzero(norm)[..., None, None]
    return x / norm if bias is None else (x - bias[..., None, :]) / norm + bias[..., None, :]


def temperature(T: float = 1.0) -> Remedy:
    """1/(T √d_k) with one learned T, here given (Lee et al. 2021); T = 1, where it starts, is 1/√d_k."""
    return Remedy(
        title="Learned temperature",
        formula=r"\mathrm{softmax}\!\Big(\frac{QK^\top}{T\sqrt{d_k}}\Big)",
        reference="Lee et al. (2021), arXiv:2112.13492",
        factor=lambda d_k, d_model, n: INVERSE_SQRT.factor(d_k) / T,
    )


def qk_norm(g: float | None = None) -> Remedy:
    """Cosines times g; None is g₀ of the number of keys."""
    return Remedy(
        title="QK-norm",
        formula=r"\mathrm{softmax}\big(g\,\hat Q\hat K^\top\big),\quad \hat q = \frac{q}{\lVert q\rVert},"
        r"\quad g_0 = \log_2(L^2 - L)",
        reference="Henry et al. (2020), arXiv:2010.04245",
        prepare=unit,
        factor=lambda d_k, d_model, n: g0(n) if g is None else g,
    )


def softcap(c: float = 50.0) -> Remedy:
    """c·tanh(x/c) of the scaled scores; Gemma 2 has c = 50."""
    return Remedy(
        title="Logit soft-cap",
        formula=r"\mathrm{softmax}\!\Big(c\,\tanh\frac{QK^\top}{c\sqrt{d_k}}\Big)",
        reference="Gemma Team (2024), arXiv:2408.00118, section 2",
        softcap=c,
    )


def ssmax(s: float = 0.43) -> Remedy:
    """s·ln n on top of 1/√d_k, s learned per head, here given; 0.43 is that of the paper's figure 1."""
    return Remedy(
        title="Scalable-Softmax",
        formula=r"\mathrm{softmax}\!\Big(s\,\ln n\,\frac{QK^\top}{\sqrt{d_k}}\Big)",
        reference="Nakanishi (2025), arXiv:2501.19399",
        factor=lambda d_k, d_model, n: s * math.log(n) * INVERSE_SQRT.factor(d_k),
    )


def normalized(normalizer: str, formula: str) -> Remedy:
    """Another normalizer over the scores divided by √d_k."""
    row = NORMALIZERS[normalizer]
    return Remedy(title=row.title, formula=formula, reference=row.reference, normalizer=normalizer)


REMEDIES = {
    "none": Remedy(
        title="None",
        formula=r"\mathrm{softmax}(QK^\top)",
        reference=NONE.reference,
        factor=lambda d_k, d_model, n: NONE.factor(d_k),
    ),
    "inverse_sqrt": Remedy(
        title="1/√d_k",
        formula=r"\mathrm{softmax}\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)",
        reference=INVERSE_SQRT.reference,
    ),
    "inverse": Remedy(
        title="1/d_k (μP)",
        formula=r"\mathrm{softmax}\!\Big(\frac{QK^\top}{d_k}\Big)",
        reference=INVERSE.reference,
        factor=lambda d_k, d_model, n: INVERSE.factor(d_k),
    ),
    "inverse_sqrt_d_model": Remedy(
        title="1/√d_model",
        formula=r"\mathrm{softmax}\!\Big(\frac{QK^\top}{\sqrt{d_{\mathrm{model}}}}\Big)",
        reference="",  # no paper: what code does that takes the width of the layer for that of the head
        factor=lambda d_k, d_model, n: d_model**-0.5,
    ),
    "temperature": temperature(),
    "qk_norm": qk_norm(),
    "qk_layernorm": Remedy(
        title="QK-LayerNorm",
        formula=r"\mathrm{softmax}\!\Big(\frac{\mathrm{LN}(Q)\,\mathrm{LN}(K)^\top}{\sqrt{d_k}}\Big)",
        reference="Dehghani et al. (2023), arXiv:2302.05442, section 2",
        prepare=layer_norm,
    ),
    "softcap": softcap(),
    "sigma_reparam": Remedy(
        title="σReparam",
        formula=r"\mathrm{softmax}\!\Big(\frac{X\hat W^Q (X\hat W^K)^\top}{\sqrt{d_k}}\Big),"
        r"\quad \hat W = \frac{\gamma}{\sigma(W)}\,W",
        reference="Zhai et al. (2023), arXiv:2303.06296",
        needs_spectra=True,
    ),
    "ssmax": ssmax(),
    "adaptive": Remedy(
        title="Adaptive temperature",
        formula=r"\mathrm{softmax}\!\Big(\beta(H)\,\frac{QK^\top}{\sqrt{d_k}}\Big),"
        r"\quad \beta(H) = \max\big(1, \textstyle\sum_{i=0}^4 c_i H^i\big)",
        reference="Veličković et al. (2024), arXiv:2410.01104",
        sharpen=sharpness,
    ),
    "softmax1": normalized("softmax1", r"\mathrm{softmax}_1\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)"),
    "sparsemax": normalized("sparsemax", r"\mathrm{sparsemax}\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)"),
    "entmax15": normalized("entmax15", r"1.5\text{-}\mathrm{entmax}\!\Big(\frac{QK^\top}{\sqrt{d_k}}\Big)"),
    "sigmoid": normalized("sigmoid", r"\mathrm{sigmoid}\!\Big(\frac{QK^\top}{\sqrt{d_k}} - \ln n\Big)"),
}


def _nonzero(norm: Tensor) -> Tensor:
    """Norms to divide by: 1 in place of 0, so that what is 0 stays 0."""
    return norm.masked_fill(norm == 0, 1.0)
