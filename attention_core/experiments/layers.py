"""The network the attention experiments share, and what is measured in it while it learns.

Token embeddings and learned positions N(0, 1), pre-LayerNorm attention with W_Q, W_K, W_V from N(0, 1/d_model) as in
`MultiHeadAttention` (so q and k have unit variance, the assumption behind 1/√d_k), residual, final LayerNorm, linear
read-out; no MLP, no dropout. The weights a scaling rule does not concern are the same for every rule and d_k.
"""

import math
from typing import cast

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from attention_core import measures
from attention_core.attention import AttentionTrace, attend
from attention_core.experiments.base import build, normal, stream
from attention_core.multihead import MultiHeadAttention, project
from attention_core.remedies import unit
from attention_core.saturation import DEAD
from attention_core.scalings import NONE, SCALINGS
from attention_core.softmax import backward, row_gain

QK_NORM = "qk_norm"
RULES = (*SCALINGS, QK_NORM)
SATURATED = 0.999  # a row whose largest weight is above
GROUPS = 16  # gradients from which the signal-to-noise ratio of a batch is estimated
SHARE = 0.05  # of rows, the largest, whose part of ‖dS‖² is measured


class AttentionLayer(nn.Module):
    r"""$x + \mathrm{MultiHead}(s\,\mathrm{LayerNorm}(x))$ under one scaling rule of RULES; s is the input scale.

    `qk_norm` divides q and k by their lengths and multiplies the cosines by a learned g that starts at `g0` (Henry et
    al. 2020, arXiv:2010.04245). `softcap` c turns the scaled scores into c·tanh(·/c). Raises ValueError for another
    rule.
    """

    def __init__(
        self,
        *,
        d_model: int,
        n_head: int,
        d_k: int,
        rule: str = "inverse_sqrt",
        seed: int = 0,
        input_scale: float = 1.0,
        g0: float = 10.0,
        softcap: float | None = None,
    ) -> None:
        super().__init__()
        if rule not in RULES:
            raise ValueError(f"the scaling rule must be {', '.join(RULES)}; not {rule!r}")
        self.norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model=d_model, n_head=n_head, d_k=d_k, d_v=d_model // n_head, seed=seed)
        self.scaling = NONE if rule == QK_NORM else SCALINGS[rule]
        self.g = nn.Parameter(torch.tensor(g0)) if rule == QK_NORM else None
        self.input_scale, self.softcap = input_scale, softcap

    def trace(
        self, x: Float[Tensor, "*batch n d_model"], allowed: Bool[Tensor, "*#mask #n #n"] | None = None
    ) -> AttentionTrace:
        """Every stage of every head, on the axis before the last two."""
        normed = self.norm(x)
        scaled = normed if self.input_scale == 1.0 else normed * self.input_scale
        layer = self.attention
        q, k = project(scaled, layer.W_Q), project(scaled, layer.W_K)
        if self.g is not None:
            q, k = self.g * unit(q), unit(k)
        v = project(normed, layer.W_V)
        return attend(q, k, v, scaling=self.scaling, allowed=allowed, softcap=self.softcap)

    def forward(
        self, x: Float[Tensor, "*batch n d_model"], allowed: Bool[Tensor, "*#mask #n #n"] | None = None
    ) -> tuple[Float[Tensor, "*batch n d_model"], AttentionTrace]:
        trace = self.trace(x, allowed)
        return x + self.attention.output(trace), trace


class AttentionOnly(nn.Module):
    """Tokens → logits through attention layers alone; every trace is returned."""

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        classes: int,
        d_model: int = 64,
        n_head: int = 1,
        d_k: int = 64,
        n_layer: int = 1,
        seed: int = 0,
        rule: str = "inverse_sqrt",
        input_scale: float = 1.0,
        g0: float = 10.0,
        softcap: float | None = None,
    ) -> None:
        super().__init__()
        draw = stream(seed, "weights")
        self.tokens = normal((vocabulary, d_model), draw)
        self.positions = normal((length, d_model), draw)
        self.read = build(nn.Linear, d_model, classes, generator=draw)
        self.layers = nn.ModuleList(
            AttentionLayer(
                d_model=d_model,
                n_head=n_head,
                d_k=d_k,
                rule=rule,
                seed=(seed * n_layer + number) + 1000,
                input_scale=input_scale,
                g0=g0,
                softcap=softcap,
            )
            for number in range(n_layer)
        )
        self.norm = nn.LayerNorm(d_model)

    @property
    def blocks(self) -> tuple[AttentionLayer, ...]:
        """The attention layers, in order."""
        return tuple(cast(AttentionLayer, layer) for layer in self.layers)

    def embed(self, tokens: Integer[Tensor, "*batch n"], start: int = 0) -> Float[Tensor, "*batch n d_model"]:
        """Token plus position; `start` is the position of the first token."""
        return self.tokens[tokens] + self.positions[start : start + tokens.shape[-1]]

    def forward(
        self,
        tokens: Integer[Tensor, "*batch n"],
        allowed: Bool[Tensor, "*#mask #n #n"] | None = None,
        start: int = 0,
    ) -> tuple[Float[Tensor, "*batch n classes"], list[AttentionTrace]]:
        x, traces = self.embed(tokens, start), []
        for layer in self.blocks:
            x, trace = layer(x, allowed)
            traces.append(trace)
        return self.read(self.norm(x)), traces

    def matrices(self) -> dict[str, nn.Parameter]:
        """W_Q.0, W_K.0, … of every layer."""
        return {
            f"{name}.{number}": getattr(layer.attention, name)
            for number, layer in enumerate(self.blocks)
            for name in ("W_Q", "W_K", "W_V", "W_O")
        }


def gradient_measures(
    loss: Float[Tensor, ""], traces: list[AttentionTrace], allowed: Bool[Tensor, "#n #n"] | None = None
) -> dict[str, float]:
    r"""What the softmax of each layer lets through, over all rows that have two keys or more; names end in the layer.

    gain_mean, gain_median, gain_low (10 % quantile) of $\lVert dS_i\rVert/\lVert dA_i\rVert$; dead: share of rows
    with gain < 10⁻³; concentration: part of ‖dS‖² carried by the 5 % largest rows; entropy: mean H/ln n; saturated:
    share of rows with max p > 0.999; logit_std: standard deviation of the logits.
    """
    weights = [trace.weights for trace in traces]
    d_weights = torch.autograd.grad(loss, weights, retain_graph=True)
    measured: dict[str, float] = {}
    for number, (trace, dA) in enumerate(zip(traces, d_weights, strict=True)):
        several = None if allowed is None else allowed.sum(dim=-1) > 1
        p, dp, logits = trace.weights.detach(), dA, trace.capped_scores.detach()
        gains, d_scores = row_gain(p, dp), torch.linalg.vector_norm(backward(p, dp), dim=-1)
        peaks = p.amax(dim=-1)
        if several is not None:
            gains, d_scores, peaks = (rows[..., several] for rows in (gains, d_scores, peaks))
        rows = gains.flatten()
        rows = rows[rows.isfinite()]  # a row that hears nothing has no gain
        energy = d_scores.flatten().square().sort(descending=True).values
        low, median = (torch.quantile(rows, share) for share in (0.1, 0.5)) if len(rows) else (0.0, 0.0)
        numbers = {
            "gain_mean": rows.mean() if len(rows) else 0.0,
            "gain_median": median,
            "gain_low": low,
            "dead": (rows < DEAD).float().mean() if len(rows) else 1.0,
            "concentration": energy[: max(1, round(SHARE * len(energy)))].sum() / energy.sum().clamp(min=1e-38),
            "entropy": measures.relative_entropy(p, allowed).mean(),
            "saturated": (peaks > SATURATED).float().mean(),
            "logit_std": logits.std() if allowed is None else logits[..., allowed].std(),
        }
        measured |= {f"{name}.{number}": float(value) for name, value in numbers.items()}
    return measured


def signal_to_noise(gradients: Float[Tensor, "b ..."]) -> float:
    r"""SNR = $\lVert\bar g\rVert^2 / \frac1b\sum_i\lVert g_i - \bar g\rVert^2$ of b gradients: a ratio of powers.

    What every experiment means by it; `saturation.sweep` compares the rows of one pass, and lengths. b independent
    directions without any signal still give 1/b (McCandlish et al. 2018, arXiv:1812.06162: its inverse is the noise
    scale). 0 where all are 0.
    """
    flat = gradients.flatten(1).double()
    mean = flat.mean(dim=0)
    noise = (flat - mean).square().sum(dim=1).mean()
    return float(mean.square().sum() / noise) if float(noise) > 0 else (math.inf if float(mean.norm()) > 0 else 0.0)


def batch_signal_to_noise(losses: Float[Tensor, " b"], W: Tensor, batch: int) -> float:
    r"""`signal_to_noise` that the gradient of a batch of that size has, from the losses of b sequences.

    They make G = GROUPS gradients; what chance gives is taken off:
    $(\lVert\bar g\rVert^2 - \mathrm{var}/G)/\mathrm{var}$, not below 0.
    """
    groups = losses.unflatten(0, (GROUPS, -1)).mean(dim=1)
    gradients = torch.stack([torch.autograd.grad(one, W, retain_graph=True)[0].flatten() for one in groups]).double()
    variance = gradients.var(dim=0).sum()
    signal = gradients.mean(dim=0).square().sum() - variance / GROUPS
    return float(signal.clamp(min=0) / variance.clamp(min=1e-300)) * batch * GROUPS / len(losses)


def agreement(gradients: Float[Tensor, "b ..."]) -> float:
    """Cosine of the mean gradient of the first half with that of the second: 1 = they agree, about 0 = noise."""
    flat = gradients.flatten(1).double()
    first, second = flat[: len(flat) // 2].mean(dim=0), flat[len(flat) // 2 :].mean(dim=0)
    return float(torch.nn.functional.cosine_similarity(first, second, dim=0))
