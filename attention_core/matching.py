r"""Two sentences against each other: every word of one rebuilt from the words of the other.

e_ij = ā_i · b̄_j; ã_i = Σ_j softmax_j(e_ij) b̄_j and b̃_j = Σ_i softmax_i(e_ij) ā_i (Parikh et al. 2016, arXiv:1606.01933;
with a BiLSTM before the attention: Chen et al. 2017, ESIM, arXiv:1609.06038).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from attention_core import checkpoints
from attention_core.attention import AttentionTrace, attend
from attention_core.models.base import Tokens
from attention_core.models.from_scratch import WordVectors
from attention_core.scalings import by

Variant = Literal["bag", "bilstm", "attention", "both"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
CHECKPOINT = checkpoints.FOLDER / "two_sentences.safetensors"  # made by experiments/shipped.py
CHECKPOINT_SHA256 = "d9aab6d2af3978fc46b4199ea89e1f81b91199051c788e1148201e19a9bd28ec"


def word_vectors(model: WordVectors, tokens: Tokens) -> Float[Tensor, "n d_in"]:
    """x: the rows of the model's embedding matrix, each brought to mean 0 and variance 1."""
    x = model.word_embeddings(tokens)
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class CrossAttention:
    """Cross-attention both ways. In `first` sentence 1 asks and sentence 2 answers, in `second` the other way round.

    `first.weights` are the softmax of e over rows, `second.weights` that over its columns, transposed.
    """

    first: AttentionTrace
    second: AttentionTrace

    @property
    def similarity(self) -> Float[Tensor, "*batch n m"]:
        """e_ij = ā_i · b̄_j."""
        return self.first.scores

    @property
    def rebuilt(self) -> tuple[Float[Tensor, "*batch n d"], Float[Tensor, "*batch m d"]]:
        """ã and b̃."""
        return self.first.context, self.second.context

    @property
    def differences(self) -> tuple[Float[Tensor, "*batch n d"], Float[Tensor, "*batch m d"]]:
        """ā − ã and b̄ − b̃."""
        return self.first.q - self.first.context, self.second.q - self.second.context


def align(
    a: Float[Tensor, "*batch n d"],
    b: Float[Tensor, "*batch m d"],
    *,
    temperature: float = 1.0,
    real_a: Bool[Tensor, "*batch n"] | None = None,
    real_b: Bool[Tensor, "*batch m"] | None = None,
) -> CrossAttention:
    """Rebuild each sentence from the other, scores divided by `temperature`; `real` is False where a batch is padded.

    align(a, a) is self-attention of a with the identity in the place of W_Q, W_K and W_V.
    """
    scaling = by(1.0 / temperature)
    first = attend(a, b, b, scaling=scaling, allowed=None if real_b is None else real_b[..., None, :])
    second = attend(b, a, a, scaling=scaling, allowed=None if real_a is None else real_a[..., None, :])
    return CrossAttention(first, second)


def features(x: Float[Tensor, "*batch d"], rebuilt: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch 4*d"]:
    """[x; x̃; x − x̃; x ⊙ x̃], what a word is compared by."""
    return torch.cat([x, rebuilt, x - rebuilt, x * rebuilt], dim=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """logit = bias + Σ_i evidence_a_i + Σ_j evidence_b_j: an identity, not an approximation.

    Without attention there is one comparison per pair, not one per word: `evidence` is then ((*batch, 1), None).
    """

    logit: Float[Tensor, "*batch"]
    bias: Float[Tensor, ""]
    evidence: tuple[Float[Tensor, "*batch _"], Float[Tensor, "*batch _"] | None]
    alignment: CrossAttention | None


class Matcher(nn.Module):
    """Do two sentences say the same? Four variants: with or without a BiLSTM, with or without cross-attention.

    Word vectors x → `map` (linear, d_in → d) → with a BiLSTM (torch's, d/2 each way) or not → ā, b̄. With attention,
    each word is compared with what it is rebuilt to, features → ReLU layer → one number; the logit is the sum of these
    numbers over the words of both sentences and a bias. Without, the two means are compared by the same layers, once.
    """

    def __init__(self, variant: Variant, *, d_in: int, d: int = 64, hidden: int = 64) -> None:
        """Raises ValueError for an unknown variant or an odd d."""
        super().__init__()
        if variant not in VARIANTS or d % 2:
            raise ValueError(f"a matcher is one of {', '.join(VARIANTS)}, with an even d; not {variant!r}, {d}")
        self.variant: Variant = variant
        self.sizes = {"d_in": d_in, "d": d, "hidden": hidden}
        self.map = nn.Linear(d_in, d, bias=False)
        self.lstm = nn.LSTM(d, d // 2, batch_first=True, bidirectional=True) if variant in ("bilstm", "both") else None
        self.compare = nn.Linear(4 * d, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(()))

    @property
    def attends(self) -> bool:
        """Whether it has cross-attention."""
        return self.variant in ("attention", "both")

    def mapped(self, x: Float[Tensor, "*batch n d_in"]) -> Float[Tensor, "*batch n d"]:
        """Each word by itself, before any context."""
        return self.map(x)

    def encode(
        self, x: Float[Tensor, "*batch n d_in"], real: Bool[Tensor, "*batch n"] | None = None
    ) -> Float[Tensor, "*batch n d"]:
        """ā: what enters the attention. With a BiLSTM every word has read its sentence in both directions."""
        mapped = self.mapped(x)
        if self.lstm is None:
            return mapped
        if real is None:
            return self.lstm(mapped)[0]
        lengths = real.sum(dim=-1)  # padding stands at the end; the backward direction must not begin in it
        packed = pack_padded_sequence(mapped, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[-2])[0]

    def evidence(
        self, x: Float[Tensor, "*batch n d"], rebuilt: Float[Tensor, "*batch n d"]
    ) -> Float[Tensor, "*batch n"]:
        """One number per word: positive speaks for "the same"."""
        return self.score(torch.relu(self.compare(features(x, rebuilt))))[..., 0]

    def judge(
        self,
        a: Float[Tensor, "*batch n d"],
        b: Float[Tensor, "*batch m d"],
        *,
        temperature: float = 1.0,
        real_a: Bool[Tensor, "*batch n"] | None = None,
        real_b: Bool[Tensor, "*batch m"] | None = None,
    ) -> Judgement:
        """The verdict on two encoded sentences, with all that leads to it."""
        if not self.attends:
            one = self.evidence(_mean(a, real_a)[..., None, :], _mean(b, real_b)[..., None, :])
            return Judgement(self.bias + one[..., 0], self.bias, (one, None), None)
        alignment = align(a, b, temperature=temperature, real_a=real_a, real_b=real_b)
        evidence_a, evidence_b = (
            self.evidence(trace.q, trace.context) for trace in (alignment.first, alignment.second)
        )
        evidence_a = evidence_a if real_a is None else evidence_a.masked_fill(~real_a, 0.0)
        evidence_b = evidence_b if real_b is None else evidence_b.masked_fill(~real_b, 0.0)
        logit = self.bias + evidence_a.sum(dim=-1) + evidence_b.sum(dim=-1)
        return Judgement(logit, self.bias, (evidence_a, evidence_b), alignment)

    def forward(
        self,
        x_a: Float[Tensor, "*batch n d_in"],
        x_b: Float[Tensor, "*batch m d_in"],
        real_a: Bool[Tensor, "*batch n"] | None = None,
        real_b: Bool[Tensor, "*batch m"] | None = None,
    ) -> Judgement:
        """Word vectors of two sentences → the verdict."""
        return self.judge(self.encode(x_a, real_a), self.encode(x_b, real_b), real_a=real_a, real_b=real_b)


def _mean(x: Float[Tensor, "*batch n d"], real: Bool[Tensor, "*batch n"] | None) -> Float[Tensor, "*batch d"]:
    if real is None:
        return x.mean(dim=-2)
    return (x * real[..., None]).sum(dim=-2) / real.sum(dim=-1, keepdim=True)


def influence_on_last(matcher: Matcher, x: Float[Tensor, "n d_in"]) -> Float[Tensor, " n"]:
    """‖∂ā_n/∂x_k‖_F for every word k: what reaches the last word of a change in the k-th. By autograd, exactly."""
    size = matcher.sizes["d"]
    copies = x.detach().expand(size, -1, -1).clone().requires_grad_()  # one copy for every component of ā_n
    last = matcher.encode(copies)[:, -1]
    (slopes,) = torch.autograd.grad(last.diagonal().sum(), copies)
    return slopes.square().sum(dim=(0, 2)).sqrt()


def contextual(vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Vectors of any encoder, of length d^¼ each, so that e_ij = √d·cos(a_i, b_j), as wide as scaled scores."""
    return torch.nn.functional.normalize(vectors, dim=-1) * vectors.shape[-1] ** 0.25


@cache
def shipped(variant: Variant) -> tuple[Matcher, dict[str, Any]]:
    """The matcher trained here, in float64, and its recipe with what it is worth. Raises checkpoints.DamagedError."""
    tensors, recipe = checkpoints.load(CHECKPOINT, CHECKPOINT_SHA256)
    config = recipe[variant]["config"]
    matcher = Matcher(variant, d_in=recipe["d_in"], d=config["d"], hidden=config["hidden"])
    prefix = f"{variant}."
    matcher.load_state_dict({name.removeprefix(prefix): tensors[name] for name in tensors if name.startswith(prefix)})
    return matcher.double().eval().requires_grad_(False), recipe | recipe[variant]
