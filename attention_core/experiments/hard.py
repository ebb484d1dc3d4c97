r"""Hard attention: pick one annotation, and learn to pick without a derivative.

With annotation s drawn from $\alpha = \mathrm{softmax}(\theta)$ and $\ell_s = \log p(y \mid s, a)$ the objective is the
bound $L_s = \sum_s \alpha_s \ell_s \le \log \sum_s \alpha_s e^{\ell_s} = \log p(y \mid a)$. Source: Xu et al. 2015,
arXiv:1502.03044, section 4.1; the score-function gradient is REINFORCE (Williams 1992, doi:10.1007/BF00992696).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention_core.attention import AttentionTrace
from attention_core.experiments.base import Observation, Record, Task, build, half, normal, stream, train
from attention_core.experiments.layers import gradient_measures
from attention_core.multihead import MultiHeadAttention

MODES = ("soft", "hard", "hard_baseline")
DECAY = 0.9  # b_k = 0.9 b_{k−1} + 0.1 log p(y | s_k, a)


def bound(log_p: Float[Tensor, "*batch s"], alpha: Float[Tensor, "*batch s"]) -> Float[Tensor, "*batch"]:
    r"""$L_s = \sum_s \alpha_s \ell_s$, in nats."""
    return (alpha * log_p).sum(dim=-1)


def log_likelihood(log_p: Float[Tensor, "*batch s"], alpha: Float[Tensor, "*batch s"]) -> Float[Tensor, "*batch"]:
    r"""$\log\sum_s \alpha_s e^{\ell_s} \ge L_s$, in nats (Jensen)."""
    return (alpha.log() + log_p).logsumexp(dim=-1)


def bound_gradient(log_p: Float[Tensor, "*batch s"], alpha: Float[Tensor, "*batch s"]) -> Float[Tensor, "*batch s"]:
    r"""$\partial L_s/\partial\theta = \alpha \odot (\ell - \mathbb E_\alpha \ell)$ for α = softmax(θ)."""
    return alpha * (log_p - bound(log_p, alpha)[..., None])


class Recall(nn.Module):
    """One head that asks a list of (key, value) pairs for the value of one key: context is Σ α v, or one v."""

    def __init__(self, symbols: int, d_model: int, d_k: int, seed: int) -> None:
        super().__init__()
        draw = stream(seed, "weights")
        self.keys, self.values = (normal((symbols, d_model), draw) for _ in range(2))
        self.read = build(nn.Linear, d_model, symbols, generator=draw)
        self.attention = MultiHeadAttention(d_model=d_model, n_head=1, d_k=d_k, d_v=d_model, seed=seed)

    def trace(self, keys: Int[Tensor, "b n"], values: Int[Tensor, "b n"], asked: Int[Tensor, " b"]) -> AttentionTrace:
        x = (self.keys[keys] + self.values[values]) * 0.5**0.5
        return self.attention.trace(self.keys[asked][:, None], x)

    def answer(self, context: Float[Tensor, "*batch d_v"]) -> Float[Tensor, "*batch symbols"]:
        """Logits of the values."""
        return self.read(context @ self.attention.W_O[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hard:
    """Recall with soft attention, with sampled attention, and with sampled attention and a moving baseline.

    Hard runs are examined with the key of largest weight. λ_r = 1, no entropy term. Measures: those of the softmax, and
    `bound`, `log_likelihood` (nats, on the probe). Arrays: matrices, gradients, `weights` (4 1 1 n) of the probe.
    """

    mode: str = "soft"
    pairs: int = 8
    symbols: int = 16
    d_k: int = 32
    d_model: int = 64
    lr: float = 3e-3
    steps: int = 400
    every: int = 20
    seed: int = 0
    batch: int = 64
    evaluated: int = 1000

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"the mode must be {', '.join(MODES)}; not {self.mode!r}")

    def records(self) -> Iterator[Record]:
        """Train. Raises Diverged."""
        model, data, dice = self.build(), stream(self.seed, "data"), stream(self.seed, "samples")
        held_out, probe = (self.draw(stream(self.seed, name), self.evaluated) for name in ("held out", "probe"))
        baseline = 0.0

        def objective() -> tuple[Tensor, Tensor]:
            nonlocal baseline
            *lists, right = self.draw(data, self.batch)
            trace = model.trace(*lists)
            alpha, v = trace.weights[:, 0, 0], trace.v[:, 0]
            if self.mode == "soft":
                logits = model.answer(trace.context[:, 0, 0])
                return F.cross_entropy(logits, right), _right(logits, right)
            picks = torch.multinomial(alpha.detach(), 1, generator=dice)
            logits = model.answer(v.gather(1, picks[..., None].expand(-1, 1, v.shape[-1]))[:, 0])
            log_p = -F.cross_entropy(logits, right, reduction="none")
            reward = log_p.detach() - baseline
            if self.mode == "hard_baseline":
                baseline = DECAY * baseline + (1 - DECAY) * float(log_p.detach().mean())
            chosen = alpha.gather(1, picks)[:, 0].clamp(min=1e-30).log()
            # The value is −log p; the second term is worth 0 and carries the gradient of the score function.
            return (-log_p - reward * (chosen - chosen.detach())).mean(), _right(logits, right)

        def observe(keep: bool) -> Observation:
            *lists, right = probe
            trace = model.trace(*lists)
            measures = gradient_measures(F.cross_entropy(model.answer(trace.context[:, 0, 0]), right), [trace])
            with torch.no_grad():
                alpha, every = trace.weights[:, 0, 0], model.answer(trace.v[:, 0]).log_softmax(dim=-1)
                log_p = every.gather(-1, right[:, None, None].expand(-1, self.pairs, 1))[..., 0]
                measures["bound"] = float(bound(log_p, alpha).mean())
                measures["log_likelihood"] = float(log_likelihood(log_p, alpha).mean())
                accuracy = float(_right(self._predict(model, *held_out[:3]), held_out[3]))
            return Observation(
                accuracy=accuracy, measures=measures, arrays={"weights": half(trace.weights[:4])} if keep else {}
            )

        matrices = {f"{name}.0": getattr(model.attention, name) for name in ("W_Q", "W_K", "W_V", "W_O")}
        yield from train(self, Task(model=model, objective=objective, observe=observe, matrices=matrices, lr=self.lr))

    def build(self) -> Recall:
        """The model at step 0, the same for every mode."""
        return Recall(self.symbols, self.d_model, self.d_k, self.seed)

    def draw(self, generator: torch.Generator, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Distinct keys (b n), their values (b n), the key that is asked (b) and its value (b)."""
        keys = torch.rand(count, self.symbols, generator=generator).argsort(dim=-1)[:, : self.pairs]
        values = torch.randint(self.symbols, (count, self.pairs), generator=generator)
        which = torch.randint(self.pairs, (count, 1), generator=generator)
        return keys, values, keys.gather(1, which)[:, 0], values.gather(1, which)[:, 0]

    def _predict(self, model: Recall, keys: Tensor, values: Tensor, asked: Tensor) -> Tensor:
        trace = model.trace(keys, values, asked)
        if self.mode == "soft":
            return model.answer(trace.context[:, 0, 0])
        best = trace.weights[:, 0, 0].argmax(dim=-1)
        return model.answer(trace.v[:, 0][torch.arange(len(best)), best])


def _right(logits: Tensor, right: Tensor) -> Tensor:
    return (logits.argmax(dim=-1) == right).float().mean()
